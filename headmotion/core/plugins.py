"""Discovery of plugins and the registry of what they offer.

Plugins are loaded one at a time on first use. A plugin that fails is unregistered and becomes a `PluginRecord` with its
error; all other plugins and all commands keep working.
"""

from __future__ import annotations

import difflib
import functools
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pluggy
from pydantic import BaseModel

from . import hookspecs
from .assets import Asset
from .crash_mark import crash_mark
from .errors import PluginError, SpecError, describe, did_you_mean, one_line
from .interfaces.converter import Converter
from .plugin_calls import EXCLUDE_VARIABLE, output_to_stderr, running_plugin, streams_left_open
from .process_settings import same_random_numbers

if TYPE_CHECKING:
    from .motion import Motion
    from .spec import Spec

OWN_DISTRIBUTION = "headmotion"
SELECT_VARIABLE = "HEADMOTION_PLUGINS"
"""Environment variable with the third-party plugins to load, separated by commas; unset: all."""
MOTION_SUFFIXES = (".npz", ".json")
"""Suffixes of the library's own motion files, see `Motion.save`."""
_KINDS: dict[type, str] = {Iterable: "a list", Mapping: "a dict"}


@dataclass(frozen=True)
class PluginRecord:
    """The result of loading one plugin."""

    name: str
    """Name of the entry point, which is also the namespace of the plugin's types."""
    dist: str
    """Distribution that the entry point belongs to, and its version."""
    version: str
    """Version of the distribution."""
    status: str
    """``ok``, ``error`` or ``off`` (not selected, or left out)."""
    error: str = ""
    """Why it failed to load; empty if it did not."""
    types: tuple[str, ...] = ()
    """Types that the plugin registered, as ``kind:name``."""
    models: tuple[str, ...] = ()
    """Names of the plugin's models."""
    recipes: tuple[str, ...] = ()
    """Names of the plugin's recipes."""
    converters: tuple[Converter, ...] = ()
    """Converters between representations."""


@dataclass
class Registry:
    """Everything that the loaded plugins offer."""

    specs: dict[tuple[str, str], type[Spec]] = field(default_factory=dict)
    """Spec classes by kind and type."""
    owners: dict[tuple[str, str], str] = field(default_factory=dict)
    """Plugins by kind and type."""
    models: dict[str, Path] = field(default_factory=dict)
    """Checkpoint files by name."""
    recipes: dict[str, Path] = field(default_factory=dict)
    """YAML files by name."""
    converters: dict[tuple[str, str], Converter] = field(default_factory=dict)
    """Converters by source and target type."""
    motion_readers: dict[str, Callable[[Path], Motion]] = field(default_factory=dict)
    """Readers of motion files by suffix, in lower case."""
    motion_writers: dict[str, Callable[[Motion, Path], object]] = field(default_factory=dict)
    """Writers of motion files by suffix, in lower case."""
    assets: dict[str, tuple[Asset, ...]] = field(default_factory=dict)
    """Assets by plugin."""
    records: list[PluginRecord] = field(default_factory=list)
    """One record per plugin, in the order of loading."""
    manager: pluggy.PluginManager = field(default_factory=lambda: pluggy.PluginManager("headmotion"))
    """Manager through which hooks are called."""

    @property
    def motion_suffixes(self) -> tuple[str, ...]:
        """Suffixes of the motion files that can be read."""
        return (*MOTION_SUFFIXES, *sorted(self.motion_readers))

    @property
    def written_suffixes(self) -> tuple[str, ...]:
        """Suffixes of the motion files that can be written."""
        return (*MOTION_SUFFIXES, *sorted(self.motion_writers))

    def types(self, kind: str) -> list[str]:
        """Return the registered types of a kind, sorted."""
        return sorted(name for of_kind, name in self.specs if of_kind == kind)

    def resolve(self, kind: str, name: str) -> type[Spec]:
        """Return the spec class of a kind and type.

        Raises:
            SpecError: there is none; the error names similar types or the plugin to install.
        """
        if (spec := self.specs.get((kind, name))) is not None:
            return spec
        raise SpecError(
            f"{kind} spec",
            f"one of {', '.join(self.types(kind)) or '(none)'}",
            f"type {name!r}",
            self._remedy(kind, name),
        )

    def absent(self, namespace: str) -> str:
        """Return the remedy for a namespace whose plugin is not loaded; empty if it is loaded."""
        record = next((record for record in self.records if record.name == namespace), None)
        if record is None:
            return f"install the package of plugin {namespace!r}, such as {OWN_DISTRIBUTION}-{namespace}"
        reason = record.error or f"{SELECT_VARIABLE} and {EXCLUDE_VARIABLE} select"
        return "" if record.status == "ok" else f"its plugin is {record.status}: {reason}"

    def call(self, plugin: str, hook: str, **arguments: Any) -> Any:
        """Call one plugin's implementation of a hook and return its result; None if the plugin has none.

        Raises:
            PluginError: the plugin raised anything, be it ``SystemExit``.
        """
        caller = self._caller(plugin, hook)
        if not caller.get_hookimpls():
            return None
        with running_plugin(plugin, hook):
            returned = caller(**arguments)
        return returned[0] if returned else None

    def offered(self, plugin: str, hook: str, kind: type[Any] = Iterable) -> Any:
        """Return the result of a hook without arguments of a plugin that is being loaded (`running_plugin`).

        Raises:
            PluginError: it is not of the kind, `Iterable` or `Mapping`.
        """
        (returned,) = self._caller(plugin, hook)() or ({},)
        if isinstance(returned, kind) and not isinstance(returned, str | bytes):
            return returned
        raise PluginError(f"plugin {plugin}", f"{hook} to return {_KINDS[kind]}", repr(returned))

    def _caller(self, plugin: str, hook: str) -> pluggy.HookCaller:
        # pluggy calls all plugins at once, and one that fails would hide the results of the others.
        others = [module for name, module in self.manager.list_name_plugin() if name != plugin]
        return self.manager.subset_hook_caller(hook, remove_plugins=others)

    def implementers(self, hook: str) -> list[str]:
        """Return the plugins that implement a hook, in the order of loading."""
        return [implementation.plugin_name for implementation in getattr(self.manager.hook, hook).get_hookimpls()]

    def _remedy(self, kind: str, name: str) -> str:
        namespace, slash, _ = name.partition("/")
        if slash and (remedy := self.absent(namespace)):
            return remedy
        return did_you_mean(name, self.types(kind), "see `headmotion plugins`")


@functools.cache  # reading the metadata of all installed distributions is slow
def registry() -> Registry:
    """Return the process's registry, which is filled on the first call."""
    return discover(*_installed())


def _installed() -> tuple[list[EntryPoint], list[PluginRecord]]:
    """Return the entry points of installed plugins, headmotion's own first, and records of unreadable ones."""
    points: list[EntryPoint] = []
    unreadable: list[PluginRecord] = []
    names: set[str] = set()
    for distribution in distributions():
        name = _file_name(distribution)
        if name and name in names:  # a second copy, further back on the path, which Python does not import
            continue
        names.add(name)
        try:
            points += distribution.entry_points.select(group=hookspecs.ENTRY_POINT_GROUP)
        except Exception as error:  # any text may be in there; other packages are not our concern
            if name.startswith(f"{OWN_DISTRIBUTION}-"):
                plugin = name.removeprefix(f"{OWN_DISTRIBUTION}-")
                unreadable.append(PluginRecord(plugin, name, "", "error", f"entry points: {describe(error)}"))
    # First-party parts come first, so that no other plugin can take their names.
    return sorted(points, key=lambda point: (not _is_own(point), point.name)), unreadable


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
        if _is_own(point):
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
        return PluginRecord(name, _file_name(point.dist), "", "error", f"metadata: {describe(error)}")
    if not dist:
        return PluginRecord(name, _file_name(point.dist), "", "error", "metadata: its file METADATA names no package")
    record = functools.partial(PluginRecord, name, one_line(str(dist)), one_line(str(version)))
    if not (_is_own(point) or _is_selected(point.name)):
        return record("off")
    try:
        with running_plugin(name, "loading", warn=not _is_own(point)), same_random_numbers():
            offered = _load(result, point, dist)
    except PluginError as error:
        # What the plugin raised itself needs no frame of ours around it.
        return record("error", describe(error.__cause__ or error))
    return record("ok", **offered)


def _is_selected(plugin: str) -> bool:
    """Return whether the user wants a third-party plugin."""
    names = {
        variable: {name.strip() for name in os.environ.get(variable, "").split(",")}
        for variable in (SELECT_VARIABLE, EXCLUDE_VARIABLE)
    }
    chosen = SELECT_VARIABLE not in os.environ or plugin in names[SELECT_VARIABLE]
    return chosen and plugin not in names[EXCLUDE_VARIABLE]


def _is_own(point: EntryPoint) -> bool:
    return _file_name(point.dist) == OWN_DISTRIBUTION


def _file_name(dist: Distribution | None) -> str:
    """Return a distribution's name after its folder, which can be read even if its metadata is damaged; or nothing."""
    folder = getattr(dist, "_path", None)  # all that importlib finds by itself have it
    if folder is None:
        return ""
    stem = folder.name.rpartition(".")[0]  # name-version, or the name alone
    return re.sub(r"[-_.]+", "-", stem.partition("-")[0]).lower()


def _load(result: Registry, point: EntryPoint, dist: str) -> dict[str, Any]:
    """Load one plugin into the registry and return what it offers, as fields of its record."""
    plugin, own = point.name, _is_own(point)
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
            result.manager.register(module, name=plugin)
            _reject_stray_hooks(module, plugin)  # before pluggy does, whose errors name no remedy
            result.manager.check_pending()
            specs = _offered_specs(result, plugin, own)
            models, recipes = (_offered_files(result, plugin, own, hook) for hook in ("models", "recipes"))
            converters = _offered_converters(result, plugin, own)
            readers = _offered_formats(result, plugin, "readers", result.motion_readers)
            writers = _offered_formats(result, plugin, "writers", result.motion_writers)
            assets = _offered_assets(result, plugin)
    except BaseException:
        if result.manager.has_plugin(plugin):
            result.manager.unregister(name=plugin)
        raise
    # Filled last, so that a plugin with any fault leaves nothing in the registry.
    result.specs.update(specs)
    result.owners.update(dict.fromkeys(specs, plugin))
    result.models.update(models)
    result.recipes.update(recipes)
    result.converters.update(converters)
    result.motion_readers.update(readers)
    result.motion_writers.update(writers)
    result.assets[plugin] = assets
    return {
        "types": tuple(f"{kind}:{name}" for kind, name in specs),
        "models": tuple(models),
        "recipes": tuple(recipes),
        "converters": tuple(converters.values()),
    }


def _reject_stray_hooks(module: Any, plugin: str) -> None:
    hooks = [name for name in vars(hookspecs) if name.startswith("headmotion_")]
    for name, value in vars(module).items():
        if not (name.startswith("headmotion_") and callable(value)):
            continue
        if name not in hooks:
            near = difflib.get_close_matches(name, hooks, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else ""
            raise PluginError(f"plugin {plugin}", f"hooks among {', '.join(hooks)}", repr(name), remedy)
        if not hasattr(value, "headmotion_impl"):
            raise PluginError(f"plugin {plugin}", f"{name} marked with headmotion.hookimpl", "an unmarked function")


def _offered_specs(result: Registry, plugin: str, own: bool) -> dict[tuple[str, str], type[Spec]]:
    offered: dict[tuple[str, str], type[Spec]] = {}
    for spec in result.offered(plugin, "headmotion_specs"):
        kind, name = key = _validated(spec, plugin, own)
        if key in result.specs or key in offered:
            owner = result.owners.get(key, plugin)
            raise PluginError(f"plugin {plugin}", "a type that is not taken", f"{kind} {name!r}, which {owner} owns")
        offered[key] = spec
    return offered


def _offered_files(result: Registry, plugin: str, own: bool, hook: str) -> dict[str, Path]:
    offered = result.offered(plugin, f"headmotion_{hook}", Mapping)
    for name, path in offered.items():
        if not (own or str(name).startswith(f"{plugin}/")):
            raise PluginError(f"plugin {plugin}", f"{hook} named {plugin}/...", repr(name))
        if not isinstance(path, str | os.PathLike):
            raise PluginError(f"plugin {plugin}", f"headmotion_{hook} to return paths", f"{path!r} for {name!r}")
    return {name: Path(path) for name, path in offered.items()}


def _offered_converters(result: Registry, plugin: str, own: bool) -> dict[tuple[str, str], Converter]:
    offered: dict[tuple[str, str], Converter] = {}
    for converter in result.offered(plugin, "headmotion_converters"):
        if not isinstance(converter, Converter):
            raise PluginError(
                f"plugin {plugin}",
                "converters that are headmotion.core.interfaces.converter.Converter",
                repr(converter),
            )
        key = converter.source, converter.target
        if not own and not any(name.startswith(f"{plugin}/") for name in key):
            raise PluginError(f"plugin {plugin}", f"converters from or to {plugin}/...", " to ".join(key))
        if key in result.converters or key in offered:
            raise PluginError(f"plugin {plugin}", "a conversion that no other plugin offers", " to ".join(key))
        offered[key] = converter
    return offered


def _offered_formats(
    result: Registry, plugin: str, what: str, registered: Mapping[str, Callable[..., Any]]
) -> dict[str, Callable[..., Any]]:
    """Return the readers or writers of motion files that a plugin offers."""
    offered = dict(result.offered(plugin, f"headmotion_motion_{what}", Mapping))
    for suffix, function in offered.items():
        if not re.fullmatch(r"\.[a-z0-9]+", str(suffix)) or not callable(function):
            raise PluginError(f"plugin {plugin}", f"{what} by suffix, such as .bvh", f"{function!r} of {suffix!r}")
        if suffix in registered or suffix in MOTION_SUFFIXES:
            raise PluginError(f"plugin {plugin}", f"a suffix for which there are no {what}", repr(suffix))
    return offered


def _offered_assets(result: Registry, plugin: str) -> tuple[Asset, ...]:
    offered = tuple(result.offered(plugin, "headmotion_licenses"))
    if stray := [item for item in offered if not isinstance(item, Asset)]:
        raise PluginError(f"plugin {plugin}", "licenses that are headmotion.core.assets.Asset", repr(stray[0]))
    return offered


def _validated(spec: Any, plugin: str, own: bool) -> tuple[str, str]:
    kind = getattr(spec, "kind", "")
    if not (isinstance(spec, type) and issubclass(spec, BaseModel) and kind):
        raise PluginError(f"plugin {plugin}", "subclasses of a headmotion spec base (GeneratorSpec, ...)", repr(spec))
    name = cast("type[Spec]", spec).type_name()
    namespace = name.rpartition("/")[0]
    if namespace != ("" if own else plugin):
        bare = name.rpartition("/")[2]
        expected = bare if own else f"{plugin}/{bare}"
        raise PluginError(f"plugin {plugin}", f"a {kind} type named {expected!r}", repr(name), "rename it")
    return kind, name
