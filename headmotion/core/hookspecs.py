"""All hooks that a plugin may implement. They return values; none has side effects.

A plugin is a module named by an entry point of the group ``headmotion``. It marks its functions with
``headmotion.hookimpl``; a function called ``headmotion_*`` that matches no hook below is reported as that
plugin's failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from .assets import Asset
    from .interfaces.converter import Converter
    from .spec import Spec

ENTRY_POINT_GROUP = "headmotion"

hookspec = pluggy.HookspecMarker("headmotion")
hookimpl = pluggy.HookimplMarker("headmotion")


@hookspec
def headmotion_specs() -> Iterable[type[Spec]]:  # type: ignore[empty-body]
    """Spec classes to register. Kind = the base class (``GeneratorSpec`` ...), type = its ``type: Literal[...]``."""


@hookspec
def headmotion_models() -> Mapping[str, Path]:  # type: ignore[empty-body]
    """Checkpoints that the plugin carries: name -> ``.safetensors`` file."""


@hookspec
def headmotion_recipes() -> Mapping[str, Path]:  # type: ignore[empty-body]
    """Training recipes that the plugin carries: name -> ``.yaml`` file."""


@hookspec
def headmotion_converters() -> Iterable[Converter]:  # type: ignore[empty-body]
    """Ways from one type of representation to another; one of the two, at least, is the plugin's own."""


@hookspec
def headmotion_licenses() -> Iterable[Asset]:  # type: ignore[empty-body]
    """Media, weights and data that the plugin carries or can make use of: license and source of each."""


@hookspec
def headmotion_migrate(spec: dict[str, Any], version: str) -> dict[str, Any] | None:
    """Rewrite one stored spec (a dict with ``type``) of this plugin's older ``version``; None leaves it as it is."""


@hookspec
def headmotion_training_event(event: str, values: Mapping[str, Any]) -> None:
    """Observe a training run: ``event`` is ``start``, ``step`` or ``end``; ``values`` are its figures."""
