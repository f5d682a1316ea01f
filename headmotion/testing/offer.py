"""What a plugin offers besides parts, as the subject of checks: models, recipes, converters, readers and writers."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.plugins import registry


@dataclass(frozen=True)
class Offer:
    """Something that a plugin offers by a hook other than ``headmotion_specs``."""

    plugin: str
    """The plugin's name."""
    kind: str
    """``model``, ``recipe``, ``converter``, ``reader`` or ``writer``."""
    name: str
    """Name of the model or recipe, the types of the converter, or the suffix."""
    value: Any
    """The path, the `Converter`, or the function."""

    @property
    def module(self) -> str:
        """Name of the module whose hook offers it."""
        hooks: Any = registry().manager.get_plugin(self.plugin)
        return str(hooks.__name__)

    @property
    def folder(self) -> Path | None:
        """Folder of the plugin's package, all of which is in its wheel; None if that is unknown."""
        package = sys.modules[self.module.partition(".")[0]]
        file = getattr(package, "__file__", None)
        return None if file is None else Path(file).parent

    @property
    def function(self) -> Any:
        """The function of a converter, a reader or a writer; None for files."""
        function = self.value.convert if self.kind == "converter" else self.value
        return inspect.unwrap(function) if inspect.isroutine(function) else None


def offers_of(plugin: str) -> Iterator[Offer]:
    """Yield what a loaded plugin offers besides parts."""
    (record,) = (record for record in registry().records if record.name == plugin)
    for name in record.models:
        yield Offer(plugin, "model", name, registry().models[name])
    for name in record.recipes:
        yield Offer(plugin, "recipe", name, registry().recipes[name])
    for converter in record.converters:
        yield Offer(plugin, "converter", f"{converter.source} to {converter.target}", converter)
    for suffix in record.motion_readers:
        yield Offer(plugin, "reader", suffix, registry().motion_readers[suffix])
    for suffix in record.motion_writers:
        yield Offer(plugin, "writer", suffix, registry().motion_writers[suffix])
