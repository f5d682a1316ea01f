"""The files of a corpus, wherever they are: in a folder, or anywhere that fsspec reaches, copied as they are needed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ..core.arguments import as_path
from ..core.errors import CorpusError
from ..core.files import read_regular, reason_of, require_regular
from ..core.limits import TEXT_BYTES, limit
from .remote_files import RemoteFiles
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
        info.check_size(self.name, name, size)
        return path

    def check_sizes(self, files: Mapping[str, FileInfo]) -> None:
        """Raise an error for a file that is missing, or longer or shorter; none is opened.

        Raises:
            CorpusError: there is one.
        """
        for name, info in files.items():
            self.path(name, info)


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
