"""What a plugin offers through its hooks, checked before any of it is registered."""

from __future__ import annotations

import difflib
import inspect
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from . import hookspecs
from .assets import Asset
from .errors import PluginError
from .interfaces.converter import Converter
from .plugin_registry import MOTION_SUFFIXES, Registry

if TYPE_CHECKING:
    from .spec import Spec


@dataclass(frozen=True)
class PluginOffer:
    """What one plugin offers; the fields are those of `Registry`."""

    specs: dict[tuple[str, str], type[Spec]]
    models: dict[str, Path]
    recipes: dict[str, Path]
    converters: dict[tuple[str, str], Converter]
    motion_readers: dict[str, Callable[..., Any]]
    motion_writers: dict[str, Callable[..., Any]]
    assets: tuple[Asset, ...]

    @classmethod
    def collect(cls, registry: Registry, plugin: str, own: bool) -> PluginOffer:
        """Call the hooks of a plugin that is being loaded, and check what they return.

        Args:
            registry: what other plugins offer, and the manager that has this one.
            plugin: the plugin's name.
            own: whether it is one of headmotion itself, whose names have no namespace.

        Raises:
            PluginError: something of another kind, without the plugin's namespace, or that another plugin offers.
        """
        return cls(
            specs=_offered_specs(registry, plugin, own),
            models=_offered_files(registry, plugin, own, "models"),
            recipes=_offered_files(registry, plugin, own, "recipes"),
            converters=_offered_converters(registry, plugin, own),
            motion_readers=_offered_formats(registry, plugin, "readers", registry.motion_readers),
            motion_writers=_offered_formats(registry, plugin, "writers", registry.motion_writers),
            assets=_offered_assets(registry, plugin),
        )

    def add_to(self, registry: Registry, plugin: str) -> None:
        """Register all of it."""
        registry.specs.update(self.specs)
        registry.owners.update(dict.fromkeys(self.specs, plugin))
        registry.models.update(self.models)
        registry.recipes.update(self.recipes)
        registry.converters.update(self.converters)
        registry.motion_readers.update(self.motion_readers)
        registry.motion_writers.update(self.motion_writers)
        registry.assets[plugin] = self.assets

    def record_fields(self) -> dict[str, Any]:
        """Return the fields of `PluginRecord` that list it."""
        return {
            "types": tuple(f"{kind}:{name}" for kind, name in self.specs),
            "models": tuple(self.models),
            "recipes": tuple(self.recipes),
            "converters": tuple(self.converters.values()),
            "motion_readers": tuple(self.motion_readers),
            "motion_writers": tuple(self.motion_writers),
        }


def reject_stray_hooks(module: Any, plugin: str) -> None:
    """Refuse functions of a plugin's module that look like hooks but are none.

    Raises:
        PluginError: there is one.
    """
    hooks = [name for name in vars(hookspecs) if name.startswith("headmotion_")]
    for name, value in vars(module).items():
        marks = getattr(value, "headmotion_impl", None) if inspect.isroutine(value) else None
        meant = marks is not None and not marks["optionalhook"]
        if not (callable(value) and (meant or name.startswith("headmotion_"))):
            continue
        if name not in hooks:
            near = difflib.get_close_matches(f"headmotion_{name.removeprefix('headmotion_')}", hooks, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else ""
            raise PluginError(f"plugin {plugin}", f"hooks among {', '.join(hooks)}", repr(name), remedy)
        if marks is None:
            raise PluginError(f"plugin {plugin}", f"{name} marked with headmotion.hookimpl", "an unmarked function")
        known, given = (list(inspect.signature(hook).parameters) for hook in (getattr(hookspecs, name), value))
        if set(given) - set(known):
            expected = f"{name}({', '.join(known)}), of which arguments may be left out"
            raise PluginError(f"plugin {plugin}", expected, f"{name}({', '.join(given)})")


def _offered_specs(registry: Registry, plugin: str, own: bool) -> dict[tuple[str, str], type[Spec]]:
    offered: dict[tuple[str, str], type[Spec]] = {}
    for spec in registry.offered(plugin, "headmotion_specs"):
        kind, name = key = _checked_type(spec, plugin, own)
        if key in registry.specs or key in offered:
            owner = registry.owners.get(key, "")
            got = f"which {owner} owns" if owner else "which two of its spec classes have"
            raise PluginError(f"plugin {plugin}", "a type that is not taken", f"{kind} {name!r}, {got}")
        offered[key] = spec
    return offered


def _offered_files(registry: Registry, plugin: str, own: bool, hook: str) -> dict[str, Path]:
    offered = registry.offered(plugin, f"headmotion_{hook}", Mapping)
    for name, path in offered.items():
        if not (own or str(name).startswith(f"{plugin}/")):
            raise PluginError(f"plugin {plugin}", f"{hook} named {plugin}/...", repr(name))
        if not isinstance(path, str | os.PathLike):
            raise PluginError(f"plugin {plugin}", f"headmotion_{hook} to return paths", f"{path!r} for {name!r}")
    return {name: Path(path) for name, path in offered.items()}


def _offered_converters(registry: Registry, plugin: str, own: bool) -> dict[tuple[str, str], Converter]:
    offered: dict[tuple[str, str], Converter] = {}
    for converter in registry.offered(plugin, "headmotion_converters"):
        if not isinstance(converter, Converter):
            raise PluginError(
                f"plugin {plugin}",
                "converters that are headmotion.Converter",
                repr(converter),
            )
        key = converter.source, converter.target
        if not own and not any(name.startswith(f"{plugin}/") for name in key):
            raise PluginError(f"plugin {plugin}", f"converters from or to {plugin}/...", " to ".join(key))
        if key in registry.converters or key in offered:
            raise PluginError(f"plugin {plugin}", "a conversion that no other plugin offers", " to ".join(key))
        offered[key] = converter
    return offered


def _offered_formats(
    registry: Registry, plugin: str, what: str, registered: Mapping[str, Callable[..., Any]]
) -> dict[str, Callable[..., Any]]:
    """Return the readers or writers of motion files that a plugin offers."""
    offered = dict(registry.offered(plugin, f"headmotion_motion_{what}", Mapping))
    for suffix, function in offered.items():
        if not re.fullmatch(r"\.[a-z0-9]+", str(suffix)) or not callable(function):
            raise PluginError(f"plugin {plugin}", f"{what} by suffix, such as .bvh", f"{function!r} of {suffix!r}")
        if suffix in registered or suffix in MOTION_SUFFIXES:
            raise PluginError(f"plugin {plugin}", f"a suffix for which there are no {what}", repr(suffix))
    return offered


def _offered_assets(registry: Registry, plugin: str) -> tuple[Asset, ...]:
    offered = tuple(registry.offered(plugin, "headmotion_licenses"))
    if stray := [item for item in offered if not isinstance(item, Asset)]:
        raise PluginError(f"plugin {plugin}", "licenses that are headmotion.Asset", repr(stray[0]))
    return offered


def _checked_type(spec: Any, plugin: str, own: bool) -> tuple[str, str]:
    kind = getattr(spec, "kind", "")
    if not (isinstance(spec, type) and issubclass(spec, BaseModel) and kind):
        raise PluginError(f"plugin {plugin}", "subclasses of a headmotion spec base (GeneratorSpec, ...)", repr(spec))
    _require_type_field(spec, plugin)
    name = cast("type[Spec]", spec).type_name()
    namespace, _, bare = name.rpartition("/")
    expected = bare if own else f"{plugin}/{bare}"
    if namespace != ("" if own else plugin):
        raise PluginError(f"plugin {plugin}", f"a {kind} type named {expected!r}", repr(name), "rename it")
    return kind, name


def _require_type_field(spec: type[BaseModel], plugin: str) -> None:
    """Refuse a spec class whose type is not one literal that is also the default."""
    field = spec.model_fields.get("type")
    annotation, default = (None, None) if field is None else (field.annotation, field.default)
    if get_origin(annotation) is Literal and get_args(annotation) == (default,):
        return
    got = "no such field"
    if annotation is not None:
        shown = annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
        got = f"type: {shown}" + ("" if default is PydanticUndefined else f" = {default!r}")
    example = default if isinstance(default, str) else f"{plugin}/name"
    expected = f"{spec.__name__} with the field type: Literal[{example!r}] = {example!r}"
    raise PluginError(f"plugin {plugin}", expected, got)
