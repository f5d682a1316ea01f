"""Corpora in shards become one without being written again: parts by many writers, and clips that come later."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ..core.arguments import as_path
from ..core.errors import CorpusError
from ..core.files import replace
from ..core.interfaces.specs import resolve_spec
from .array_file import file_digest
from .clip import Clip
from .corpus_files import LocalFiles
from .corpus_folder import claim_folder, new_files, publish, remove
from .index_columns import IndexColumns, concatenate
from .pictures import QUALITY
from .shard_builder import ShardBuilder
from .shard_header import COPY_AGAIN, HEADER, INDEX, SHARDS, CorpusHeader, FileInfo, read_header
from .shard_reader import ShardReader
from .shard_writer import SHARD_BYTES, check_free, write_header, write_index


def merge_corpora(path: str | os.PathLike[str], parts: Sequence[str | os.PathLike[str]]) -> Path:
    """Make one new corpus of several, which may have been written at the same time by different processes.

    Only the index is written. Shards get further names in the new folder (hard links) where the file system has them,
    and are copied elsewhere; the parts stay as they are, and may be removed.

    Args:
        path: the new corpus folder.
        parts: folders of corpora of format 2, in the order that their clips are to have.

    Raises:
        CorpusError: the folder is a corpus already or is being written by another process, no parts, a part is damaged
            or differs from the first in representation, rate, labels or size of pictures, or an id comes twice.
        OSError: the folder cannot be written.
    """
    folder, opened = as_path(path, "corpus", CorpusError), [_open_whole(Path(part)) for part in parts]
    if not opened:
        raise CorpusError("corpus", "at least one part", "none")
    headers = [reader.header for reader in opened]
    for reader in opened[1:]:
        _check_alike(headers[0], reader)
    _check_distinct([reader.columns for reader in opened])
    with claim_folder(folder):
        check_free(folder)
        with new_files(folder) as temporary:
            (temporary / SHARDS).mkdir()
            shards: dict[str, FileInfo] = {}
            offsets: list[int] = []
            for reader in opened:
                offsets.append(len(shards) - min(map(_number, reader.header.shards)))
                for name, info in sorted(reader.header.shards.items()):
                    new_name = f"{_number(name) + offsets[-1]:05d}.safetensors"
                    _link(reader.files.path(f"{SHARDS}/{name}", info), temporary / SHARDS / new_name)
                    shards[new_name] = info
            columns = concatenate([reader.columns for reader in opened], offsets)
            index = write_index(temporary, INDEX, columns)
            header = headers[0].model_copy(update={"clips": len(columns), "index": index, "shards": shards})
            write_header(temporary, header)
            LocalFiles(temporary).check_sizes(header.shard_files())
            publish(temporary, folder, (SHARDS, INDEX, HEADER))
    return folder


def append_clips(path: str | os.PathLike[str], clips: Iterable[Clip], *, shard_bytes: int = SHARD_BYTES) -> Path:
    """Add clips to a corpus in shards, in shards of their own; on any failure it stays as it was.

    The header is replaced last and at once. A reader that opened the corpus before sees the clips that it had: no shard
    changes, and the index of before stays until clips are added again.

    Args:
        path: folder of a corpus of format 2.
        clips: with the same representation, rate, tracks, labels and size of pictures as those in it.
        shard_bytes: size at which a shard is closed.

    Raises:
        CorpusError: no such corpus, it is being written by another process, there are no clips, an id is in it already,
            or a clip is damaged or does not fit.
        OSError: the folder cannot be written.
    """
    folder = Path(path)
    read_header(LocalFiles(folder))  # before the folder is claimed, which would make it
    with claim_folder(folder):
        reader = _open_whole(folder)
        header = reader.header
        _remove_leftovers(folder, header)
        with new_files(folder) as temporary:
            (temporary / SHARDS).mkdir()
            builder = ShardBuilder(
                temporary,
                resolve_spec("representation", header.representation),
                shard_bytes,
                header.pictures.format if header.pictures else "jpeg",
                header.pictures.quality if header.pictures else QUALITY,
                like=header,
                first_shard=1 + max(map(_number, header.shards)),
            )
            for clip in clips:
                builder.add(clip)
            added = builder.finish()
            _check_distinct([reader.columns, added])
            columns = concatenate([reader.columns, added], [0, 0])
            index = write_index(temporary, _next_index(header), columns)
            new_header = builder.header(len(columns), index)
            new_header = new_header.model_copy(update={"shards": header.shards | builder.shards})
            write_header(temporary, new_header)
            _publish_with_header(temporary, folder, [*(f"{SHARDS}/{name}" for name in builder.shards), index.name])
    return folder


def _publish_with_header(temporary: Path, folder: Path, names: Sequence[str]) -> None:
    """Move new files into a corpus, and then the header over its own; if that fails, they are removed."""
    publish(temporary, folder, names)
    try:
        replace(temporary / HEADER, folder / HEADER)
    except BaseException:
        for name in names:
            remove(folder / name)
        raise


def _open_whole(folder: Path) -> ShardReader:
    """Open a corpus whose index is what its header names to the last bit."""
    files = LocalFiles(folder)
    header = read_header(files)
    if not isinstance(header, CorpusHeader):
        remedy = "import_folder makes a corpus of the newest format of it"
        raise CorpusError(f"corpus {folder}", "a corpus of format 2", "format 1", remedy)
    files.check_sizes(header.shard_files())
    if file_digest(files.path(header.index.name, header.index)) != header.index.sha256:
        expected = f"the {header.index.name} that its header names"
        raise CorpusError(f"corpus {folder}", expected, "another", COPY_AGAIN)
    return ShardReader(files, header)


def _check_alike(first: CorpusHeader, reader: ShardReader) -> None:
    part_header = reader.header
    for name in ("representation", "points", "dims", "fps", "labels"):
        if getattr(first, name) != getattr(part_header, name):
            expected = f"the {name} of the first part, {getattr(first, name)}"
            raise CorpusError(f"corpus {reader.files.name}", expected, str(getattr(part_header, name)))
    sizes = [header.pictures.size if header.pictures else None for header in (first, part_header)]
    if sizes[0] != sizes[1]:
        raise CorpusError(f"corpus {reader.files.name}", f"pictures of {sizes[0]}, as in the first part", str(sizes[1]))


def _check_distinct(parts: Sequence[IndexColumns]) -> None:
    """Raise an error for an id that comes twice."""
    # 8 bytes per clip, where a set of texts would take a hundred.
    hashes = np.fromiter((hash(id) for part in parts for id in part.id), np.int64, sum(map(len, parts)))
    values, counts = np.unique(hashes, return_counts=True)
    suspects = set(values[counts > 1].tolist())
    checked: set[str] = set()
    for id in (id for part in parts for id in part.id if suspects and hash(id) in suspects):
        if id in checked:
            raise CorpusError("corpus", "ids that differ", f"{id!r} twice")
        checked.add(id)


def _remove_leftovers(folder: Path, header: CorpusHeader) -> None:
    """Remove what an interrupted call has left, and the index from before the last one."""
    for path in (folder / SHARDS).glob("[0-9]*.safetensors"):
        if path.name not in header.shards:
            remove(path)
    for path in folder.glob("index*.safetensors"):
        if path.name != header.index.name:
            remove(path)


def _next_index(header: CorpusHeader) -> str:
    number = header.index.name.removeprefix("index").removesuffix(".safetensors")
    return f"index-{int(number.lstrip('-') or 0) + 1:05d}.safetensors"


def _number(shard: str) -> int:
    return int(shard.partition(".")[0])


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or a file system without hard links
        shutil.copyfile(source, target)
