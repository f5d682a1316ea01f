"""Settings of the whole process that a plugin may change on its way, and that headmotion's own code relies on."""

from __future__ import annotations

import contextlib
import locale
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

VARIABLES = "HEADMOTION_"
"""Beginning of the variables of the environment that the user sets for headmotion."""
NUMPY_ERRORS = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}


class Setting(NamedTuple):
    """A setting, and how it is read and set."""

    name: str
    """As messages have it."""
    get: Callable[[], Any]
    put: Callable[[Any], object]


def read_settings() -> dict[str, Any]:
    """Return the values of `SETTINGS` by name, without those that cannot be read, as a folder that was removed."""
    values = {}
    for setting in SETTINGS:
        with contextlib.suppress(OSError, ValueError):
            values[setting.name] = setting.get()
    return values


@contextlib.contextmanager
def same_settings() -> Iterator[None]:
    """Put back after the body what it has changed for all other code.

    These are the working folder, to which later paths are relative, the permissions of new files, the limit of
    recursion, the locale, a timer that would end the process, what NumPy does with errors of arithmetic, torch's
    default type and device and whether it tracks gradients, variables of the environment that are headmotion's, and
    filters that turn warnings into errors. Other filters stay, and so do other variables, because libraries set some
    for themselves when they are imported, such as a number of threads or a place where a program is found.
    """
    with contextlib.ExitStack() as stack:
        before = read_settings()
        for setting in SETTINGS:
            if setting.name in before:
                stack.callback(_put_back, setting, before[setting.name])
        stack.enter_context(_no_new_errors())
        yield


@contextlib.contextmanager
def same_random_numbers() -> Iterator[None]:
    """Let the random numbers that the program draws from the global generators not depend on the body."""
    numpy_random, torch = sys.modules.get("numpy.random"), sys.modules.get("torch")
    python_state = random.getstate()
    numpy_state = numpy_random.get_state() if numpy_random else None
    torch_state = torch.get_rng_state() if torch else None
    try:
        yield
    finally:
        random.setstate(python_state)
        if numpy_random:
            numpy_random.set_state(numpy_state)
        if torch:
            torch.set_rng_state(torch_state)


def _put_back(setting: Setting, before: Any) -> None:
    with contextlib.suppress(OSError, ValueError):
        try:
            is_same = setting.get() == before
        except OSError:  # the body has removed the folder into which it went
            is_same = False
        if not is_same:
            setting.put(before)


@contextlib.contextmanager
def _no_new_errors() -> Iterator[None]:
    """Remove the filters that turn warnings into errors which the body has added."""
    before = list(warnings.filters)
    try:
        yield
    finally:
        # In place: `warnings.catch_warnings` would forget which warnings have been shown, and show them again.
        filters = cast("list[Any]", warnings.filters)
        filters[:] = [entry for entry in filters if entry[0] != "error" or entry in before]


def _has_timer() -> bool:
    return hasattr(signal, "getitimer") and signal.getitimer(signal.ITIMER_REAL)[0] > 0


def _set_timer(on: bool) -> None:
    if not on:  # one that the program itself has set cannot be wound back
        signal.setitimer(signal.ITIMER_REAL, 0)


def _umask() -> int:
    os.umask(mask := os.umask(0o077))  # it can only be read by being set
    return mask


def _own_variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(VARIABLES)}


def _set_own_variables(variables: dict[str, str]) -> None:
    for name in _own_variables().keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)


def _numpy_errors() -> dict[str, str]:
    """Return what NumPy does with errors of arithmetic, which is its default if it was not imported yet."""
    numpy = sys.modules.get("numpy")
    return dict(numpy.geterr()) if numpy else NUMPY_ERRORS


def _of_torch(read: Callable[[Any], str | bool], default: str | bool) -> Callable[[], str | bool]:
    """Return what reads a default of torch, which is its own one if torch was not imported yet."""

    def get() -> str | bool:
        torch = sys.modules.get("torch")
        return read(torch) if torch else default

    return get


def _set_torch_dtype(name: str) -> None:
    torch = sys.modules["torch"]
    torch.set_default_dtype(getattr(torch, name.removeprefix("torch.")))


def _set_torch_device(name: str) -> None:
    sys.modules["torch"].set_default_device(None if name == "cpu" else name)


SETTINGS = (
    Setting("the working folder", os.getcwd, os.chdir),
    Setting("the permissions of new files", _umask, os.umask),
    Setting("the limit of recursion", sys.getrecursionlimit, sys.setrecursionlimit),
    Setting("the locale", lambda: locale.setlocale(locale.LC_ALL), lambda name: locale.setlocale(locale.LC_ALL, name)),
    Setting("a timer that ends the process", _has_timer, _set_timer),
    Setting(f"variables of the environment {VARIABLES}...", _own_variables, _set_own_variables),
    Setting(
        "NumPy's handling of arithmetic errors", _numpy_errors, lambda errors: sys.modules["numpy"].seterr(**errors)
    ),
    Setting(
        "torch's default dtype",
        _of_torch(lambda torch: str(torch.get_default_dtype()), "torch.float32"),
        _set_torch_dtype,
    ),
    Setting(
        "torch's default device", _of_torch(lambda torch: str(torch.get_default_device()), "cpu"), _set_torch_device
    ),
    Setting(
        "whether torch tracks gradients",
        _of_torch(lambda torch: bool(torch.is_grad_enabled()), True),
        lambda tracks: sys.modules["torch"].set_grad_enabled(tracks),
    ),
)
"""All of them."""
