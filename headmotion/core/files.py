"""Outputs that appear complete under their final name or not at all, and inputs that are regular files."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import stat
import time
import zipfile
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path, PureWindowsPath

from .errors import one_line
from .locks import REMOVES_OPEN_FILES, try_lock
from .temporary_paths import temporary_path

_RETRY_WAITS_S = (0.05, 0.1, 0.2, 0.4, 0.8)


@contextlib.contextmanager
def atomic_output(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path next to ``path`` with the same suffix.

    The file is moved to ``path`` on success and removed on any failure.

    Raises:
        OSError: the folder cannot be made or written, or ``path`` is a device or pipe.
    """
    target = Path(path).absolute()  # otherwise FFmpeg would take "http:a/b.mp4" for an address
    require_no_device(target)
    with parent_folder(target), temporary_path(target) as (temporary, lock), _naming_target(temporary, target):
        temporary.touch(exist_ok=False)
        try:
            yield temporary
            with temporary.open("rb+") as stream:
                os.fsync(stream.fileno())
            _publish(temporary, target, lock)
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
    with _locked_folder(target) as (temporary, lock), _naming_target(temporary, target):
        yield temporary
        with contextlib.suppress(FileNotFoundError):
            target.rmdir()  # fails unless it is empty
        _publish(temporary, target, lock)


@contextlib.contextmanager
def temporary_folder(target: Path) -> Iterator[Path]:
    """Yield a new hidden folder next to ``target``; it is removed with its files in the end.

    Raises:
        OSError: the folder cannot be made.
    """
    with _locked_folder(target) as (temporary, _):
        yield temporary


@contextlib.contextmanager
def _locked_folder(target: Path) -> Iterator[tuple[Path, Path]]:
    """Yield a new hidden folder next to ``target``, and its lock; it is removed with its files in the end."""
    with parent_folder(target), temporary_path(target) as (temporary, lock):
        temporary.mkdir()
        try:
            yield temporary, lock
        finally:
            with contextlib.suppress(OSError):  # it may have been moved
                remove_folder(temporary)


@contextlib.contextmanager
def naming_file(path: Path) -> Iterator[None]:
    """Add a path to errors of the system that name none, such as that of a full disk, which a write raises.

    Raises:
        OSError: the body did.
    """
    try:
        yield
    except OSError as error:
        if type(error) is not OSError or error.filename is not None or error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextlib.contextmanager
def _naming_target(temporary: Path, target: Path) -> Iterator[None]:
    """Name the path that an output will have in errors of the system, in place of its temporary one.

    Raises:
        OSError: the body did.
    """
    try:
        yield
    except OSError as error:
        path = error.filename
        if not isinstance(path, str) or error.errno is None or not Path(path).is_relative_to(temporary):
            raise
        named = target / Path(path).relative_to(temporary)
        raise OSError(error.errno, error.strerror, str(named)) from error


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


def require_no_device(target: Path) -> None:
    """Raise an OSError where an output is a device, a pipe or a link to one, such as /dev/stdout.

    A file that appears whole takes the place of what had its name, so the device would be gone.
    """
    try:
        mode = target.stat().st_mode
    except (OSError, ValueError):  # nothing there; what else is wrong with the name shows when it is written
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "A device or pipe, in whose place no file is put", str(target))


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


def has_hole(path: str | os.PathLike[str], min_bytes: int) -> bool:
    """Return whether so many bytes in a row of a file were never written, as in an unfinished download.

    Such a file may be of terabytes and take kilobytes on the disk. False where the system cannot tell.
    """
    if not hasattr(os, "SEEK_DATA"):
        return False
    with open_regular(path) as stream:
        end, start = os.fstat(stream.fileno()).st_size, 0
        while end - start >= min_bytes:
            hole = os.lseek(stream.fileno(), start, os.SEEK_HOLE)
            try:
                start = os.lseek(stream.fileno(), hole, os.SEEK_DATA)
            except OSError:  # nothing is written behind the hole
                start = end
            if start - hole >= min_bytes:
                return True
    return False


def is_inside(name: str) -> bool:
    """Return whether a name from a file, taken as a path on any system, stays within the folder of that file."""
    parts = name.replace("\\", "/").split("/")
    # Windows: "C:x" is a path on another drive. It is checked on every system, because files travel.
    return "\0" not in name and not PureWindowsPath(name).anchor and not any(part in ("", ".", "..") for part in parts)


def reason_of(error: BaseException) -> str:
    """Return why a file could not be read, without the path, which callers know, and without a Python class name."""
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror
    elif isinstance(error, UnicodeDecodeError):
        text = "text that is not UTF-8"
    elif isinstance(error, json.JSONDecodeError):
        text = f"no JSON from line {error.lineno}, letter {error.colno} on" if error.doc else "an empty file"
    elif isinstance(error, zipfile.BadZipFile):
        text = "no zip archive, as an .npz is" if "not a zip" in str(error) else str(error)
    elif isinstance(error, MemoryError):
        text = "not enough memory"
    elif isinstance(error, RecursionError):
        text = "values nested too deep"
    elif isinstance(error, KeyError):
        text = f"no {error.args[0]!r}" if error.args else "a name that is missing"
    else:
        text = str(error) or "damaged"
    return one_line(text)


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


def _publish(temporary: Path, target: Path, lock: Path) -> None:
    """Move what is complete to its final name, so that a process which is killed afterwards leaves nothing."""
    if not REMOVES_OPEN_FILES:
        replace(temporary, target)
        return
    descriptor = os.open(temporary, os.O_RDONLY)
    try:
        # Nothing replaces it any more, so it is locked itself, and its lock can go before it is moved.
        with contextlib.suppress(OSError):  # a file system without locks
            if try_lock(descriptor):
                lock.unlink()
        replace(temporary, target)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def parent_folder(target: Path) -> Iterator[None]:
    """Make the folder of ``target`` if necessary; folders that were made are removed on any failure."""
    missing = [folder for folder in target.parents if not folder.exists()]
    try:
        with naming_file(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            yield
    except BaseException:
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()  # fails if another process has written into it
        raise
