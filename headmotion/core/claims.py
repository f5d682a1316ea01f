"""Claims: one process at a time writes a folder or an output; for a second one, an error names the first."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from .errors import HeadmotionError
from .files import parent_folder
from .locks import holder_of, is_still_there, open_lock, remove_locked, try_lock
from .temporary_paths import CLAIM


@contextlib.contextmanager
def claimed_folder(folder: Path) -> Iterator[None]:
    """Make a folder, if necessary, and keep other processes from claiming it while the body lasts.

    The claim is a lock on a hidden file, which says who holds it. The system ends it with the process.

    Raises:
        HeadmotionError: another process, or another call in this one, holds it.
        OSError: the folder cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _claim(folder / CLAIM, "folder", folder):
        yield


@contextlib.contextmanager
def claimed_output(path: str | os.PathLike[str]) -> Iterator[None]:
    """Keep other processes from claiming an output, a file or a folder, while the body lasts.

    Unlike the claim of `claimed_folder` it lies beside the output, which stays free to appear whole in one move.

    Raises:
        HeadmotionError: another process, or another call in this one, holds it.
        OSError: the folder around it cannot be made or written.
    """
    target = Path(path).absolute()
    name = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]  # any name, however long
    with parent_folder(target), _claim(target.parent / f"{CLAIM}-{name}", "output", Path(path)):
        yield


@contextlib.contextmanager
def _claim(path: Path, kind: str, claimed: Path) -> Iterator[None]:
    """Hold the lock of a hidden file that says who holds it; ``kind`` and ``claimed`` are for the error."""
    while True:
        descriptor = open_lock(path, claimed)
        try:
            locked = try_lock(descriptor)
        except OSError:  # a file system without locks
            locked = True
        if not locked:
            holder = holder_of(descriptor) or "another process"
            os.close(descriptor)
            got = f"{claimed}, which {holder} is writing"
            raise HeadmotionError(kind, "one that no other process writes", got, "wait, or choose another")
        if is_still_there(path, descriptor):
            break
        os.close(descriptor)  # its former holder has just removed it
    try:
        with contextlib.suppress(OSError):  # a pipe has no length, and a full disk no room
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"process {os.getpid()} on {platform.node()}".encode())
        yield
    finally:
        remove_locked(path, descriptor)
