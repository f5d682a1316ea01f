"""Atomic output: a file or folder appears complete under its final name, or not at all."""

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
    """Yield a temporary path next to ``path`` with the same suffix.

    The file is moved to ``path`` on success and removed on any failure.

    Raises:
        OSError: the folder cannot be made or written.
    """
    target = Path(path).absolute()  # otherwise FFmpeg would take "http:a/b.mp4" for an address
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
    """Yield a temporary folder next to ``path``, moved to ``path`` on success and removed on any failure.

    Raises:
        OSError: the folder cannot be made, or ``path`` exists and is not an empty folder.
    """
    target = Path(path).absolute()
    with temporary_folder(target) as temporary:
        yield temporary
        with contextlib.suppress(FileNotFoundError):
            target.rmdir()  # fails unless it is empty
        temporary.rename(target)


@contextlib.contextmanager
def temporary_folder(beside: Path) -> Iterator[Path]:
    """Yield a new hidden folder beside the path ``beside``; it is removed with its files in the end.

    Raises:
        OSError: the folder cannot be made.
    """
    with _folder_for(beside):
        temporary = _temporary_for(beside)
        temporary.mkdir()
        try:
            yield temporary
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _temporary_for(target: Path) -> Path:
    """Return a new hidden path next to ``target``; leftovers of processes that were killed are removed."""
    # Machine and name are hashed: a name may be too long for a prefix, and a folder may be shared by machines.
    prefix = "." + hashlib.sha256(f"{platform.node()} {target.name}".encode(errors="replace")).hexdigest()[:16]
    for old in target.parent.glob(f"{prefix}-*-*{glob.escape(target.suffix)}"):
        process = old.name.split("-")[1]
        if process.isdecimal() and not _alive(int(process)):
            shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink(missing_ok=True)
    return target.parent / f"{prefix}-{os.getpid()}-{secrets.token_hex(4)}{target.suffix}"


def _alive(process: int) -> bool:
    """Return whether a process of this machine is running; True where that cannot be determined."""
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
    """Make the folder of ``target`` if necessary; folders that were made are removed on any failure."""
    missing = [folder for folder in target.parents if not folder.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()  # fails if another process has written into it
        raise
