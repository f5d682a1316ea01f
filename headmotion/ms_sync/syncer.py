"""The syncer of MS-Sync: two convolutional embedding networks."""

from __future__ import annotations

import itertools

from einops import rearrange
from torch import Tensor, nn
from typing_extensions import override

from ..core.interfaces.specs import BuildContext
from ..core.interfaces.syncer import Syncer
from .blocks import ConvBlock, standardizer
from .specs import MSSyncSyncerSpec


class MSSyncSyncer(Syncer):
    """Embeds ``window`` frames of motion and ``4 * window`` audio steps. Source: MS-Sync, eqs. 2 and 3."""

    def __init__(self, spec: MSSyncSyncerSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.window = spec.window
        self.relative = spec.relative
        flat = context.representation.points * context.representation.dims
        width = spec.motion_width or 2 * flat
        size = spec.embedding_size
        self.motion_scale = standardizer(flat) if spec.standardize else nn.Identity()
        self.audio_scale = standardizer(context.audio_channels) if spec.standardize else nn.Identity()
        self.motion_input = nn.Linear(flat, width)
        self.motion_network = _network([width, width, width, width, width, size], spec)
        self.audio_network = _network([context.audio_channels, *spec.audio_widths, size], spec)

    @override
    def embed_audio(self, audio: Tensor) -> Tensor:
        embedding: Tensor = self.audio_network(self.audio_scale(audio.transpose(1, 2)))
        return embedding

    @override
    def embed_motion(self, motion: Tensor) -> Tensor:
        if self.relative:
            motion = motion - motion.mean(1, keepdim=True)
        channels = self.motion_scale(rearrange(motion, "b t p d -> b (p d) t"))
        embedding: Tensor = self.motion_network(
            self.motion_input(channels.transpose(1, 2).contiguous()).transpose(1, 2)
        )
        return embedding


def _network(widths: list[int], spec: MSSyncSyncerSpec) -> nn.Sequential:
    """Build a stem at full length, layers that each halve it, the mean over time and a linear layer."""
    layers: list[nn.Module] = [ConvBlock(widths[0], widths[1], 3, expansion=spec.expansion)]
    for narrow, wide in itertools.pairwise(widths[1:]):
        layers.append(ConvBlock(narrow, wide, 3, stride=2, expansion=spec.expansion))
        layers += [ConvBlock(wide, wide, 3, expansion=spec.expansion) for _ in range(spec.blocks_per_layer - 1)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(1), nn.Linear(widths[-1], widths[-1]))
