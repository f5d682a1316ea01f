"""Locks on hidden files: they end with the process that holds them, however it ends."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from .errors import HeadmotionError, one_line

REMOVES_OPEN_FILES = sys.platform != "win32"
"""Whether the system moves and removes a file or folder that is open, and opens folders."""


def try_lock(descriptor: int) -> bool:
    """Lock an open file, and return False if another descriptor holds the lock.

    The lock ends when the file is closed, or with the process, however it ends.

    Raises:
        OSError: the file system has no locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # the second on Windows
        return False
    return True


def open_lock(path: Path, output: Path, flags: int = os.O_CREAT) -> int:
    """Open a lock file and return its descriptor; a link is not followed, because the file may be written.

    Args:
        path: the lock file.
        output: named in errors, rather than a hidden file that the user does not know.
        flags: how it is opened, besides for reading and writing.

    Raises:
        HeadmotionError: a link has the name.
        OSError: it cannot be opened.
    """
    if path.is_symlink():
        raise HeadmotionError("lock", f"{path.name} to be a file", f"a link in {path.parent}", "remove it")
    flags |= os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        return os.open(path, flags, 0o666)
    except OSError as error:
        raise OSError(error.errno, f"Cannot be written: {error.strerror}", str(output)) from None


def is_still_there(path: Path, descriptor: int) -> bool:
    """Return whether a path still names the open file, which its former holder may have removed."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def remove_locked(path: Path, descriptor: int) -> None:
    """Remove a lock file that this process holds, and let go of it."""
    # Removed while it is held, because otherwise the lock of the next process that opens it would be removed.
    # Windows does not remove a file that is open; there, the next process finds that its lock is gone.
    if not REMOVES_OPEN_FILES:
        os.close(descriptor)
    try:
        with contextlib.suppress(OSError):
            path.unlink()
    finally:
        if REMOVES_OPEN_FILES:
            os.close(descriptor)


def holder_of(descriptor: int) -> str:
    """Return what a locked file says of who holds it; nothing where the system does not let it be read."""
    try:
        return one_line(os.read(descriptor, 200).decode("utf-8", "replace"))
    except OSError:  # on Windows
        return ""
