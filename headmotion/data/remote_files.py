"""Files of a corpus behind an address, copied whole into a cache folder when they are needed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ..core.errors import CorpusError
from ..core.files import atomic_output, reason_of
from ..core.lazy import import_optional
from .array_file import file_digest
from .shard_header import COPY_AGAIN, FileInfo


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
            info.check_size(self.name, name, temporary.stat().st_size)
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
                info.check_size(self.name, name, size)

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
