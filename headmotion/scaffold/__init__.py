"""Scaffold of new plugins: a package that installs, passes the checks and can be changed step by step."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from string import Template

from .. import __version__
from ..core.errors import PluginError
from ..core.files import atomic_folder, read_regular, write_text
from ..core.plugins import OWN_DISTRIBUTION, registry
from ..core.short_repr import short_repr

_log = logging.getLogger("headmotion")
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
MAX_LENGTH = 60
"""Characters of a name, which becomes part of file names."""


@dataclass(frozen=True)
class Part:
    """The part that a new plugin of a kind starts with."""

    type: str
    """Type of the part, without the plugin's name."""
    spec: str
    """Name of its spec class."""
    summary: str
    """Description of the part, as the beginning of a sentence."""


PARTS: Mapping[str, Part] = {
    "representation": Part("mouth", "MouthSpec", "Six points of a face"),
    "audio_encoder": Part("energy", "EnergySpec", "The energy of speech, step by step"),
    "syncer": Part("flat", "FlatSyncerSpec", "A small syncer"),
    "generator": Part("window", "WindowGeneratorSpec", "A small generator that uses a short window of audio"),
    "discriminator": Part("velocity", "VelocityDiscriminatorSpec", "A discriminator of velocities"),
    "renderer": Part("dots", "DotsSpec", "A renderer of dots"),
    "loss": Part("acceleration", "AccelerationSpec", "A loss on sudden movements"),
    "metric": Part("speed", "SpeedSpec", "A metric of speed"),
    "phase": Part("regression", "RegressionSpec", "A phase that trains a generator by regression"),
    "control": Part("nod", "NodSpec", "A head that nods"),
    "detector": Part("bright-box", "BrightBoxSpec", "A detector of bright areas"),
}
"""Parts by kind."""


def new_plugin(name: str, kind: str, path: str | os.PathLike[str] | None = None) -> Path:
    """Write the package of a new plugin with one part; it appears whole or not at all.

    The same call again finds it, and leaves it as it is.

    Args:
        name: the plugin's name and namespace, such as ``calm``: a letter, then letters (lower case), digits and single
            hyphens.
        kind: kind of its part: ``generator``, ``audio_encoder`` ...
        path: the folder to make; None means ``headmotion-<name>`` in the current folder.

    Returns:
        The folder.

    Raises:
        PluginError: a name that is invalid or taken, an unknown kind, or a folder that exists.
    """
    _check(name, kind)
    folder = Path(f"{OWN_DISTRIBUTION}-{name}") if path is None else Path(path)
    texts = _files(name, kind)
    if _holds_exactly(folder, texts):  # of the same call, which was killed before it could say so
        return folder
    if folder.exists() or folder.is_symlink():
        raise PluginError("new plugin", "a folder that does not exist yet", str(folder), "choose another with --output")
    with atomic_folder(folder) as temporary:
        for relative, text in texts.items():
            target = temporary / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            write_text(target, text)
    _warn_if_installed(f"{OWN_DISTRIBUTION}-{name}")
    return folder


def _warn_if_installed(distribution: str) -> None:
    """Warn if pip will replace a package that is there by the new one, whose name is the same."""
    try:
        installed = version(distribution)
    except PackageNotFoundError:
        return
    message = "%s %s is installed, and installing the new package replaces it; take another name to have both"
    _log.warning(message, distribution, installed)


def _holds_exactly(folder: Path, texts: Mapping[str, str]) -> bool:
    """Return whether a folder holds these files as they were written, and no others."""
    existing = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    if existing.keys() != texts.keys():
        return False
    try:
        return all(read_regular(existing[name]) == text.encode() for name, text in texts.items())
    except OSError:
        return False


def _check(name: str, kind: str) -> None:
    if kind not in PARTS:
        raise PluginError("new plugin", f"a kind among {', '.join(PARTS)}", repr(kind))
    if not NAME.fullmatch(name) or len(name) > MAX_LENGTH:
        expected = (
            f"a letter, then letters (lower case), digits and single hyphens, at most {MAX_LENGTH}, such as 'calm'"
        )
        raise PluginError("new plugin", expected, short_repr(name))
    if name == OWN_DISTRIBUTION or name.startswith(f"{OWN_DISTRIBUTION}-"):
        remedy = f"the distribution will be called {OWN_DISTRIBUTION}-<name>"
        raise PluginError("new plugin", f"a name without {OWN_DISTRIBUTION!r} in front", repr(name), remedy)
    # A plugin that is installed already may be started again in another folder by its own name.
    owners = {record.name: record.dist for record in registry().records}
    if owners.get(name, f"{OWN_DISTRIBUTION}-{name}") != f"{OWN_DISTRIBUTION}-{name}":
        raise PluginError("new plugin", "a name that no other plugin has", f"{name!r}, which is of {owners[name]}")


def _compatible(current: str) -> str:
    """Return the range of versions in which nothing public breaks: a major version, or before 1.0 a minor one."""
    major, minor = (int(number) for number in current.split(".")[:2])
    return f">={major}.{minor},<{f'0.{minor + 1}' if major == 0 else major + 1}"


def _files(name: str, kind: str) -> dict[str, str]:
    """Return the package's files: text by path within its folder."""
    part, templates = PARTS[kind], files(__package__) / "templates"
    module = f"{OWN_DISTRIBUTION}_{name.replace('-', '_')}"
    words = {"name": name, "module": module, "kind": kind, "type": part.type, "spec": part.spec}
    words["versions"] = _compatible(__version__)

    def fill(folder: str, file: str, **more: str) -> str:
        return Template((templates / folder / file).read_text("utf-8")).substitute(words, **more)

    usage = fill(kind, "usage.md.txt")
    return {
        "pyproject.toml": fill("common", "pyproject.toml.txt", summary=part.summary),
        "README.md": fill("common", "README.md.txt", summary=part.summary, usage=usage),
        "tests/conftest.py": fill("common", "conftest.py.txt"),
        f"tests/test_{module}.py": fill("common", "test_plugin.py.txt"),
        **{f"src/{module}/{file}": fill(kind, file) for file in ("__init__.py", "specs.py", f"{kind}.py")},
    }
