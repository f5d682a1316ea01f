"""The registry: all that loaded plugins offer, and how each of them was loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from .assets import Asset
from .errors import PluginError, SpecError, did_you_mean
from .interfaces.converter import Converter
from .plugin_calls import EXCLUDE_VARIABLE, running_plugin

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
    motion_readers: tuple[str, ...] = ()
    """Suffixes of the motion files that the plugin reads."""
    motion_writers: tuple[str, ...] = ()
    """Suffixes of the motion files that the plugin writes."""


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
        caller = self._caller(plugin, hook)
        # pluggy drops the result None, which is what a forgotten `return` gives.
        (returned,) = caller() or ((None,) if caller.get_hookimpls() else ({},))
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
