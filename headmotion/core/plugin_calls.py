"""Running a plugin's code: any failure in it becomes a `PluginError`, and the caller continues."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from .errors import PluginError, describe
from .process_settings import same_settings

EXCLUDE_VARIABLE = "HEADMOTION_PLUGINS_OFF"
"""Environment variable with third-party plugins that are not loaded, separated by commas."""
PATIENCE_SECONDS = 5.0
"""A plugin whose code takes longer is named in a warning."""
_STREAMS = ("__stdout__", "__stderr__", "stdout", "stderr")

_log = logging.getLogger("headmotion")


@contextlib.contextmanager
def running_plugin(plugin: str, activity: str, warn: bool = True) -> Iterator[None]:
    """Run a plugin's code in the body.

    What it prints goes to standard error, because standard output holds results. If it takes long, a warning names it.
    What it changes for all other code, such as the working folder, is put back (`same_settings`).

    Args:
        plugin: the plugin's name.
        activity: what it does, such as ``loading`` or the name of a hook.
        warn: whether it is named if it takes long; headmotion's own plugins cannot be left out.

    Raises:
        PluginError: the body raised anything, be it ``SystemExit``, or closed a standard stream.
        KeyboardInterrupt: the user pressed Ctrl+C; one that the plugin raises itself is a `PluginError`.
    """
    warning = _warning_if_slow(plugin, activity) if warn else contextlib.nullcontext()
    with warning, same_settings(), _noting_signals() as received:
        try:
            with streams_left_open(plugin), contextlib.redirect_stdout(sys.stderr):
                yield
        except PluginError:
            raise
        except BaseException as error:
            if received:  # its handler raised this, not the plugin
                raise
            raise PluginError(f"plugin {plugin}", f"{activity} to succeed", describe(error)) from error


@contextlib.contextmanager
def streams_left_open(plugin: str) -> Iterator[None]:
    """Open the standard streams again that a plugin's code closes in the body, because all other code needs them.

    Raises:
        PluginError: it has closed one.
    """
    numbers = {}
    for name in _STREAMS:
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed before, or no file
            numbers[name] = getattr(sys, name).fileno()
    closed = []
    try:
        yield
    finally:
        for name, number in numbers.items():
            if (stream := getattr(sys, name)) is not None and stream.closed:
                setattr(sys, name, _reopened(number, stream.encoding, stream.errors))
                closed.append(name)
    if closed:
        raise PluginError(f"plugin {plugin}", "standard output and error to be left open", f"a closed sys.{closed[-1]}")


def _reopened(number: int, encoding: str, errors: str) -> TextIO:
    """Return a stream to a descriptor, which Python leaves open when it closes a standard stream."""
    try:
        return open(number, "w", 1, encoding, errors, closefd=False)
    except OSError:  # it was another stream, whose descriptor has gone
        return Path(os.devnull).open("w", encoding=encoding)


@contextlib.contextmanager
def output_to_stderr() -> Iterator[None]:
    """Send what child processes and libraries in C write to standard output to standard error during the body."""
    try:
        sys.stdout.flush()
        saved = os.dup(1)
    except (OSError, ValueError, AttributeError):  # there is no standard output
        yield
        return
    try:
        with contextlib.suppress(OSError):
            os.dup2(2, 1)
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)


@contextlib.contextmanager
def _warning_if_slow(plugin: str, activity: str) -> Iterator[None]:
    text = "plugin %s: %s takes more than %g seconds; %s=%s leaves the plugin out"
    arguments = plugin, activity, PATIENCE_SECONDS, EXCLUDE_VARIABLE, plugin
    timer = threading.Timer(PATIENCE_SECONDS, _log.warning, (text, *arguments))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def _noting_signals() -> Iterator[list[int]]:
    """Yield a list that receives the signals which the program's own handlers are called for during the body."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # signals reach the main thread only
        yield received
        return
    replaced = []
    for number in (signal.SIGINT, signal.SIGTERM):
        if callable(previous := signal.getsignal(number)):

            def note(number: int, frame: FrameType | None, previous: Any = previous) -> None:
                received.append(number)
                previous(number, frame)

            signal.signal(number, note)
            replaced.append((number, note, previous))
    try:
        yield received
    finally:
        for number, note, previous in replaced:
            if signal.getsignal(number) is note:  # else the plugin has set one of its own
                signal.signal(number, previous)
