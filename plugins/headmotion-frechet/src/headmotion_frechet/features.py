"""Features of drawn motion, by networks that were trained on pictures and videos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from headmotion import Representation
from headmotion.core.weights import load_weights

from .i3d import I3D
from .inception import InceptionV3
from .raster import LARGEST_COORDINATE, SIZE_PX, average_frames, draw_dots, point_channels

BATCH_SIZE = 8
"""Pictures that go through the network at once, to bound memory."""

REMEDY = "the README of headmotion-frechet says where the file comes from and how to convert it"


class DotDrawing:
    """Draws poses as dots, and describes how."""

    def __init__(self, representation: Representation) -> None:
        self.representation, self.channels = representation, point_channels(representation)

    def __call__(self, poses: Tensor) -> Tensor:
        """Return pictures ``[n, 3, 224, 224]`` of poses ``[n, P, D]`` in the unit square."""
        return draw_dots(self.representation.to_points2d(poses), self.channels)

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Size, clamping and channels."""
        return {
            "raster_px": SIZE_PX,
            "clamped_to": LARGEST_COORDINATE,
            "channels": [list(members) for members in self.channels],
        }


class InceptionFrames:
    """Inception features of single frames: one sample per frame, ``fid`` ``[n, 2048]``."""

    def __init__(self, representation: Representation, weights: str) -> None:
        self.draw, self.network = DotDrawing(representation), InceptionV3()
        self.digest = load_weights(self.network, weights, "Inception-v3", REMEDY)

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Network, weights and drawing."""
        return {"features": "inception", "weights_sha256": self.digest, **self.draw.protocol}

    def __call__(self, poses: Tensor) -> Mapping[str, Tensor]:
        """Return ``fid`` for poses ``[n, P, D]`` in the unit square."""
        return {"fid": torch.cat([self.network(batch) for batch in torch.split(self.draw(poses), BATCH_SIZE)])}


class InceptionTraces:
    """Inception features of averaged frames: one sample per clip, ``tfid40`` ``[1, 2048]`` for 40 frames."""

    def __init__(self, representation: Representation, weights: str) -> None:
        self.draw, self.network = DotDrawing(representation), InceptionV3()
        self.digest = load_weights(self.network, weights, "Inception-v3", REMEDY)

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Network, weights, how frames are averaged, and drawing."""
        return {
            "features": "inception",
            "frame_weights": "linspace(0.2, 0.8)",
            "weights_sha256": self.digest,
            **self.draw.protocol,
        }

    def __call__(self, poses: Tensor) -> Mapping[str, Tensor]:
        """Return ``tfid`` with the number of frames, for poses ``[n, P, D]`` in the unit square."""
        return {f"tfid{len(poses)}": self.network(average_frames(self.draw(poses))[None])}


class I3DClips:
    """I3D logits of clips: one sample per clip, ``fvd40`` ``[1, 1600]`` for 40 frames."""

    def __init__(self, representation: Representation, weights: str) -> None:
        self.draw, self.network = DotDrawing(representation), I3D()
        self.digest = load_weights(self.network, weights, "I3D", REMEDY)

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Network, weights and drawing, whose zeros and ones are not scaled to -1..1."""
        return {"features": "i3d logits of all steps", "weights_sha256": self.digest, **self.draw.protocol}

    def __call__(self, poses: Tensor) -> Mapping[str, Tensor]:
        """Return ``fvd`` with the number of frames, for poses ``[n, P, D]`` in the unit square."""
        video = rearrange(self.draw(poses), "t c h w -> 1 c t h w")
        return {f"fvd{len(poses)}": self.network(video)}
