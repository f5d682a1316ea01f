"""Discovery of plugins and the registry of what they offer.

Plugins are loaded one at a time on first use. One that fails is unregistered and remembered as a
`PluginRecord` with its error; every other plugin and every command goes on working.
"""

from __future__ import annotations

import difflib
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pluggy
from pydantic import BaseModel

from . import hookspecs
from .errors import PluginError, SpecError

if TYPE_CHECKING:
    from .spec import Spec

OWN_DISTRIBUTION = "headmotion"
SELECT_VARIABLE = "HEADMOTION_PLUGINS"


@dataclass(frozen=True)
class PluginRecord:
    """What became of one plugin: ``status`` is ``ok``, ``error`` or ``off`` (not selected)."""

    name: str
    dist: str
    version: str
    status: str
    error: str = ""
    types: tuple[str, ...] = ()


@dataclass
class Registry:
    """Everything that the loaded plugins offer, by kind and type."""

    specs: dict[tuple[str, str], type[Spec]] = field(default_factory=dict)
    owners: dict[tuple[str, str], str] = field(default_factory=dict)
    models: dict[str, Path] = field(default_factory=dict)
    recipes: dict[str, Path] = field(default_factory=dict)
    records: list[PluginRecord] = field(default_factory=list)
    manager: pluggy.PluginManager = field(default_factory=lambda: pluggy.PluginManager("headmotion"))

    def types(self, kind: str) -> list[str]:
        """The registered types of a kind, sorted."""
        return sorted(name for of_kind, name in self.specs if of_kind == kind)

    def resolve(self, kind: str, name: str) -> type[Spec]:
        """The Spec class of ``kind`` and ``name``, or a `SpecError` that names what is near or missing."""
        if (found := self.specs.get((kind, name))) is not None:
            return found
        raise SpecError(
            f"{kind} spec",
            f"one of {', '.join(self.types(kind)) or '(none)'}",
            f"type {name!r}",
            self._remedy(kind, name),
        )

    def _remedy(self, kind: str, name: str) -> str:
        namespace, slash, _ = name.partition("/")
        for record in self.records:
            if slash and record.name == namespace and record.status != "ok":
                return f"its plugin is {record.status}: {record.error or f'see {SELECT_VARIABLE}'}"
        if slash and not any(known.startswith(namespace + "/") for _, known in self.specs):
            return f"install the plugin: pip install headmotion-{namespace}"
        near = difflib.get_close_matches(name, self.types(kind), n=3, cutoff=0.5)
        return f"did you mean {' or '.join(map(repr, near))}?" if near else "see `headmotion plugins`"


@functools.cache
def registry() -> Registry:
    """The process's registry, discovered on the first call."""
    return discover(_installed())


def discover(found: Iterator[EntryPoint] | list[EntryPoint]) -> Registry:
    """Load each entry point on its own and collect what it offers; failures become records."""
    result = Registry()
    result.manager.add_hookspecs(hookspecs)
    selected = os.environ.get(SELECT_VARIABLE)
    for point in found:
        dist = point.dist.name if point.dist else "(unknown)"
        version = point.dist.version if point.dist else ""
        own = dist == OWN_DISTRIBUTION
        if selected is not None and not own and point.name not in [part.strip() for part in selected.split(",")]:
            result.records.append(PluginRecord(point.name, dist, version, "off"))
            continue
        try:
            types = _load(result, point, own, dist)
        except Exception as error:
            _forget(result, point.name)
            text = " ".join(f"{type(error).__name__}: {error}".split())
            result.records.append(PluginRecord(point.name, dist, version, "error", text))
        else:
            result.records.append(PluginRecord(point.name, dist, version, "ok", types=types))
    return result


def _installed() -> list[EntryPoint]:
    points = entry_points(group=hookspecs.ENTRY_POINT_GROUP)
    # Own parts come first, so that a third party can never take a name before its owner does.
    return sorted(points, key=lambda p: (p.dist is None or p.dist.name != OWN_DISTRIBUTION, p.name))


def _load(result: Registry, point: EntryPoint, own: bool, dist: str) -> tuple[str, ...]:
    if not own and f"{OWN_DISTRIBUTION}-{point.name}" != dist.lower().replace("_", "-"):
        raise PluginError(
            f"plugin {point.name}",
            f"the entry point to be named as the distribution {dist!r} less 'headmotion-'",
            repr(point.name),
        )
    module = point.load()
    manager = result.manager
    manager.register(module, name=point.name)
    _reject_unknown_hooks(module, point.name)
    manager.check_pending()
    names: list[str] = []
    for spec in _call(manager, module, "headmotion_specs", ()):
        kind, name = _validated(spec, point.name, own)
        if (owner := result.owners.get((kind, name))) is not None:
            raise PluginError(f"plugin {point.name}", "a type that nobody has", f"{kind} {name!r}, which {owner} owns")
        result.specs[kind, name] = spec
        result.owners[kind, name] = point.name
        names.append(f"{kind}:{name}")
    for attribute, offered in (("models", result.models), ("recipes", result.recipes)):
        for name, path in _call(manager, module, f"headmotion_{attribute}", {}).items():
            if not own and not name.startswith(point.name + "/"):
                raise PluginError(f"plugin {point.name}", f"{attribute} named {point.name}/...", repr(name))
            offered[name] = Path(path)
    return tuple(names)


def _reject_unknown_hooks(module: Any, plugin: str) -> None:
    known = [name for name in vars(hookspecs) if name.startswith("headmotion_")]
    for name in vars(module):
        if name.startswith("headmotion_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise PluginError(
                f"plugin {plugin}",
                f"hooks among {', '.join(known)}",
                repr(name),
                f"did you mean {near[0]!r}?" if near else "",
            )


def _call(manager: pluggy.PluginManager, module: Any, hook: str, default: Any) -> Any:
    others = [plugin for plugin in manager.get_plugins() if plugin is not module]
    returned = manager.subset_hook_caller(hook, remove_plugins=others)()
    return returned[0] if returned else default


def _validated(spec: Any, plugin: str, own: bool) -> tuple[str, str]:
    kind = getattr(spec, "kind", "")
    if not (isinstance(spec, type) and issubclass(spec, BaseModel) and kind):
        raise PluginError(f"plugin {plugin}", "subclasses of a headmotion spec base (GeneratorSpec, ...)", repr(spec))
    name = cast("type[Spec]", spec).type_name()
    namespace, slash, _ = name.rpartition("/")
    if (own and slash) or (not own and namespace != plugin):
        raise PluginError(
            f"plugin {plugin}", f"{kind} types named {plugin}/...", repr(name), f"rename it to '{plugin}/{name}'"
        )
    return kind, name


def _forget(result: Registry, plugin: str) -> None:
    if result.manager.has_plugin(plugin):
        result.manager.unregister(name=plugin)
    for key in [key for key, owner in result.owners.items() if owner == plugin]:
        del result.specs[key], result.owners[key]
    for offered in (result.models, result.recipes):
        for name in [name for name in offered if name.startswith(plugin + "/")]:
            del offered[name]
