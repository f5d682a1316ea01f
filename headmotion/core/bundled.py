"""Files that come with headmotion or a plugin: users give their name, or the path of a file of their own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from .arguments import as_path
from .errors import CheckpointError, did_you_mean
from .plugins import registry


def find_bundled(source: str | os.PathLike[str], bundled: Mapping[str, Path], component: str = "model") -> Path:
    """Return the bundled file of a name, or else the path itself.

    Args:
        source: a name, or the path of a file.
        bundled: files by name.
        component: what is looked for, for the error.

    Raises:
        CheckpointError: neither text nor a path; or no such name, and no file either. It lists the names.
    """
    file = as_path(source, component, CheckpointError)
    name = os.fspath(source)
    if (path := bundled.get(name)) is not None:
        return path
    is_folder = bool(name) and file.is_dir()
    # A path with a suffix is meant as one: that no file is there is said where it is read.
    if not is_folder and (file.suffix or (name and file.exists())):
        return file
    known = ", ".join(sorted(bundled)) or "(none)"
    expected = f"a file or one of the bundled models {known}"
    if is_folder:
        inside = file / f"{component}.safetensors"
        raise CheckpointError(component, expected, f"the folder {name}", f"give {inside}" if inside.exists() else "")
    remedy = "; ".join(filter(None, (did_you_mean(name, bundled), absent_plugin(name))))
    raise CheckpointError(component, expected, repr(name), remedy)


def absent_plugin(name: str) -> str:
    """Return what to do for a name that would be of a plugin which is not loaded; nothing for other names."""
    namespace, slash, _ = name.partition("/")
    if not slash or not namespace or Path(namespace).exists():  # no name, or a path
        return ""
    remedy = registry().absent(namespace)
    return f"for what a plugin carries, {remedy}" if remedy else ""
