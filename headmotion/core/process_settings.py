"""Settings of the whole process that a plugin may change on its way, and that headmotion's own code relies on."""

from __future__ import annotations

import contextlib
import locale
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, cast


@contextlib.contextmanager
def same_settings() -> Iterator[None]:
    """Put back after the body what it has changed for all other code.

    These are the working folder, to which later paths are relative, the permissions of new files, the limit of
    recursion, the locale, a timer that would end the process, torch's default type and device, and filters that turn
    warnings into errors. Other filters of warnings stay, because libraries set some for themselves when they are
    imported.
    """
    with contextlib.ExitStack() as stack:
        for get, put in _SETTINGS:
            with contextlib.suppress(OSError, ValueError):  # the folder was removed, or the locale is unknown
                stack.callback(_put_back, get, put, get())
        stack.enter_context(_no_new_errors())
        yield


def _put_back(get: Callable[[], Any], put: Callable[[Any], object], before: Any) -> None:
    with contextlib.suppress(OSError, ValueError):
        try:
            is_same = get() == before
        except OSError:  # the body has removed the folder into which it went
            is_same = False
        if not is_same:
            put(before)


@contextlib.contextmanager
def _no_new_errors() -> Iterator[None]:
    """Remove the filters that turn warnings into errors which the body has added."""
    before = list(warnings.filters)
    try:
        yield
    finally:
        # In place: `warnings.catch_warnings` would forget which warnings have been shown, and show them again.
        filters = cast("list[Any]", warnings.filters)
        filters[:] = [each for each in filters if each[0] != "error" or each in before]


def _has_timer() -> bool:
    return hasattr(signal, "getitimer") and signal.getitimer(signal.ITIMER_REAL)[0] > 0


def _set_timer(on: bool) -> None:
    if not on:  # one that the program itself has set cannot be wound back
        signal.setitimer(signal.ITIMER_REAL, 0)


def _umask() -> int:
    os.umask(mask := os.umask(0o077))  # it can only be read by being set
    return mask


def _torch_defaults() -> tuple[Any, str] | None:
    """Return torch's default type and device; None if it has its own, or was not imported yet."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    defaults = torch.get_default_dtype(), str(torch.get_default_device())
    return None if defaults == (torch.float32, "cpu") else defaults


def _set_torch_defaults(defaults: tuple[Any, str] | None) -> None:
    torch = sys.modules["torch"]
    dtype, device = defaults or (torch.float32, None)
    torch.set_default_dtype(dtype)
    torch.set_default_device(device)


_SETTINGS: tuple[tuple[Callable[[], Any], Callable[[Any], object]], ...] = (
    (os.getcwd, os.chdir),
    (_umask, os.umask),
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (lambda: locale.setlocale(locale.LC_ALL), lambda name: locale.setlocale(locale.LC_ALL, name)),
    (_has_timer, _set_timer),
    (_torch_defaults, _set_torch_defaults),
)
"""How each setting is read, and set."""
