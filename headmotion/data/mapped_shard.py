"""The tracks of one shard of format 2, mapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .array_file import Array
from .shard_header import CorpusHeader


@dataclass(frozen=True)
class MappedShard:
    """The tracks of a shard, all of which have ``F`` frames."""

    motion: npt.NDArray[np.float32]
    """``[F, P, D]``."""
    audio: npt.NDArray[np.int16]
    frames: npt.NDArray[np.uint8] | None
    """Encoded pictures, one after another."""
    frame_offsets: npt.NDArray[np.int64] | None
    """``[F + 1]``: where each begins."""
    labels: npt.NDArray[np.float32] | None
    """``[F, N]``."""

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], header: CorpusHeader) -> MappedShard:
        """Check that a shard has the tracks of the header.

        Raises:
            ValueError: a track is missing, or of another type or length.
        """
        motion = _array(arrays, "motion", np.float32, header.points, header.dims)
        frames = offsets = labels = None
        if header.pictures:
            frames, offsets = _array(arrays, "frames", np.uint8), _array(arrays, "frame_offsets", np.int64)
            if len(offsets) != len(motion) + 1:
                raise ValueError(f"{len(offsets) - 1} pictures for {len(motion)} frames")
        if header.labels:
            labels = _array(arrays, "labels", np.float32, len(header.labels))
            if len(labels) != len(motion):
                raise ValueError(f"labels of {len(labels)} frames for {len(motion)}")
        return cls(motion, _array(arrays, "audio", np.int16), frames, offsets, labels)


def _array(arrays: Mapping[str, Array], name: str, dtype: npt.DTypeLike, *shape: int) -> Array:
    array = arrays.get(name)
    if array is None or array.dtype != dtype or array.ndim != 1 + len(shape) or array.shape[1:] != shape:
        got = "nothing" if array is None else f"{array.dtype} {list(array.shape)}"
        raise ValueError(f"{got} as {name}")
    return array
