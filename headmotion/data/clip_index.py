"""What an index knows of the clips of one corpus without reading them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from .clip_tracks import ClipShape, ClipTracks, MotionShape, TrackRange
from .index_entry import IndexEntry
from .text_columns import Names

if TYPE_CHECKING:
    from ..core.interfaces.sample import Track

Rows = npt.NDArray[np.int64]
"""Some of the clips of an index, in any order."""


class ClipIndex(Protocol):
    """The index of one corpus: a column per field, and one clip at a time. It can be pickled."""

    @property
    def speakers(self) -> Names:
        """Speaker of each clip."""
        ...

    @property
    def splits(self) -> Names:
        """Split of each clip."""
        ...

    @property
    def sources(self) -> Names:
        """Where each clip comes from: its source, or else the name of its corpus folder."""
        ...

    @property
    def licenses(self) -> Names:
        """License of each clip; empty if unknown."""
        ...

    @property
    def distribute(self) -> npt.NDArray[np.bool_]:
        """Whether weights trained on each clip may be given away."""
        ...

    @property
    def seconds(self) -> npt.NDArray[np.float64]:
        """Duration of each clip."""
        ...

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """Factor of the chance that training draws each clip."""
        ...

    def __len__(self) -> int:
        """Return the number of clips."""
        ...

    def id(self, row: int) -> str:
        """Return the id of a clip."""
        ...

    def entry(self, row: int) -> IndexEntry:
        """Return the entry of a clip."""
        ...

    def shape(self, row: int) -> ClipShape:
        """Return length and shape of a clip."""
        ...

    def read_range(self, row: int, cut: TrackRange) -> ClipTracks:
        """Read some tracks of some frames of a clip."""
        ...

    def frame_counts(self, rows: Rows) -> npt.NDArray[np.int64]:
        """Return the number of frames of clips."""
        ...

    def motion_shapes(self, rows: Rows) -> dict[MotionShape, str]:
        """Return the shapes that the motion of clips has, each with the id of a clip that has it."""
        ...

    def tracks(self, rows: Rows) -> frozenset[Track]:
        """Return the tracks that all of these clips have."""
        ...

    def have_tracks(self, tracks: Collection[Track]) -> npt.NDArray[np.bool_]:
        """Return whether each clip of the index has all these tracks."""
        ...

    def label_names(self, rows: Rows) -> set[tuple[str, ...]]:
        """Return the names of labels that clips have, all that there are."""
        ...

    def picture_sizes(self, rows: Rows) -> set[tuple[int, int]]:
        """Return height and width of the pictures that clips have, all that there are."""
        ...
