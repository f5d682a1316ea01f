"""All hooks that a plugin may implement. Hooks return values; none has side effects.

A plugin is a module named by an entry point of the group ``headmotion``. It marks its functions with
``headmotion.hookimpl``. A function named ``headmotion_*`` that matches no hook below is reported as a failure of
the plugin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from .assets import Asset
    from .interfaces.converter import Converter
    from .motion import Motion
    from .spec import Spec

ENTRY_POINT_GROUP = "headmotion"

hookspec = pluggy.HookspecMarker("headmotion")
hookimpl = pluggy.HookimplMarker("headmotion")


@hookspec
def headmotion_specs() -> Iterable[type[Spec]]:  # type: ignore[empty-body]
    """Return spec classes to register.

    The base class (``GeneratorSpec`` ...) determines the kind, and ``type: Literal[...]`` the type.
    """


@hookspec
def headmotion_models() -> Mapping[str, Path]:  # type: ignore[empty-body]
    """Return the plugin's checkpoints: name -> ``.safetensors`` file."""


@hookspec
def headmotion_recipes() -> Mapping[str, Path]:  # type: ignore[empty-body]
    """Return the plugin's training recipes: name -> ``.yaml`` file."""


@hookspec
def headmotion_converters() -> Iterable[Converter]:  # type: ignore[empty-body]
    """Return converters between types of representation; source or target is the plugin's own."""


@hookspec
def headmotion_motion_readers() -> Mapping[str, Callable[[Path], Motion]]:  # type: ignore[empty-body]
    """Return readers of motion files by suffix, such as ``.bvh``, for `Motion.load` and the command line.

    A reader raises `MotionError` for a file that it cannot read.
    """


@hookspec
def headmotion_motion_writers() -> Mapping[str, Callable[[Motion, Path], object]]:  # type: ignore[empty-body]
    """Return writers of motion files by suffix, such as ``.glb``, for `Motion.save` and the command line.

    A writer gets a motion that has frames of finite numbers, and the path of a temporary file, which appears under its
    own name when the writer is done. It raises `MotionError` for a motion that it cannot write.
    """


@hookspec
def headmotion_licenses() -> Iterable[Asset]:  # type: ignore[empty-body]
    """Return license and source of media, weights and data that the plugin contains or can use."""


@hookspec
def headmotion_migrate(spec: dict[str, Any], version: str) -> dict[str, Any] | None:
    """Rewrite a stored spec (a dict with ``type``) of an older ``version`` of this plugin; None leaves it unchanged."""


@hookspec
def headmotion_training_event(event: str, values: Mapping[str, Any]) -> None:
    """Observe a training run.

    Args:
        event: ``start``, ``step`` or ``end``.
        values: the event's values.
    """
