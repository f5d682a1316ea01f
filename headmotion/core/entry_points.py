"""Entry points of installed plugins, found without importing a plugin."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, EntryPoint, distributions

from .errors import describe
from .hookspecs import ENTRY_POINT_GROUP
from .plugin_registry import OWN_DISTRIBUTION, PluginRecord


def installed_points() -> tuple[list[EntryPoint], list[PluginRecord]]:
    """Return the entry points of installed plugins, headmotion's own first, and records of unreadable ones."""
    points: list[EntryPoint] = []
    unreadable: list[PluginRecord] = []
    names: set[str] = set()
    for distribution in distributions():
        name = folder_name(distribution)
        if name and name in names:  # a second copy, further back on the path, which Python does not import
            continue
        names.add(name)
        try:
            points += distribution.entry_points.select(group=ENTRY_POINT_GROUP)
        except Exception as error:  # any text may be in there; other packages are not our concern
            if name.startswith(f"{OWN_DISTRIBUTION}-"):
                plugin = name.removeprefix(f"{OWN_DISTRIBUTION}-")
                unreadable.append(PluginRecord(plugin, name, "", "error", f"entry points: {describe(error)}"))
    # First-party parts come first, so that no other plugin can take their names.
    return sorted(points, key=lambda point: (not is_own(point), point.name)), unreadable


def is_own(point: EntryPoint) -> bool:
    """Return whether an entry point is one of headmotion itself."""
    return folder_name(point.dist) == OWN_DISTRIBUTION


def folder_name(dist: Distribution | None) -> str:
    """Return a distribution's name after its folder, which can be read even if its metadata is damaged; or nothing."""
    folder = getattr(dist, "_path", None)  # all that importlib finds by itself have it
    if folder is None:
        return ""
    stem = folder.name.rpartition(".")[0]  # name-version, or the name alone
    return re.sub(r"[-_.]+", "-", stem.partition("-")[0]).lower()
