"""Write a corpus in shards: few large files instead of two small ones per clip.

``corpus.json`` is the header, ``index.jsonl`` has one line per clip, and ``shards/00000.safetensors`` and so on hold
the tensors ``ID/landmarks`` (float32 ``[T, P, D]``) and ``ID/audio`` (int16 ``[S]``, 16 kHz). The header is written
last: a folder without it is no corpus. The same clips in the same order give the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError
from safetensors.numpy import save

from ..core.errors import CorpusError, first_problem
from ..core.files import write_text
from ..core.interfaces.specs import RepresentationSpec, resolve_spec
from .clip import Clip, to_stored
from .corpus_folder import claim_folder, is_inside, new_files, publish, taken
from .shard_header import HEADER, INDEX, SHARDS, CorpusHeader, FileInfo, IndexLine, check_size

if TYPE_CHECKING:
    from ..core.interfaces.representation import Representation

SHARD_BYTES = 256_000_000
"""A shard is closed before it would grow beyond this size."""


def write_shards(
    path: str | os.PathLike[str],
    clips: Iterable[Clip],
    *,
    representation: RepresentationSpec | Mapping[str, Any] | str,
    shard_bytes: int = SHARD_BYTES,
) -> Path:
    """Write ``clips`` as a new corpus in shards; on any failure nothing of it is left.

    At any time only the clips of one shard are in memory. Other files in the folder stay as they are, and so does a
    corpus that another process writes there in the meantime.

    Args:
        path: the corpus folder.
        clips: all of one frame rate; their order is kept.
        representation: what the landmarks are in, such as ``{"type": "landmarks68", "dims": 3}``.
        shard_bytes: size at which a shard is closed; a longer clip gets a shard of its own.

    Raises:
        CorpusError: the folder is a corpus already, holds the remains of one or is being written by another process,
            there are no clips, an id comes twice or cannot be used, or a clip is damaged or does not fit the
            representation or the other clips.
        SpecError: an unknown representation.
        OSError: the folder cannot be written.
    """
    folder = Path(path)
    if isinstance(representation, RepresentationSpec):
        spec = representation
    else:
        spec = resolve_spec("representation", representation)
    with claim_folder(folder):
        if (folder / HEADER).exists():
            raise taken(folder)
        for name in (SHARDS, INDEX):
            if (folder / name).exists():
                raise taken(folder, f"holds {name} of an unfinished one")
        with new_files(folder) as temporary:
            (temporary / SHARDS).mkdir()
            writer = _ShardWriter(temporary, spec.build(None), shard_bytes)
            for clip in clips:
                writer.add(clip)
            index, header = writer.finish(spec)
            (temporary / INDEX).write_bytes(index)
            write_text(temporary / HEADER, f"{header.model_dump_json(indent=2)}\n")
            # What was removed while later shards were written must not be missed.
            for name, info in header.shards.items():
                check_size(temporary, f"{SHARDS}/{name}", info)
            # The shards come first: as a folder with content they can appear only once, whoever else is writing.
            publish(temporary, folder, (SHARDS, INDEX, HEADER))
    return folder


def check_fits(clip: Clip, representation: Representation) -> None:
    """Raise an error for a clip that a corpus of ``representation`` cannot hold.

    Raises:
        CorpusError: the id cannot be printed or leads out of the folder, or the landmarks have another shape.
    """
    if not (clip.id and clip.id.isprintable()):
        raise CorpusError("corpus", "ids that can be printed", ascii(clip.id)[:80])
    if not is_inside(clip.id):
        raise CorpusError("corpus", "ids that are relative paths within the folder", repr(clip.id)[:80])
    shape = (representation.points, representation.dims)
    if np.shape(clip.landmarks)[1:] != shape:
        got = f"the shape {list(np.shape(clip.landmarks))}"
        expected = f"landmarks [T, {shape[0]}, {shape[1]}] of {representation.name}"
        raise CorpusError(f"clip {clip.id}", expected, got, "name the representation that they are in")


class _ShardWriter:
    """Gathers clips, and writes a shard whenever one is full."""

    def __init__(self, folder: Path, representation: Representation, shard_bytes: int) -> None:
        self.folder, self.shard_bytes = folder, shard_bytes
        self.representation = representation
        self.fps = ""
        self.lines: dict[str, str] = {}
        self.shards: dict[str, FileInfo] = {}
        self._tensors: dict[str, npt.NDArray[Any]] = {}
        self._bytes = 0

    def add(self, clip: Clip) -> None:
        self._check(clip)
        stored = to_stored(clip)
        size = stored.landmarks.nbytes + stored.audio.nbytes
        # A clip is never divided, because a shard is read on its own.
        if self._tensors and self._bytes + size > self.shard_bytes:
            self._close_shard()
        self.lines[clip.id] = _index_line(clip, self._shard_name)
        self._tensors |= {f"{clip.id}/landmarks": stored.landmarks, f"{clip.id}/audio": stored.audio}
        self._bytes += size

    def finish(self, spec: RepresentationSpec) -> tuple[bytes, CorpusHeader]:
        """Write the last shard, and return the content of the index and the header."""
        if not self.lines:
            raise CorpusError("corpus", "at least one clip to write", "none")
        self._close_shard()
        index = "".join(f"{line}\n" for line in self.lines.values()).encode()
        return index, CorpusHeader(
            representation=spec.model_dump(mode="json"),
            points=self.representation.points,
            dims=self.representation.dims,
            fps=self.fps,
            clips=len(self.lines),
            index=FileInfo.for_content(index),
            shards=self.shards,
        )

    @property
    def _shard_name(self) -> str:
        return f"{len(self.shards):05d}.safetensors"

    def _check(self, clip: Clip) -> None:
        check_fits(clip, self.representation)
        if clip.id in self.lines:
            raise CorpusError("corpus", "ids that differ", f"{clip.id!r} twice")
        self.fps = self.fps or str(clip.fps)
        if str(clip.fps) != self.fps:
            expected = f"{self.fps} frames per second, like the clips before it"
            raise CorpusError(f"clip {clip.id}", expected, str(clip.fps))

    def _close_shard(self) -> None:
        content = save(self._tensors)
        self._tensors, self._bytes = {}, 0
        name = self._shard_name
        (self.folder / SHARDS / name).write_bytes(content)
        self.shards[name] = FileInfo.for_content(content)


def _index_line(clip: Clip, shard: str) -> str:
    try:
        return IndexLine(
            id=clip.id,
            speaker=clip.speaker,
            split=clip.split,
            source=clip.source,
            license=clip.license,
            distribute=bool(clip.distribute),
            weight=float(clip.weight),
            frames=len(clip.landmarks),
            seconds=clip.seconds,
            image_size=None if clip.image_size is None else [int(edge) for edge in clip.image_size],
            shard=shard,
            checks=dict(clip.checks),
        ).text()
    except ValidationError as error:
        raise CorpusError(f"clip {clip.id}", "a line for the index", first_problem(error)) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise CorpusError(f"clip {clip.id}", "checks of JSON values", str(error)) from None
