"""Baseline networks: the structure that the authors of MS-Sync published, in the plainest modules.

Written from the description in `../shared/systems.md` (1.5 to 1.7), not from their code: grouped convolutions of one
tap where linear layers would do, one-tap depth-wise convolutions, a branch's input concatenated at each level and
frame, an LSTM called frame by frame and window by window. The velocities of the warm-up frames are left out, because
only losses that are off by default use them. `copy_weights` copies the weights of headmotion's own networks, by which
the tests show that both compute the same.
"""

from __future__ import annotations

import itertools

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

POINTS, DIMS, CHANNELS = 68, 2, 26
FLAT = POINTS * DIMS
LEVELS = 4
EXPANSION = 4


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of ``[B, C, T]``."""

    def forward(self, sequence: Tensor) -> Tensor:
        return super().forward(sequence.transpose(1, 2)).transpose(1, 2)


def norm(channels: int, groups: int) -> nn.Module:
    """Build a norm over all channels, or over those of each group."""
    return ChannelNorm(channels) if groups == 1 else nn.GroupNorm(groups, channels)


class InvertedResidual(nn.Module):
    """``IRB1d`` of 1.5, on ``[B, C, T]``."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        wide, padding = EXPANSION * channels_in, (kernel - 1) // 2
        self.depthwise = nn.Conv1d(channels_in, channels_in, kernel, stride, padding, groups=channels_in)
        self.norm = norm(channels_in, groups)
        self.expand = nn.Conv1d(channels_in, wide, 1, groups=groups)
        self.project = nn.Conv1d(wide, channels_out, 1, groups=groups)
        self.skip: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            shorter = nn.Conv1d(channels_in, channels_out, 1, stride, groups=groups)
            self.skip = nn.Sequential(shorter, norm(channels_out, groups))

    def forward(self, sequence: Tensor) -> Tensor:
        inner = self.norm(self.depthwise(sequence))
        inner = self.project(functional.gelu(self.expand(inner)))
        return functional.gelu(inner + self.skip(sequence))


def dense_stack(channels_in: int, channels_out: int, blocks: int, groups: int = 1) -> nn.Sequential:
    """Build ``DeepMLP`` of 1.6; widths are per group."""
    widths = [channels_in] + [max(channels_in // 2**i, channels_out) for i in range(1, blocks + 1)]
    layers = [InvertedResidual(groups * a, groups * b, groups=groups) for a, b in itertools.pairwise(widths)]
    return nn.Sequential(*layers, nn.Conv1d(groups * widths[-1], groups * channels_out, 1, groups=groups))


def coordinate_encoder(hidden: int, size: int) -> nn.Sequential:
    """Build ``enc_x`` or ``enc_D``."""
    wide = EXPANSION * hidden
    return nn.Sequential(
        nn.Linear(FLAT, hidden), nn.LayerNorm(hidden), nn.Linear(hidden, wide), nn.GELU(), nn.Linear(wide, size)
    )


class AudioFPN(nn.Module):
    """Bottom-up only: ``[B, 4*T, 26]`` to one vector per level and frame, a list of ``[B, D, T]``."""

    def __init__(self, size: int) -> None:
        super().__init__()
        widths = ((CHANNELS, 64, 1), (64, 128, 2), (128, 256, 1), (256, size, 2))
        self.front = nn.Sequential(*(InvertedResidual(a, b, 3, stride) for a, b, stride in widths))
        self.coarser = nn.ModuleList(InvertedResidual(size, size, 7, 2) for _ in range(LEVELS - 1))

    def forward(self, audio: Tensor) -> list[Tensor]:
        levels = [self.front(audio.transpose(1, 2))]
        for block in self.coarser:
            levels.append(block(levels[-1]))
        frames = audio.shape[1] // 4
        return [functional.interpolate(level, frames, mode="linear", align_corners=True) for level in levels]


class BaselineGenerator(nn.Module):
    """Reference ``[B, R, 68, 2]`` and audio ``[B, 4*T, 26]`` to motion ``[B, T, 68, 2]``, free running (1.6)."""

    def __init__(self, width: int = 512, hidden: int = 256) -> None:
        super().__init__()
        self.hidden = hidden
        self.audio = AudioFPN(width)
        self.encoder = coordinate_encoder(2 * FLAT, width)
        self.lstm = nn.LSTM(width, hidden, batch_first=True)
        self.trunk = dense_stack(hidden + 2 * width, 2 * FLAT, 3, LEVELS)
        self.leaf = dense_stack(2 * FLAT, FLAT, 1, LEVELS)
        self.mask = dense_stack(2 * FLAT, POINTS, 1, LEVELS)

    def forward(self, reference: Tensor, audio: Tensor, start: Tensor | None = None) -> Tensor:
        """Generate motion; ``start`` is the LSTM's initial state ``[B, 2 * hidden]``, and None draws it."""
        vectors = self.audio(audio)
        start = torch.rand(len(reference), 2 * self.hidden) if start is None else start
        state = tuple(part.unsqueeze(0).contiguous() for part in start.split(self.hidden, dim=1))
        for pose in reference[:, :-1].flatten(2).unbind(1):
            _, state = self.lstm(self.encoder(pose).unsqueeze(1), state)
        pose, motion = reference[:, -1].flatten(1), []
        for frame in range(vectors[0].shape[-1]):
            embedded = self.encoder(pose)
            output, state = self.lstm(embedded.unsqueeze(1), state)
            pose = pose + self._velocity(output[:, 0], embedded, [level[..., frame] for level in vectors])
            motion.append(pose)
        return torch.stack(motion, dim=1).unflatten(2, (POINTS, DIMS))

    def _velocity(self, hidden: Tensor, embedded: Tensor, vectors: list[Tensor]) -> Tensor:
        inputs = torch.cat([torch.cat([hidden, embedded, vector], dim=1) for vector in vectors], dim=1)
        inner = self.trunk(inputs.unsqueeze(-1))
        velocities = self.leaf(inner).reshape(-1, LEVELS, POINTS, DIMS)
        masks = self.mask(inner).reshape(-1, LEVELS, POINTS).softmax(1)
        return (velocities * masks.unsqueeze(-1).repeat(1, 1, 1, DIMS)).sum(1).flatten(1)


class BaselineHead(nn.Module):
    """The projection head of ``D_s`` and ``D_j`` (1.7)."""

    def __init__(self, hidden: int, size: int) -> None:
        super().__init__()
        self.phi = nn.Sequential(spectral_norm(nn.Linear(hidden, size)), nn.ReLU())
        self.psi = nn.Sequential(spectral_norm(nn.Linear(size, size)), nn.ReLU())
        self.project = spectral_norm(nn.Linear(size, hidden))
        self.score = spectral_norm(nn.Linear(size, 1))
        self.beta = nn.Parameter(torch.tensor(5.0))

    def forward(self, condition: Tensor, state: Tensor, first: int) -> Tensor:
        inner = self.phi(state)
        agreement = (self.project(inner) * condition).sum(-1, keepdim=True)
        return self.score(max(1, first) ** (-1 / self.beta) * agreement + self.psi(inner)).squeeze(-1)


class BaselineWindows(nn.Module):
    """``D_s``, or with ``members`` 2 ``D_j``: the LSTM runs on every window by itself."""

    def __init__(self, members: int, hidden: int = 1024, size: int = 2048) -> None:
        super().__init__()
        self.members = members
        self.lstm = nn.LSTM(512, hidden, batch_first=True)
        self.head = BaselineHead(hidden, size)

    def forward(self, condition: Tensor, embedded: Tensor) -> Tensor:
        sequence, before, frames = torch.cat([condition, embedded], dim=1), condition.shape[1], embedded.shape[1]
        pooled = self._pooled(condition)
        lengths = []
        for width in (5, 10, 20, 40):
            half, scores = width // 2, []
            for first in range(max(-before, half - width), frames - width + 1, half):
                state = self._pooled(sequence[:, before + first : before + first + width])
                scores.append(self.head(pooled, state, first))
            if scores:
                lengths.append(torch.stack(scores).mean(0))
        return torch.stack(lengths).mean(0)

    def _pooled(self, sequence: Tensor) -> Tensor:
        state = self.lstm(sequence)[1][0][-1]
        return state if self.members == 1 else state.view(-1, self.members, state.shape[-1]).amax(1)


class BaselineDiscriminator(nn.Module):
    """``D_f``, ``D_s`` and ``D_j`` over one encoder, for sequences of 40 frames (1.7)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = coordinate_encoder(3 * FLAT, 512)
        self.frame = dense_stack(512, 1, 4)
        self.sequence, self.pair = BaselineWindows(1), BaselineWindows(2)

    def forward(self, reference: Tensor, motion: Tensor) -> dict[str, Tensor]:
        condition, embedded = self.encoder(reference[:, -2:].flatten(2)), self.encoder(motion.flatten(2))
        return {
            "frame": self.frame(embedded.transpose(1, 2)).flatten(),
            "sequence": self.sequence(condition, embedded),
            "pair": self.pair(condition, embedded),
        }


class BaselineSyncer(nn.Module):
    """Windows of 5 frames and 20 audio steps to embeddings of 512 numbers (1.5)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(FLAT, 2 * FLAT)
        self.motion = _embedding([2 * FLAT, 2 * FLAT, 2 * FLAT, 2 * FLAT, 2 * FLAT, 512])
        self.audio = _embedding([CHANNELS, 32, 64, 128, 256, 512])

    def forward(self, motion: Tensor, audio: Tensor) -> Tensor:
        """Return the mean cosine of windows of motion ``[B, T, 68, 2]`` and audio ``[B, 4*T, 26]``."""
        motion_windows = motion.flatten(2).unfold(1, 5, 1).flatten(0, 1)
        audio_windows = audio.unfold(1, 20, 4).flatten(0, 1)
        embedded = self.motion(self.stem(motion_windows.transpose(1, 2)).transpose(1, 2))
        return functional.cosine_similarity(embedded, self.audio(audio_windows)).mean()


def _embedding(widths: list[int]) -> nn.Sequential:
    layers = [InvertedResidual(widths[0], widths[1], 3)]
    for narrow, wide in itertools.pairwise(widths[1:]):
        layers += [InvertedResidual(narrow, wide, 3, 2), InvertedResidual(wide, wide, 3)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(1), nn.Linear(widths[-1], widths[-1]))


def parameters(module: nn.Module) -> int:
    """Return the number of parameters."""
    return sum(parameter.numel() for parameter in module.parameters())


@torch.no_grad()
def copy_weights(ours: nn.Module, baseline: nn.Module) -> None:
    """Copy the weights of one of headmotion's networks into its baseline, whose parts come in the same order."""
    for source, target in zip(_tensors(ours), _tensors(baseline), strict=True):
        # Weights of G branches are [G, in, out] as a batch of products, and [G * out, in, 1] as a grouped convolution.
        is_grouped = source.dim() == 3 and source.shape[1] > 1
        weight = rearrange(source, "g n_in n_out -> (g n_out) n_in 1") if is_grouped else source
        target.copy_(weight.reshape(target.shape))


def _tensors(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *(buffer for buffer in module.buffers() if buffer.is_floating_point())]
