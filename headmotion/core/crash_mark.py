"""A mark on disk while plugins are loaded, so that after a crash the next start can name the culprit."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from .errors import one_line
from .locks import try_lock
from .plugin_calls import EXCLUDE_VARIABLE

_log = logging.getLogger("headmotion")


@contextlib.contextmanager
def crash_mark() -> Iterator[Callable[[str], None]]:
    """Warn about plugins at which an earlier process ended, then yield a function that takes the plugin to be loaded.

    The mark is a file that holds the plugin's name. It is locked while its process lives, and removed at the end of the
    body. If it cannot be written, there is no mark.
    """
    folder = state_folder() / "loading"
    with contextlib.suppress(OSError):
        _report_crashes(folder)
    try:
        if not folder.is_absolute():
            raise FileNotFoundError("the user has no home")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / secrets.token_hex(8)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try_lock(descriptor)
    except OSError:
        yield lambda plugin: None
        return

    def mark(plugin: str) -> None:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, plugin.encode("utf-8", "replace"))

    try:
        yield mark
    finally:
        mark("")  # another process may read it before it is removed
        os.close(descriptor)
        with contextlib.suppress(OSError):
            path.unlink()


def state_folder() -> Path:
    """Return the user's folder for what headmotion notes between runs; it need not exist."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    else:
        base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(os.path.expanduser(base)) / "headmotion"  # noqa: PTH111 (Path.expanduser fails without a home)


def _report_crashes(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        descriptor = os.open(path, os.O_RDWR)
        try:
            if not try_lock(descriptor):
                continue  # its process lives
            plugin = one_line(os.read(descriptor, 200).decode("utf-8", "replace"))
        finally:
            os.close(descriptor)
        path.unlink()
        if plugin:
            text = "an earlier process ended while it loaded plugin %s; if that was a crash, %s=%s leaves it out"
            _log.warning(text, plugin, EXCLUDE_VARIABLE, plugin)
