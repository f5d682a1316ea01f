"""Hidden temporary paths, each with a lock, so that what a killed process has left is found and removed."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from .errors import HeadmotionError
from .locks import REMOVES_OPEN_FILES, is_still_there, open_lock, remove_locked, try_lock

# Hidden names. Temporary paths have a random hexadecimal number and a suffix, locks the same number.
_TEMPORARY, _LOCK = ".headmotion-", ".headmotion-lock-"
_NUMBERED = re.compile(rf"{re.escape(_TEMPORARY)}([0-9a-f]{{16}})(\..*)?", re.DOTALL)
CLAIM = ".headmotion-claim"
"""Beginning of the names of claims; see `claims`."""


@contextlib.contextmanager
def temporary_path(target: Path) -> Iterator[tuple[Path, Path]]:
    """Yield a new hidden path next to ``target``, and its lock; leftovers of processes that were killed are removed.

    While the context lasts, a lock says that the path is in use. A process number would not do: those of containers
    and of machines that share a folder overlap. The lock is held on a file of its own, because a writer may replace
    the temporary file, and Windows neither moves a file that is open nor opens a folder.
    """
    remove_leftovers(target.parent)
    lock, descriptor = _new_lock(target)
    temporary = target.parent / f"{_TEMPORARY}{lock.name.removeprefix(_LOCK)}{target.suffix}"
    try:
        yield temporary, lock
    finally:
        if temporary.exists():  # it could not be removed: a leftover for the next output
            os.close(descriptor)
        else:
            remove_locked(lock, descriptor)


def _new_lock(target: Path) -> tuple[Path, int]:
    """Make a lock file with a new name next to ``target``, and return it with its descriptor."""
    while True:
        lock = target.parent / f"{_LOCK}{secrets.token_hex(8)}"
        descriptor = open_lock(lock, target, os.O_CREAT | os.O_EXCL)
        try:
            # Between the two lines above and the next, another process may take the file for a leftover.
            if try_lock(descriptor) and lock.exists():
                return lock, descriptor
        except OSError:  # a file system without locks, where nothing is ever taken for a leftover
            return lock, descriptor
        remove_locked(lock, descriptor)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files and folders whose lock no process holds, and claims of processes that ended."""
    paths = list(folder.glob(f"{_TEMPORARY}*"))
    for path in paths:
        if path.name.startswith(_LOCK):
            with _abandoned(path) as is_abandoned:
                for temporary in folder.glob(f"{_TEMPORARY}{path.name.removeprefix(_LOCK)}*") if is_abandoned else ():
                    _remove(temporary)
        elif path.name.startswith(CLAIM):
            with _abandoned(path):
                pass
        elif REMOVES_OPEN_FILES and (match := _NUMBERED.fullmatch(path.name)):
            _remove_unless_locked(path, folder / f"{_LOCK}{match[1]}")


@contextlib.contextmanager
def _abandoned(lock: Path) -> Iterator[bool]:
    """Yield whether no process holds a lock file, which is then removed in the end."""
    try:
        descriptor = open_lock(lock, lock, 0)
    except (OSError, HeadmotionError):  # gone by now, of another user, or not of ours
        yield False
        return
    abandoned = False
    with contextlib.suppress(OSError):  # a file system without locks
        abandoned = try_lock(descriptor) and is_still_there(lock, descriptor)
    try:
        yield abandoned
    except OSError:  # it could not be removed: the lock stays for the next try
        abandoned = False
    if abandoned:
        remove_locked(lock, descriptor)
    else:
        os.close(descriptor)


def _remove_unless_locked(temporary: Path, lock: Path) -> None:
    """Remove a temporary path without a lock of its own, which was killed before it was moved, unless it is locked."""
    if lock.exists():
        return
    with contextlib.suppress(OSError):  # moved by now, of another user, or a file system without locks
        descriptor = os.open(temporary, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if try_lock(descriptor):
                _remove(temporary)
        finally:
            os.close(descriptor)


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
