"""Write a corpus in shards: few large files instead of several small ones per clip.

``corpus.json`` is the header, ``index.safetensors`` has what is known of each clip as columns, and
``shards/00000.safetensors`` and so on hold the tracks of many clips, one after another: ``motion`` (float32
``[F, P, D]``), ``audio`` (int16 ``[S]``, 16 kHz), and if clips have them ``frames`` (encoded pictures as bytes) with
``frame_offsets`` (``[F + 1]``) and ``labels`` (float32 ``[F, N]``). The header is written last: a folder without it is
no corpus. The same clips in the same order give the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from ..core.arguments import as_path
from ..core.errors import CorpusError
from ..core.files import write_text
from ..core.interfaces.specs import RepresentationSpec, resolve_spec
from ..core.output_folder import require_free_folder
from .array_file import write_arrays
from .clip import Clip
from .corpus_files import LocalFiles
from .corpus_folder import claim_folder, new_files, publish, taken
from .index_columns import IndexColumns
from .made_from import is_made_from, write_record
from .pictures import QUALITY, PictureFormat
from .rejected import RejectedClip, write_rejected
from .shard_builder import ShardBuilder
from .shard_format1 import INDEX as FORMAT_ONE_INDEX
from .shard_header import HEADER, INDEX, SHARDS, CorpusHeader, IndexInfo

SHARD_BYTES = 256_000_000
"""A shard is closed before it would grow beyond this size."""


def write_shards(
    path: str | os.PathLike[str],
    clips: Iterable[Clip],
    *,
    representation: RepresentationSpec | Mapping[str, Any] | str,
    shard_bytes: int = SHARD_BYTES,
    frame_format: PictureFormat = "jpeg",
    frame_quality: int = QUALITY,
    rejected: Collection[RejectedClip] | None = None,
    made_from: str = "",
) -> Path:
    """Write ``clips`` as a new corpus in shards; on any failure nothing of it is left.

    At any time only the clips of one shard are in memory. Other files in the folder stay as they are, and so does a
    corpus that another process writes there in the meantime. Several processes write a folder each, and
    `merge_corpora` makes one corpus of them.

    Args:
        path: the corpus folder.
        clips: all of one frame rate, with the same tracks, names of labels and size of pictures; their order is kept.
        representation: what the landmarks are in, such as ``{"type": "landmarks68", "dims": 3}``.
        shard_bytes: size at which a shard is closed; a longer clip gets a shard of its own.
        frame_format: ``jpeg`` or ``webp``, for pictures that are not encoded yet.
        frame_quality: 1 to 100, for the same.
        rejected: clips that are left out, complete when ``clips`` ends; they are listed in ``rejected.jsonl``, which
            appears before the header does. None: no such file.
        made_from: `record_of` all that the clips follow from, stored as ``prepared.json``. If the folder holds the
            complete corpus of the same, it is left as it is, and ``clips`` are not read.

    Raises:
        CorpusError: the folder is a corpus already, holds the remains of one or is being written by another process,
            there are no clips, an id comes twice or cannot be used, or a clip is damaged or does not fit the
            representation or the other clips.
        SpecError: an unknown representation.
        OSError: the folder cannot be written.
    """
    folder = as_path(path, "corpus", CorpusError)
    spec = resolve_spec("representation", representation)
    if not 1 <= frame_quality <= 100:
        raise CorpusError("corpus", "a quality of pictures from 1 to 100", str(frame_quality))
    with claim_folder(folder):
        if made_from and is_made_from(folder, HEADER, made_from):
            return folder
        check_free(folder)
        with new_files(folder) as temporary:
            (temporary / SHARDS).mkdir()
            builder = ShardBuilder(temporary, spec, shard_bytes, frame_format, frame_quality)
            for clip in clips:
                builder.add(clip)
            columns = builder.finish()
            header = builder.header(len(columns), write_index(temporary, INDEX, columns))
            write_header(temporary, header)
            # What was removed while later shards were written must not be missed.
            LocalFiles(temporary).check_sizes(header.shard_files())
            # The shards come first: as a folder with content they can appear only once, whoever else is writing.
            names = [SHARDS, INDEX, HEADER]
            if rejected is not None:
                names.insert(1, write_rejected(temporary, rejected).name)
            if made_from:
                names.insert(-1, write_record(temporary, made_from))
            publish(temporary, folder, names)
    return folder


def check_free(folder: Path) -> None:
    """Raise an error for a folder with a corpus in shards, with parts of one, or with files of others.

    Raises:
        CorpusError: it holds any.
    """
    if (folder / HEADER).exists():
        raise taken(folder)
    for name in (SHARDS, INDEX, FORMAT_ONE_INDEX):
        if (folder / name).exists():
            raise taken(folder, f"holds {name} of an unfinished one")
    require_free_folder(folder, "corpus", CorpusError)


def write_index(folder: Path, name: str, columns: IndexColumns) -> IndexInfo:
    """Write an index, and return its entry in the header."""
    size, digest = write_arrays(folder / name, {column: [values] for column, values in columns.arrays().items()})
    return IndexInfo(name=name, size=size, sha256=digest)


def write_header(folder: Path, header: CorpusHeader) -> None:
    """Write ``corpus.json``."""
    write_text(folder / HEADER, f"{header.model_dump_json(indent=2)}\n")
