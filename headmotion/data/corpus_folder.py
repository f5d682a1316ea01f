"""The folder of a new corpus: one writer at a time, which overwrites and removes nothing but its own files."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..core.errors import CorpusError
from ..core.files import is_inside, read_regular, remove_folder, retry_while_open, temporary_folder, write_text
from ..core.limits import TEXT_BYTES, limit
from ..core.locks import try_lock
from ..core.temporary_paths import remove_leftovers

PUBLISHING = ".headmotion-publishing"
"""Lists the names that are being published, while they are; what a killed process has published is removed by it."""
PATIENCE_S = 2.0
"""How long a claimed folder is waited for. The claim of a killed process lasts until a worker that it was just starting
has become a program of its own."""


@contextlib.contextmanager
def claim_folder(folder: Path) -> Iterator[None]:
    """Make ``folder`` if need be, and keep other writers of corpora out of it until the context ends.

    On a failure the folders that were made are removed again if they are empty. The claim ends with the process,
    however it ends; its temporary files, and what it had published by then if not all, are removed when the folder is
    claimed again.

    Raises:
        CorpusError: another process has claimed the folder.
        OSError: the folder cannot be made.
    """
    created: list[Path] = []
    try:
        # One by one, so that it is known which of them this process has made.
        for path in reversed((folder, *folder.parents)):
            with contextlib.suppress(FileExistsError):
                if not path.is_dir():
                    path.mkdir()
                    created.append(path)
        with _lock(folder):
            _undo_unfinished(folder)
            remove_leftovers(folder)
            yield
    except BaseException:
        for path in reversed(created):
            with contextlib.suppress(OSError):
                path.rmdir()  # fails unless it is empty
        raise


@contextlib.contextmanager
def new_files(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder inside ``folder`` in which to write a corpus before `publish`.

    Raises:
        CorpusError: the temporary folder was removed by another process.
        OSError: it cannot be written.
    """
    with temporary_folder(folder / "corpus") as temporary:
        try:
            yield temporary
        except FileNotFoundError as error:
            if not str(error.filename).startswith(str(temporary)):
                raise
            expected = f"{folder} to keep its files while it is written"
            raise CorpusError("corpus", expected, "files that were removed", "write the corpus again") from None


def publish(temporary: Path, folder: Path, names: Iterable[str]) -> None:
    """Move finished files and folders into ``folder`` under names that are free: all of them, or none.

    Args:
        temporary: folder that holds them, on the same file system.
        folder: the corpus folder.
        names: in the order in which they appear; the last one makes the corpus complete.

    Raises:
        CorpusError: a name is taken. What has it stays as it is.
        OSError: a file is missing, or the folder cannot be written.
    """
    moved: list[Path] = []
    names = list(names)
    mark = folder / PUBLISHING
    try:
        for name in names:
            _sync(temporary / name)
            if os.path.lexists(folder / name):  # before the mark says that what has the name is ours
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder / name))
        write_text(mark, json.dumps(names))
        for name in names:
            _move_to_free_name(temporary / name, folder / name)
            moved.append(folder / name)
    except BaseException as error:
        for path in moved:
            remove(path)
        remove(mark)
        if isinstance(error, OSError) and error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise taken(folder, f"holds {name} of another corpus") from None
        raise
    remove(mark)


def _undo_unfinished(folder: Path) -> None:
    """Remove what a process that was killed in `publish` had moved, unless it had moved all."""
    mark = folder / PUBLISHING
    try:
        names = json.loads(read_regular(mark, limit(TEXT_BYTES)))
    except (OSError, ValueError):  # there is none, or it was being written, so that nothing was moved
        names = []
    if isinstance(names, list) and names and all(isinstance(name, str) and is_inside(name) for name in names):
        for name in [] if (folder / names[-1]).exists() else names:
            remove(folder / name)
    remove(mark)


def taken(folder: Path, what: str = "is a corpus already") -> CorpusError:
    """Return the error for a folder that is not free for a new corpus."""
    remedy = "choose another name, or remove that folder"
    return CorpusError("corpus", "a new folder", f"{folder}, which {what}", remedy)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it; nothing happens if it is not there."""
    if path.is_dir() and not path.is_symlink():
        remove_folder(path)
    else:
        retry_while_open(lambda: path.unlink(missing_ok=True), path)


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    if sys.platform == "win32":  # a folder cannot be opened there; only `publish` keeps corpora apart
        yield
        return
    # A lock on the folder itself leaves no file behind, and the system releases it when the process dies.
    # The lock is on an open file, so it also keeps two calls within one process apart.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if not _lock_within(descriptor, PATIENCE_S):
            got = f"{folder}, which another process is writing"
            remedy = "wait until it has finished, or choose another name"
            raise CorpusError("corpus", "a folder of its own", got, remedy)
        yield
    finally:
        os.close(descriptor)


def _lock_within(descriptor: int, seconds: float) -> bool:
    """Lock an open file; return whether that succeeded within some time."""
    give_up_at = time.monotonic() + seconds
    try:
        while not try_lock(descriptor):
            if time.monotonic() > give_up_at:
                return False
            time.sleep(0.05)
    except OSError:  # a file system without locks
        pass
    return True


def _move_to_free_name(source: Path, target: Path) -> None:
    """Move a file or folder, and raise FileExistsError or ENOTEMPTY instead of replacing what is there."""
    if source.is_dir():
        retry_while_open(lambda: source.rename(target), target)  # fails if the target holds anything
        return
    try:
        os.link(source, target)  # unlike a rename, this never replaces a file
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        retry_while_open(lambda: source.rename(target), target)
    else:
        retry_while_open(source.unlink, source)


def _sync(path: Path) -> None:
    """Force files onto the disk, before a name says that they are complete."""
    for file in path.iterdir() if path.is_dir() else (path,):
        with file.open("rb+") as stream:
            os.fsync(stream.fileno())
