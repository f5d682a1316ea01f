"""Discovery and loading of plugins into the registry of the process.

Plugins are loaded one at a time on first use. A plugin that fails is unregistered and becomes a `PluginRecord` with its
error; all other plugins and all commands keep working.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable
from importlib.metadata import EntryPoint
from typing import Any

from . import hookspecs
from .crash_mark import crash_mark
from .entry_points import folder_name, installed_points, is_own
from .errors import PluginError, describe, one_line
from .plugin_calls import EXCLUDE_VARIABLE, output_to_stderr, running_plugin, streams_left_open
from .plugin_offers import PluginOffer, reject_stray_hooks
from .plugin_registry import MOTION_SUFFIXES as MOTION_SUFFIXES
from .plugin_registry import OWN_DISTRIBUTION as OWN_DISTRIBUTION
from .plugin_registry import SELECT_VARIABLE as SELECT_VARIABLE
from .plugin_registry import PluginRecord as PluginRecord
from .plugin_registry import Registry as Registry
from .process_settings import same_random_numbers


@functools.cache  # reading the metadata of all installed distributions is slow
def registry() -> Registry:
    """Return the process's registry, which is filled on the first call."""
    return discover(*installed_points())


def discover(points: Iterable[EntryPoint], unreadable: Iterable[PluginRecord] = ()) -> Registry:
    """Load each entry point separately and collect what it offers; failures become records.

    Args:
        points: what to load, in this order.
        unreadable: records of plugins whose entry points cannot be read.
    """
    result = Registry()
    result.manager.add_hookspecs(hookspecs)
    foreign = []
    for point in points:
        if is_own(point):
            result.records.append(_record(result, point))
        else:
            foreign.append(point)
    if foreign:
        with output_to_stderr(), crash_mark() as mark:
            for point in foreign:
                mark(one_line(point.name))
                result.records.append(_record(result, point))
    result.records.extend(unreadable)
    return result


def _record(result: Registry, point: EntryPoint) -> PluginRecord:
    """Load one plugin and return the result."""
    name = one_line(point.name)
    try:
        facts: Any = point.dist.metadata if point.dist else {"Name": "(unknown)"}  # parsed at each access
        dist, version = (facts.get(key, "") for key in ("Name", "Version"))
    except Exception as error:  # its metadata may be anything
        return PluginRecord(name, folder_name(point.dist), "", "error", f"metadata: {describe(error)}")
    if not dist:
        return PluginRecord(name, folder_name(point.dist), "", "error", "metadata: its file METADATA names no package")
    record = functools.partial(PluginRecord, name, one_line(str(dist)), one_line(str(version)))
    if not (is_own(point) or _is_selected(point.name)):
        return record("off")
    try:
        with running_plugin(name, "loading", warn=not is_own(point)), same_random_numbers():
            offer = _load(result, point, dist)
    except PluginError as error:
        # What the plugin raised itself needs no frame of ours around it.
        return record("error", describe(error.__cause__ or error))
    return record("ok", **offer.record_fields())


def _is_selected(plugin: str) -> bool:
    """Return whether the user wants a third-party plugin."""
    names = {
        variable: {name.strip() for name in os.environ.get(variable, "").split(",")}
        for variable in (SELECT_VARIABLE, EXCLUDE_VARIABLE)
    }
    chosen = SELECT_VARIABLE not in os.environ or plugin in names[SELECT_VARIABLE]
    return chosen and plugin not in names[EXCLUDE_VARIABLE]


def _load(result: Registry, point: EntryPoint, dist: str) -> PluginOffer:
    """Load one plugin into the registry and return what it offers."""
    plugin, own = point.name, is_own(point)
    # The namespace is tied to the distribution's name, so that `pip install` can be named as the remedy for a type.
    if not own and f"{OWN_DISTRIBUTION}-{plugin}" != re.sub(r"[-_.]+", "-", dist).lower():
        expected = f"a distribution named '{OWN_DISTRIBUTION}-{plugin}', like its entry point"
        raise PluginError(f"plugin {plugin}", expected, repr(dist), "rename the distribution or the entry point")
    if result.manager.has_plugin(plugin):
        raise PluginError(f"plugin {plugin}", "a name that no other plugin has", repr(plugin))
    if not point.pattern.match(point.value):
        raise PluginError(f"plugin {plugin}", "an entry point that names a module", repr(point.value))
    try:
        # Also here, so that a plugin that closes one is not registered.
        with streams_left_open(plugin):
            module = point.load()
            reject_stray_hooks(module, plugin)  # before pluggy does, whose errors name no remedy
            result.manager.register(module, name=plugin)
            result.manager.check_pending()
            offer = PluginOffer.collect(result, plugin, own)
        if not result.manager.get_hookcallers(module):
            raise _without_hooks(point)
    except BaseException:
        if result.manager.has_plugin(plugin):
            result.manager.unregister(name=plugin)
        raise
    # Only now, so that a plugin with any fault leaves nothing in the registry.
    offer.add_to(result, plugin)
    return offer


def _without_hooks(point: EntryPoint) -> PluginError:
    expected = f"hooks in what its entry point names, {point.value!r}"
    remedy = "define functions such as headmotion_specs in that module, or import them into it, marked with hookimpl"
    return PluginError(f"plugin {point.name}", expected, "none", remedy)
