"""Representations of motion: face landmarks, meshes, blend shapes, keypoints and body joints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.assets import Asset
from ..core.hookspecs import hookimpl
from ..core.interfaces.converter import Converter
from ..core.spec import Spec
from .converters import CONVERTERS
from .specs import (
    BlendshapesSpec,
    JointPositionsSpec,
    JointsSpec,
    KeypointsSpec,
    Landmarks68Spec,
    Landmarks683DSpec,
    Mesh478Spec,
)

if TYPE_CHECKING:
    from ..core.motion import Motion


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """Return the representations that come with headmotion."""
    return [
        Landmarks68Spec,
        Landmarks683DSpec,
        Mesh478Spec,
        BlendshapesSpec,
        KeypointsSpec,
        JointPositionsSpec,
        JointsSpec,
    ]


@hookimpl
def headmotion_converters() -> Iterable[Converter]:
    """Return the converters between them."""
    return CONVERTERS


@hookimpl
def headmotion_motion_readers() -> Mapping[str, Callable[[Path], Motion]]:
    """Return the readers of motion files that come with headmotion."""
    return {".bvh": _read_bvh}


def _read_bvh(path: Path) -> Motion:
    from .bvh import read_bvh  # imports torch, which listing the plugins need not do

    return read_bvh(path)


@hookimpl
def headmotion_licenses() -> Iterable[Asset]:
    """Return the licenses of the neutral faces."""
    return [
        Asset(
            "landmarks68_neutral.json",
            "CC-BY-4.0",
            "GRID corpus, speaker 1 (Cooke, Barker, Cunningham, Shao 2006; Zenodo record 3625687)",
            note="mean landmarks, made symmetric; license as published, verify before redistributing the media",
        ),
        Asset(
            "mesh478.json",
            "CC-BY-4.0",
            "GRID corpus, speaker 1 (Cooke, Barker, Cunningham, Shao 2006; Zenodo record 3625687); lines and "
            "triangles from mediapipe (Apache-2.0)",
            note="median mesh, made symmetric; license as published, verify before redistributing the media",
        ),
    ]
