"""Atomic output: a file or folder appears complete under its final name, or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import platform
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path, PureWindowsPath

from .errors import HeadmotionError, one_line

# Hidden names. Temporary paths have a random hexadecimal number and a suffix, locks the same number.
_TEMPORARY, _LOCK = ".headmotion-", ".headmotion-lock-"
_CLAIM = ".headmotion-claim"
_RETRY_WAITS_S = (0.05, 0.1, 0.2, 0.4, 0.8)


@contextlib.contextmanager
def atomic_output(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path next to ``path`` with the same suffix.

    The file is moved to ``path`` on success and removed on any failure.

    Raises:
        OSError: the folder cannot be made or written.
    """
    target = Path(path).absolute()  # otherwise FFmpeg would take "http:a/b.mp4" for an address
    with _folder_for(target), _temporary_for(target) as temporary:
        temporary.touch(exist_ok=False)
        try:
            yield temporary
            with temporary.open("rb+") as stream:
                os.fsync(stream.fileno())
            replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                retry_while_open(lambda: temporary.unlink(missing_ok=True), temporary)
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
        replace(temporary, target)


@contextlib.contextmanager
def temporary_folder(target: Path) -> Iterator[Path]:
    """Yield a new hidden folder next to ``target``; it is removed with its files in the end.

    Raises:
        OSError: the folder cannot be made.
    """
    with _folder_for(target), _temporary_for(target) as temporary:
        temporary.mkdir()
        try:
            yield temporary
        finally:
            with contextlib.suppress(OSError):  # it may have been moved
                remove_folder(temporary)


@contextlib.contextmanager
def claimed_folder(folder: Path) -> Iterator[None]:
    """Make a folder, if necessary, and keep other processes from claiming it while the body lasts.

    The claim is a lock on a hidden file, which says who holds it. The system ends it with the process.

    Raises:
        HeadmotionError: another process, or another call in this one, holds it.
        OSError: the folder cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _claim(folder / _CLAIM, "folder", folder):
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
    with _folder_for(target), _claim(target.parent / f"{_CLAIM}-{name}", "output", Path(path)):
        yield


@contextlib.contextmanager
def _claim(path: Path, kind: str, claimed: Path) -> Iterator[None]:
    """Hold the lock of a hidden file that says who holds it; ``kind`` and ``claimed`` are for the error."""
    while True:
        with _naming(claimed):
            descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
        try:
            locked = try_lock(descriptor)
        except OSError:  # a file system without locks
            locked = True
        if not locked:
            holder = ""
            with contextlib.suppress(OSError):  # on Windows a locked file cannot be read
                holder = one_line(os.read(descriptor, 200).decode("utf-8", "replace"))
            os.close(descriptor)
            got = f"{claimed}, which {holder or 'another process'} is writing"
            raise HeadmotionError(kind, "one that no other process writes", got, "wait, or choose another")
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                break
        os.close(descriptor)  # its former holder has just removed it
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {platform.node()}".encode())
        yield
    finally:
        _remove_lock(path, descriptor)


def open_regular(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a regular file, or a link to one, for reading bytes.

    From a pipe or a device reading might never end, and opening a pipe alone waits for its writer.

    Raises:
        OSError: the file cannot be opened, or is not a regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            raise OSError(errno.EINVAL, "A folder" if is_folder else "A device or pipe, not a file", os.fspath(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def require_regular(path: str | os.PathLike[str]) -> None:
    """Raise an OSError for anything but a regular file; for libraries that open a path themselves."""
    open_regular(path).close()


def read_regular(path: str | os.PathLike[str], max_bytes: int | None = None) -> bytes:
    """Read a regular file whole; see `open_regular`.

    Args:
        path: the file.
        max_bytes: size above which it is refused before it is read.

    Raises:
        OSError: the file cannot be read, is not a regular file, or is too large.
    """
    with open_regular(path) as stream:
        if max_bytes is not None and os.fstat(stream.fileno()).st_size > max_bytes:
            raise OSError(errno.EFBIG, f"More than {max_bytes:,} bytes", os.fspath(path))
        return stream.read()


def is_inside(name: str) -> bool:
    """Return whether a name from a file, taken as a path on any system, stays within the folder of that file."""
    parts = name.replace("\\", "/").split("/")
    # Windows: "C:x" is a path on another drive. It is checked on every system, because files travel.
    return not PureWindowsPath(name).anchor and not any(part in ("", ".", "..") for part in parts)


def reason_of(error: BaseException) -> str:
    """Return why a file could not be read, without the path, which callers know, and without a Python class name."""
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror
    elif isinstance(error, UnicodeDecodeError):
        text = "text that is not UTF-8"
    elif isinstance(error, MemoryError):
        text = "not enough memory"
    elif isinstance(error, RecursionError):
        text = "values nested too deep"
    elif isinstance(error, KeyError):
        text = f"no {error.args[0]!r}" if error.args else "a name that is missing"
    else:
        text = str(error) or "damaged"
    return one_line(text)[:160]


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file that has the same bytes on every system."""
    path.write_text(text, "utf-8", "strict", "\n")


def replace(source: Path, target: Path) -> None:
    """Move a file over ``target``, or a folder to a name that is free or an empty folder; see `retry_while_open`.

    Raises:
        OSError: it cannot be moved.
    """
    retry_while_open(lambda: source.replace(target), target)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it; see `retry_while_open`.

    Raises:
        OSError: something in it cannot be removed.
    """
    retry_while_open(lambda: shutil.rmtree(folder), folder)


def retry_while_open(action: Callable[[], object], path: Path) -> None:
    """Do ``action``, and repeat it for up to 1.5 seconds while the system refuses it.

    Windows does not replace, rename or remove a file that another program has open, such as a viewer or a scanner.

    Args:
        action: what to do.
        path: named in the error.

    Raises:
        PermissionError: still refused.
    """
    for seconds in _RETRY_WAITS_S:
        with contextlib.suppress(PermissionError):
            action()
            return
        time.sleep(seconds)
    try:
        action()
    except PermissionError as error:
        raise PermissionError(error.errno, "No permission, or another program has it open", str(path)) from None


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


@contextlib.contextmanager
def _temporary_for(target: Path) -> Iterator[Path]:
    """Yield a new hidden path next to ``target``; leftovers of processes that were killed are removed.

    While the context lasts, a lock says that the path is in use. A process number would not do: those of containers
    and of machines that share a folder overlap. The lock is held on a file of its own, because a writer may replace
    the temporary file, and Windows neither moves a file that is open nor opens a folder.
    """
    remove_leftovers(target.parent)
    lock, descriptor = _new_lock(target)
    temporary = target.parent / f"{_TEMPORARY}{lock.name.removeprefix(_LOCK)}{target.suffix}"
    try:
        yield temporary
    finally:
        if temporary.exists():  # it could not be removed: a leftover for the next output
            os.close(descriptor)
        else:
            _remove_lock(lock, descriptor)


def _new_lock(target: Path) -> tuple[Path, int]:
    """Make a lock file with a new name next to ``target``, and return it with its descriptor."""
    while True:
        lock = target.parent / f"{_LOCK}{secrets.token_hex(8)}"
        with _naming(target):
            descriptor = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        try:
            # Between the two lines above and the next, another process may take the file for a leftover.
            if try_lock(descriptor) and lock.exists():
                return lock, descriptor
        except OSError:  # a file system without locks, where nothing is ever taken for a leftover
            return lock, descriptor
        _remove_lock(lock, descriptor)


@contextlib.contextmanager
def _naming(output: Path) -> Iterator[None]:
    """Let an error of the system name the output, rather than a hidden file that the user does not know."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, f"Cannot be written: {error.strerror}", str(output)) from None


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files and folders whose lock no process holds."""
    for lock in folder.glob(f"{_LOCK}*"):
        with contextlib.suppress(OSError):  # gone by now, of another user, or a file system without locks
            descriptor = os.open(lock, os.O_RDWR)
            try:
                if not try_lock(descriptor):
                    continue
                for path in folder.glob(f"{_TEMPORARY}{lock.name.removeprefix(_LOCK)}*"):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            finally:
                os.close(descriptor)
            lock.unlink()


def _remove_lock(lock: Path, descriptor: int) -> None:
    os.close(descriptor)  # first, because Windows does not remove a file that is open
    with contextlib.suppress(OSError):
        lock.unlink()


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
