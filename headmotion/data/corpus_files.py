"""The files of a corpus, wherever they are: in a folder, or anywhere that fsspec reaches, copied as they are needed."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ..core.arguments import as_path
from ..core.errors import CorpusError
from ..core.files import atomic_output, read_regular, reason_of, require_regular
from ..core.lazy import import_optional
from ..core.limits import TEXT_BYTES, limit
from .array_file import file_digest
from .shard_header import COPY_AGAIN, FileInfo

CACHE = Path("~/.cache/headmotion")
"""Where files of remote corpora are kept, unless another folder is given."""

_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+(::[a-zA-Z0-9+.-]+)*://")


class CorpusFiles(Protocol):
    """The files of one corpus. It can be pickled, so that worker processes read for themselves."""

    @property
    def name(self) -> str:
        """The folder's path or address."""
        ...

    def exists(self, name: str) -> bool:
        """Return whether there is such a file."""
        ...

    def read(self, name: str) -> bytes:
        """Read a small file.

        Raises:
            OSError, CorpusError: there is no such file, or it cannot be read.
        """
        ...

    def path(self, name: str, info: FileInfo) -> Path:
        """Return the path of a file on this machine, which is as long as ``info`` says.

        Raises:
            CorpusError: the file is missing, or longer or shorter.
        """
        ...

    def check_sizes(self, files: Mapping[str, FileInfo]) -> None:
        """Raise an error for a file that is missing, or longer or shorter; none is opened.

        Raises:
            CorpusError: there is one.
        """
        ...


@dataclass(frozen=True)
class LocalFiles:
    """The files in a folder."""

    folder: Path
    """The folder."""

    @property
    def name(self) -> str:
        """The folder's path."""
        return str(self.folder)

    def exists(self, name: str) -> bool:
        """Return whether there is such a file."""
        return (self.folder / name).exists()

    def read(self, name: str) -> bytes:
        """Read a small file.

        Raises:
            OSError: there is no such file, or it cannot be read.
        """
        return read_regular(self.folder / name, limit(TEXT_BYTES))

    def path(self, name: str, info: FileInfo) -> Path:
        """Return the path of a file, which is as long as ``info`` says.

        Raises:
            CorpusError: the file is missing, or longer or shorter.
        """
        path = self.folder / name
        try:
            require_regular(path)
            size = path.stat().st_size
        except OSError as error:
            got = reason_of(error)
            raise CorpusError(f"corpus {self.name}", f"the file {name}", got, COPY_AGAIN) from None
        _check_size(self.name, name, info, size)
        return path

    def check_sizes(self, files: Mapping[str, FileInfo]) -> None:
        """Raise an error for a file that is missing, or longer or shorter; none is opened.

        Raises:
            CorpusError: there is one.
        """
        for name, info in files.items():
            self.path(name, info)


class RemoteFiles:
    """Files behind an address such as ``s3://bucket/corpus``, copied whole into a cache folder when they are needed.

    Copies are named by their SHA-256, which is checked when they are made, so equal shards share one.

    Args:
        url: address of the corpus folder, in any protocol that fsspec has.
        cache: folder of the copies.
        cache_bytes: size beyond which the copies that were not used for longest are removed; None keeps all.

    Raises:
        CorpusError: fsspec or what it needs for the protocol is not installed.
    """

    def __init__(self, url: str, cache: Path, cache_bytes: int | None = None) -> None:
        self.name, self.cache, self.cache_bytes = url.rstrip("/"), cache, cache_bytes
        self._open()

    def exists(self, name: str) -> bool:
        """Return whether there is such a file."""
        with _one_error(self.name, name):
            return bool(self._files.exists(f"{self._root}/{name}"))

    def read(self, name: str) -> bytes:
        """Read a small file.

        Raises:
            CorpusError: there is no such file, or it cannot be read.
        """
        with _one_error(self.name, name):
            return bytes(self._files.cat_file(f"{self._root}/{name}"))

    def path(self, name: str, info: FileInfo) -> Path:
        """Return the path of a copy on this machine; it is made if there is none.

        Raises:
            CorpusError: the file is missing or cannot be read, or its size or SHA-256 is another.
        """
        copy = self.cache / info.sha256[:2] / f"{info.sha256}{PurePosixPath(name).suffix}"
        with contextlib.suppress(OSError):
            if copy.stat().st_size == info.size:
                os.utime(copy)  # used now, for `_make_room`
                return copy
        self._make_room(info.size)
        with _one_error(self.name, name), atomic_output(copy) as temporary:
            self._files.get_file(f"{self._root}/{name}", str(temporary))
            _check_size(self.name, name, info, temporary.stat().st_size)
            if file_digest(temporary) != info.sha256:
                raise CorpusError(f"corpus {self.name}", f"{name} with the sha256 of its header", "another", COPY_AGAIN)
        return copy

    def check_sizes(self, files: Mapping[str, FileInfo]) -> None:
        """Raise an error for a file that is missing, or longer or shorter; each folder is listed once.

        Web servers list no folders; there, files are checked when they are read.

        Raises:
            CorpusError: there is one.
        """
        if self.name.startswith(("http://", "https://")):
            return
        sizes: dict[str, int | None] = {}
        for folder in {str(PurePosixPath(name).parent) for name in files}:
            with _one_error(self.name, folder):
                listing = self._files.ls(f"{self._root}/{folder}", detail=True)
            sizes |= {f"{folder}/{_last_part(item['name'])}": item.get("size") for item in listing}
        for name, info in files.items():
            if name not in sizes:
                raise CorpusError(f"corpus {self.name}", f"the file {name}", "no such file", COPY_AGAIN)
            if (size := sizes[name]) is not None:
                _check_size(self.name, name, info, size)

    def __getstate__(self) -> dict[str, Any]:
        return {"name": self.name, "cache": self.cache, "cache_bytes": self.cache_bytes}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    def _open(self) -> None:
        fsspec = import_optional("fsspec.core", "headmotion[remote]", f"corpus {self.name}", CorpusError)
        try:
            self._files, self._root = fsspec.url_to_fs(self.name)
        except (ImportError, ValueError) as error:  # a protocol that needs another package, or an unknown one
            reason = " ".join(str(error).split())
            raise CorpusError(f"corpus {self.name}", "an address that fsspec can open", reason) from None

    def _make_room(self, size: int) -> None:
        """Remove the copies that were not used for longest, until one of ``size`` fits."""
        if self.cache_bytes is None:
            return
        copies = []
        for path in self.cache.glob("??/*"):
            with contextlib.suppress(OSError):  # removed by another process
                copies.append((path.stat().st_mtime, path.stat().st_size, path))
        excess = sum(copy[1] for copy in copies) + size - self.cache_bytes
        for _, copy_size, path in sorted(copies):
            if excess <= 0:
                break
            with contextlib.suppress(OSError):  # Windows keeps files that are mapped
                path.unlink()
                excess -= copy_size


def corpus_files(
    path: str | os.PathLike[str], cache: str | os.PathLike[str] | None = None, cache_bytes: int | None = None
) -> CorpusFiles:
    """Return the files of the corpus at a path or an address.

    Args:
        path: folder, or an address such as ``s3://bucket/corpus``; ``file://`` is a folder.
        cache: folder of the copies of remote files; None is `CACHE`.
        cache_bytes: see `RemoteFiles`.

    Raises:
        CorpusError: an empty text, or a package is missing.
    """
    text = os.fspath(path)
    if not is_remote(text):
        local = url2pathname(urlsplit(text).path) if text.startswith("file://") else text
        return LocalFiles(as_path(local, "corpus", CorpusError))
    return RemoteFiles(text, Path(CACHE if cache is None else cache).expanduser(), cache_bytes)


def is_remote(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is an address beyond this machine's folders."""
    text = os.fspath(path)
    return _URL.match(text) is not None and not text.startswith("file://")


def _check_size(folder: str, name: str, info: FileInfo, size: int) -> None:
    if size != info.size:
        raise CorpusError(f"corpus {folder}", f"{info.size} bytes in {name}", str(size), COPY_AGAIN)


def _last_part(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


@contextlib.contextmanager
def _one_error(folder: str, name: str) -> Iterator[None]:
    """Turn whatever a remote file system raises into one line."""
    try:
        yield
    except CorpusError:
        raise
    except FileNotFoundError:
        raise CorpusError(f"corpus {folder}", f"the file {name}", "no such file", COPY_AGAIN) from None
    except Exception as error:  # each protocol has errors of its own
        reason = reason_of(error)
        raise CorpusError(f"corpus {folder}", f"to read {name}", reason, "check address, network and rights") from None
