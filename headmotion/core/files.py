"""Files appear whole under their final name, or not at all."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import platform
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
        temporary = _temporary_for(target)
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
        temporary = _temporary_for(target)
        temporary.mkdir()
        try:
            yield temporary
            with contextlib.suppress(FileNotFoundError):
                target.rmdir()  # fails unless it is empty
            temporary.rename(target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def _temporary_for(target: Path) -> Path:
    """A new hidden path beside ``target``; those left there for it by processes that were killed are removed."""
    ours = "." + hashlib.sha256(f"{platform.node()} {target.name}".encode(errors="replace")).hexdigest()[:16]
    for old in target.parent.glob(f"{ours}-*-*{glob.escape(target.suffix)}"):
        process = old.name.split("-")[1]
        if process.isdecimal() and not _alive(int(process)):
            shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink(missing_ok=True)
    return target.parent / f"{ours}-{os.getpid()}-{secrets.token_hex(4)}{target.suffix}"


def _alive(process: int) -> bool:
    """Whether a process of this machine runs; said of all where that cannot be asked."""
    try:
        if os.name == "posix":
            os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return True


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
