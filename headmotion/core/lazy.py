"""Imports that wait: names of a package that are imported on first use, and optional packages with a remedy."""

from __future__ import annotations

import importlib
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from .errors import HeadmotionError


def lazy_names(
    package: str, homes: Mapping[str, str], submodules: Sequence[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for a package whose public names are imported on first use.

    Args:
        package: the package's ``__name__``.
        homes: the module, relative to the package, in which each public name is defined.
        submodules: modules of the package that are public themselves.
    """

    def get(name: str) -> Any:
        if name in submodules:
            return importlib.import_module(f".{name}", package)
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f".{homes[name]}", package), name)

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes, *submodules})

    return get, names


def import_optional(name: str, requirement: str, component: str, error: type[HeadmotionError] = HeadmotionError) -> Any:
    """Import and return a module of a package that need not be installed.

    Args:
        name: the module.
        requirement: what pip has to install, such as ``headmotion[ray]``.
        component: who needs it, for the error.
        error: type of the error.

    Raises:
        HeadmotionError: it is missing or cannot be imported; the message is one line with the remedy.
    """
    try:
        return importlib.import_module(name)
    except Exception as reason:  # an installed package whose own dependencies do not fit fails in its own ways
        is_missing = isinstance(reason, ModuleNotFoundError) and reason.name == name.partition(".")[0]
        got = "none of that name" if is_missing else f"{type(reason).__name__}: {reason}"
        raise error(component, f"the package {name}", got, install_remedy(requirement)) from None


def require_packages(
    names: Sequence[str], requirement: str, component: str, error: type[HeadmotionError] = HeadmotionError
) -> None:
    """Refuse to begin work that needs packages which are not installed; imports none of them.

    Args:
        names: the top-level packages.
        requirement: what pip has to install, such as ``headmotion[report]``.
        component: who needs them, for the error.
        error: type of the error.

    Raises:
        HeadmotionError: one or more are missing; the message is one line with the remedy.
    """
    if missing := [name for name in names if not is_installed(name)]:
        expected = f"the package{'s' if len(names) > 1 else ''} {' and '.join(names)}"
        raise error(component, expected, f"no {' and no '.join(missing)}", install_remedy(requirement))


def is_installed(name: str) -> bool:
    """Return whether a top-level package can be found, without importing it."""
    try:
        return find_spec(name) is not None
    except ValueError:  # an entry of sys.modules without a spec
        return False


def install_remedy(requirement: str) -> str:
    """Return the command that installs a requirement, quoted for a shell."""
    return f"pip install {shlex.quote(requirement)}"
