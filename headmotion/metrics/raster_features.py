"""Features of motion that is drawn as dots, by networks that were trained on pictures and videos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..core.interfaces.representation import Representation
from ..core.weights import load_weights
from .i3d import I3D
from .inception import Inception
from .raster import EDGE, SIZE, channels_of, collapsed, raster

_REMEDY = "docs/metrics-sync-frechet.md says where it comes from and how it is converted"

TOGETHER = 8
"""Pictures that go through the network at once: bounds memory."""


class Drawing:
    """Draws poses, and says how."""

    def __init__(self, representation: Representation) -> None:
        self.representation, self.channels = representation, channels_of(representation)

    def __call__(self, poses: Tensor) -> Tensor:
        """Poses ``[n, P, D]`` of the unit frame to pictures ``[n, 3, 224, 224]``."""
        return raster(self.representation.to_points2d(poses), self.channels)

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Of the raster."""
        return {"raster_px": SIZE, "clamped_to": EDGE, "channels": [list(members) for members in self.channels]}


class InceptionFrames:
    """One sample for each frame: ``fid`` ``[n, 2048]``."""

    def __init__(self, representation: Representation, weights: str) -> None:
        self.draw, self.network = Drawing(representation), Inception()
        self.digest = load_weights(self.network, weights, "Inception-v3", _REMEDY)

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Network and raster."""
        return {"features": "inception", "weights_sha256": self.digest, **self.draw.protocol}

    def __call__(self, poses: Tensor) -> Mapping[str, Tensor]:
        """``fid``."""
        return {"fid": torch.cat([self.network(few) for few in torch.split(self.draw(poses), TOGETHER)])}


class InceptionTraces:
    """One sample for each clip: ``tfid40`` ``[1, 2048]`` for 40 frames."""

    def __init__(self, representation: Representation, weights: str) -> None:
        self.draw, self.network = Drawing(representation), Inception()
        self.digest = load_weights(self.network, weights, "Inception-v3", _REMEDY)

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Network, raster, and how frames become one."""
        how = {"features": "inception", "frame_weights": "linspace(0.2, 0.8)", "weights_sha256": self.digest}
        return {**how, **self.draw.protocol}

    def __call__(self, poses: Tensor) -> Mapping[str, Tensor]:
        """``tfid`` with the number of frames."""
        return {f"tfid{len(poses)}": self.network(collapsed(self.draw(poses))[None])}


class I3DClips:
    """One sample for each clip: ``fvd40`` ``[1, 1600]`` for 40 frames."""

    def __init__(self, representation: Representation, weights: str) -> None:
        self.draw, self.network = Drawing(representation), I3D()
        self.digest = load_weights(self.network, weights, "I3D", _REMEDY)

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Network and raster, whose zeros and ones are not scaled to -1..1."""
        return {"features": "i3d logits of all steps", "weights_sha256": self.digest, **self.draw.protocol}

    def __call__(self, poses: Tensor) -> Mapping[str, Tensor]:
        """``fvd`` with the number of frames."""
        return {f"fvd{len(poses)}": self.network(self.draw(poses).transpose(0, 1)[None])}
