"""Which of headmotion's representations become which, and what is lost on the way. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from ..core.interfaces.converter import Converter

if TYPE_CHECKING:
    from ..core.motion import Motion


def converters() -> Iterable[Converter]:
    """All of them."""
    depth = "depth"
    return [
        Converter("landmarks68", "landmarks68", _later("to_plane"), depth),
        Converter("landmarks68", "landmarks68-3d", _later("to_landmarks68_3d")),
        Converter("landmarks68", "blendshapes", _later("to_blendshapes"), ESTIMATED),
        Converter("landmarks68-3d", "landmarks68", _later("to_landmarks68"), depth),
        Converter("mesh478", "mesh478", _later("to_plane"), depth),
        Converter("mesh478", "landmarks68", _later("mesh_to_landmarks68"), "depth and all points but 68"),
        Converter("mesh478", "landmarks68-3d", _later("mesh_to_landmarks68_3d"), "all points but 68"),
        Converter("blendshapes", "landmarks68", _later("from_blendshapes"), "identity, gaze, cheeks, nose and tongue"),
        Converter("keypoints", "keypoints", _later("without_jacobians"), "Jacobians"),
        Converter("joints", "joint-positions", _later("to_positions"), "the turn of each bone about itself"),
        Converter("joint-positions", "joint-positions", _later("to_plane"), depth),
    ]


ESTIMATED = "all but jawOpen, mouthPucker, mouthStretch and eyeBlink, which are estimated from distances"


def _later(name: str) -> Callable[[Motion], Motion]:
    """A function of `conversions`, which needs torch, looked up when it is called."""

    def convert(motion: Motion) -> Motion:
        result: Motion = getattr(import_module(f"{__package__}.conversions"), name)(motion)
        return result

    return convert
