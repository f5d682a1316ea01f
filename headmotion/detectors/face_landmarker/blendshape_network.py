"""The blend shapes of a face from its points: MediaPipe's Blendshape V2, an MLP-Mixer (Tolstikhin et al. 2021)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...representations.blendshapes import NAMES

POINTS = (
    *(0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80),
    *(81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153),
    *(154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249),
    *(251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314),
    *(317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382),
    *(384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, *range(468, 478)),
)
"""The 146 of 478 points that the network reads, in its order (MediaPipe, face_blendshapes_graph.cc, Apache-2.0)."""

OUTPUTS = ("_neutral", *sorted(name for name in NAMES if name != "tongueOut"))
"""Names of the 52 outputs: an unused one, then all of ARKit's shapes but the tongue, by name."""

_TOKENS, _CHANNELS = 96, 64


class BlendshapeNetwork(nn.Module):
    """Weights of blend shapes, whatever the position and size of the face. Names of parameters are the file's."""

    def __init__(self) -> None:
        super().__init__()
        self.points = nn.Linear(len(POINTS), _TOKENS)
        self.coordinates = nn.Linear(2, _CHANNELS)
        self.token = nn.Embedding(1, _CHANNELS)  # collects what the head reads
        self.blocks = nn.Sequential(*(_MixerBlock() for _ in range(4)))
        self.head = nn.Linear(_CHANNELS, len(OUTPUTS))
        self._order = [OUTPUTS.index(name) if name in OUTPUTS else -1 for name in NAMES]

    def forward(self, mesh: Tensor) -> Tensor:
        """Return weights ``[B, 52]`` in 0..1, in ARKit's order (the tongue's is 0), for points ``[B, 478, 2 or 3]``."""
        outputs = functional.pad(self.outputs(mesh[:, POINTS, :2]), (0, 1))
        return outputs[:, self._order]

    def outputs(self, points: Tensor) -> Tensor:
        """Return the weights ``[B, 52]`` of `OUTPUTS` for the points ``[B, 146, 2]``."""
        centered = points - points.mean(dim=1, keepdim=True)
        radius = centered.norm(dim=2).mean(dim=1)[:, None, None]
        features = self.points((0.5 * centered / radius).transpose(1, 2)).transpose(1, 2)
        features = self.coordinates(features)
        features = torch.cat([self.token.weight.expand(len(features), 1, _CHANNELS), features], dim=1)
        return torch.sigmoid(self.head(self.blocks(features)[:, 0]))


class _MixerBlock(nn.Module):
    """A layer that mixes tokens ``[B, 97, 64]`` across and one that mixes each token's channels."""

    def __init__(self) -> None:
        super().__init__()
        self.token_norm = nn.LayerNorm(_CHANNELS, eps=1e-6, bias=False)
        self.token_in, self.token_out = nn.Linear(_TOKENS + 1, 384), nn.Linear(384, _TOKENS + 1)
        self.channel_norm = nn.LayerNorm(_CHANNELS, eps=1e-6, bias=False)
        self.channel_in, self.channel_out = nn.Linear(_CHANNELS, 256), nn.Linear(256, _CHANNELS)

    def forward(self, features: Tensor) -> Tensor:
        across = self.token_norm(features).transpose(1, 2)
        features = features + self.token_out(functional.relu(self.token_in(across))).transpose(1, 2)
        within = self.channel_norm(features)
        mixed: Tensor = features + self.channel_out(functional.relu(self.channel_in(within)))
        return mixed
