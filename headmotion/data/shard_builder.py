"""Clips, one after another, become shards and the columns of an index."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import CorpusError, ImageError
from ..core.files import is_inside
from ..core.interfaces.specs import RepresentationSpec
from ..core.short_repr import short_repr
from ..core.validation import validated
from .array_file import Array, write_arrays
from .clip import Clip, StoredClip, to_stored
from .clip_tracks import to_picture_pixels
from .index_columns import IndexColumns
from .index_rows import IndexRows
from .pictures import PictureFormat, SupportsEncoded, encode_picture, encoded_size
from .shard_header import INDEX, SHARDS, CorpusHeader, FileInfo, IndexInfo

if TYPE_CHECKING:
    from ..core.interfaces.representation import Representation


class ShardBuilder:
    """Gathers clips, and writes a shard whenever one is full.

    Args:
        folder: holds the folder of shards.
        spec: what motion is in.
        shard_bytes: see `write_shards`.
        frame_format: see `write_shards`.
        frame_quality: see `write_shards`.
        like: header of a corpus that all clips must fit; None: they must fit the first one.
        first_shard: number of the first shard.
    """

    def __init__(
        self,
        folder: Path,
        spec: RepresentationSpec,
        shard_bytes: int,
        frame_format: PictureFormat,
        frame_quality: int,
        like: CorpusHeader | None = None,
        first_shard: int = 0,
    ) -> None:
        self.folder, self.spec, self.shard_bytes = folder, spec, shard_bytes
        self.frame_format, self.frame_quality, self.first_shard = frame_format, frame_quality, first_shard
        self.representation = spec.build(None)
        self.layout: CorpusHeader | None = like
        self.shards: dict[str, FileInfo] = {}
        self._rows = IndexRows()
        self._start_shard()

    def add(self, clip: Clip) -> None:
        """Add a clip.

        Raises:
            CorpusError: it is damaged, or does not fit.
        """
        check_fits(clip, self.representation)
        if clip.id in self._rows:
            raise CorpusError("corpus", "ids that differ", f"{clip.id!r} twice")
        tracks = self._tracks(clip)
        size = sum(values.nbytes for values in tracks.values())
        # A clip is never divided, because a shard is read on its own.
        if self._bytes and self._bytes + size > self.shard_bytes:
            self._close_shard()
        self._rows.add(clip, self.first_shard + len(self.shards), self._frames, self._samples)
        for name, values in tracks.items():
            self._tracks_of_shard[name].append(values)
        self._bytes += size
        self._frames += len(clip.landmarks)
        self._samples += len(clip.audio)

    def finish(self) -> IndexColumns:
        """Write the last shard, and return the index.

        Raises:
            CorpusError: there are no clips.
        """
        if not self._rows:
            raise CorpusError("corpus", "at least one clip to write", "none")
        self._close_shard()
        return self._rows.columns()

    def header(self, clips: int, index: IndexInfo) -> CorpusHeader:
        """Return the header of the corpus."""
        assert self.layout is not None
        return self.layout.model_copy(update={"clips": clips, "index": index, "shards": self.shards})

    def _tracks(self, clip: Clip) -> dict[str, Array]:
        """Return the tracks of a clip as a shard holds them; ``frame_lengths`` become offsets in the end."""
        stored = to_stored(clip)
        encoded = self._encoded(clip.id, stored) if stored.frames is not None else []
        self._check_layout(clip, stored, encoded)
        motion = stored.landmarks
        if stored.frames is not None and stored.picture_box is not None:
            motion = to_picture_pixels(motion, stored.picture_box, stored.frames.size, self.representation)
        tracks: dict[str, Array] = {"motion": motion, "audio": stored.audio}
        if stored.labels is not None:
            tracks["labels"] = stored.labels
        if encoded:
            tracks["frames"] = np.frombuffer(b"".join(encoded), np.uint8)
            tracks["frame_lengths"] = np.array([len(content) for content in encoded], np.int64)
        return tracks

    def _encoded(self, id: str, stored: StoredClip) -> list[bytes]:
        """Return the pictures of a clip, all of one size, encoded."""
        assert stored.frames is not None
        if isinstance(stored.frames, SupportsEncoded):
            encoded = list(stored.frames.encoded_pictures())
        else:
            pictures = stored.frames.read().transpose(0, 2, 3, 1)
            encoded = [encode_picture(picture, self.frame_format, self.frame_quality) for picture in pictures]
        for number, content in enumerate(encoded):
            try:
                size = encoded_size(content)
            except ImageError as error:
                raise CorpusError(f"clip {id}", f"{error.expected} as frame {number}", error.got) from None
            if size != stored.frames.size:
                raise CorpusError(f"clip {id}", f"pictures of {stored.frames.size}", f"{size} as frame {number}")
        return encoded

    def _check_layout(self, clip: Clip, stored: StoredClip, encoded: list[bytes]) -> None:
        """Check that a clip has the tracks of those before it."""
        size = stored.frames.size if stored.frames is not None and encoded else None
        layout = self.layout or self._layout_of(clip, stored.label_names, size)
        known = layout.pictures.size if layout.pictures else None
        expectations: tuple[tuple[str, Any, Any], ...] = (
            ("{} frames per second", layout.fps, str(clip.fps)),
            ("pictures of {}", known or "no size, as there are none", size or "no size, as there are none"),
            ("the labels {}", layout.labels, list(stored.label_names)),
        )
        for text, expected, got in expectations:
            if expected != got:
                like = f"{text.format(expected)}, like the clips before it"
                raise CorpusError(f"clip {clip.id}", like, str(got))
        self.layout = layout

    def _layout_of(self, clip: Clip, label_names: tuple[str, ...], size: tuple[int, int] | None) -> CorpusHeader:
        """Return a header that says what all clips must have in common with this one."""
        placeholder = FileInfo.for_content(b"")
        pictures = {"format": self.frame_format, "quality": self.frame_quality}
        fields = {
            "representation": self.spec.model_dump(mode="json"),
            "points": self.representation.points,
            "dims": self.representation.dims,
            "fps": str(clip.fps),
            "clips": 1,
            "index": IndexInfo(name=INDEX, size=placeholder.size, sha256=placeholder.sha256),
            "shards": {},
            "labels": list(label_names),
            "pictures": None if size is None else {"height": size[0], "width": size[1], **pictures},
        }
        return validated(CorpusHeader, fields, f"clip {clip.id}", error=CorpusError)

    def _start_shard(self) -> None:
        self._tracks_of_shard: dict[str, list[Array]] = defaultdict(list)
        self._bytes = self._frames = self._samples = 0

    def _close_shard(self) -> None:
        tracks = self._tracks_of_shard
        if lengths := tracks.pop("frame_lengths", None):
            tracks["frame_offsets"] = [np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(lengths))])]
        name = f"{self.first_shard + len(self.shards):05d}.safetensors"
        size, digest = write_arrays(self.folder / SHARDS / name, tracks)
        self.shards[name] = FileInfo(size=size, sha256=digest)
        self._start_shard()


def check_fits(clip: Clip, representation: Representation) -> None:
    """Raise an error for a clip that a corpus of ``representation`` cannot hold.

    Raises:
        CorpusError: the id cannot be printed or leads out of the folder, or the landmarks have another shape.
    """
    if not (clip.id and clip.id.isprintable()):
        raise CorpusError("corpus", "ids that can be printed", ascii(clip.id))
    if not is_inside(clip.id):
        raise CorpusError("corpus", "ids that are relative paths within the folder", short_repr(clip.id))
    shape = (representation.points, representation.dims)
    if np.shape(clip.landmarks)[1:] != shape:
        got = f"the shape {list(np.shape(clip.landmarks))}"
        expected = f"landmarks [T, {shape[0]}, {shape[1]}] of {representation.name}"
        raise CorpusError(f"clip {clip.id}", expected, got, "name the representation that they are in")
