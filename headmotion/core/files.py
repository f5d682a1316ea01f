"""Files appear whole under their final name, or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def atomic_output(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside ``path`` with the same suffix; moved to ``path`` on success, removed on any failure.

    Raises:
        OSError: the folder cannot be made or written.
    """
    target = Path(path).absolute()  # else FFmpeg would take "http:a/b.mp4" for an address
    with _folder_for(target):
        temporary = target.parent / f".{secrets.token_hex(8)}{target.suffix}"
        temporary.touch(exist_ok=False)
        try:
            yield temporary
            with temporary.open("rb+") as stream:
                os.fsync(stream.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary folder beside ``path``; moved to ``path`` on success, removed with its files on any failure.

    Raises:
        OSError: the folder cannot be made, or ``path`` is there already and no empty folder.
    """
    target = Path(path).absolute()
    with _folder_for(target):
        temporary = target.parent / f".{secrets.token_hex(8)}"
        temporary.mkdir()
        try:
            yield temporary
            with contextlib.suppress(FileNotFoundError):
                target.rmdir()  # fails unless it is empty
            temporary.rename(target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


@contextlib.contextmanager
def _folder_for(target: Path) -> Iterator[None]:
    """The folder of ``target``, made if need be; what was made goes again on any failure."""
    missing = [folder for folder in target.parents if not folder.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()  # fails if somebody else has put something there
        raise
