"""The discriminators of MS-Sync: single frames, windows of a sequence, windows of joint pairs."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from einops import rearrange, reduce
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from typing_extensions import override

from ..core.errors import SpecError
from ..core.interfaces.discriminator import Discriminator
from ..core.interfaces.sample import Sample
from ..core.interfaces.specs import BuildContext
from .blocks import grouped_stack, pose_encoder
from .specs import MSSyncDiscriminatorSpec
from .window_states import window_states


def window_starts(width: int, frames: int, conditioning: int) -> list[int]:
    """Return the first frames of all windows of one width, half a window apart.

    Args:
        width: frames of a window.
        frames: generated frames; 0 is the first.
        conditioning: reference frames before it, which have negative numbers.
    """
    half = width // 2
    return list(range(max(-conditioning, half - width), frames - width + 1, max(1, half)))


class ProjectionHead(nn.Module):
    """Scores window states ``h`` given a condition ``y``: ``A(d**(-1/beta) * (y . V phi(h)) 1 + psi(phi(h)))``.

    ``d`` is the window's distance from the conditioning frames, ``beta`` is learned. Source: MS-Sync, D_s, after the
    projection discriminator (Miyato and Koyama 2018).
    """

    def __init__(self, hidden: int, size: int) -> None:
        super().__init__()
        self.phi = nn.Sequential(spectral_norm(nn.Linear(hidden, size)), nn.ReLU())
        self.psi = nn.Sequential(spectral_norm(nn.Linear(size, size)), nn.ReLU())
        self.project = spectral_norm(nn.Linear(size, hidden))
        self.score = spectral_norm(nn.Linear(size, 1))
        self.beta = nn.Parameter(torch.tensor(5.0))

    def forward(self, condition: Tensor, states: Tensor, distance: Tensor) -> Tensor:
        """Score windows.

        Args:
            condition: state after the conditioning frames, ``[B, H]``.
            states: state after each window, ``[B, W, H]``.
            distance: of each window from the conditioning frames, in frames, ``[W]``.

        Returns:
            Scores ``[B, W]``.
        """
        inner = self.phi(states)
        agreement = (self.project(inner) * condition.unsqueeze(1)).sum(-1, keepdim=True)
        fade = distance.clamp(min=1).pow(-1 / self.beta).view(1, -1, 1)
        scores: Tensor = self.score(fade * agreement + self.psi(inner))
        return scores.squeeze(-1)


class WindowDiscriminator(nn.Module):
    """Scores windows of several lengths by an LSTM, of single sequences or of pairs together.

    States of a pair are pooled by their maximum. Source: MS-Sync, D_s and D_j (PacGAN, Lin et al. 2018).

    Args:
        spec: of the discriminator.
        members: 1, or 2 for pairs.
    """

    def __init__(self, spec: MSSyncDiscriminatorSpec, members: int) -> None:
        super().__init__()
        self.windows, self.members, self.scored_frames = spec.windows, members, spec.scored_frames
        self.lstm = nn.LSTM(spec.embedding_size, spec.hidden_size, batch_first=True)
        self.head = ProjectionHead(spec.hidden_size, spec.projection_size)

    def forward(self, condition: Tensor, embedded: Tensor) -> Tensor:
        """Score the windows of sequences.

        Args:
            condition: embedded conditioning frames, ``[B, o, E]``.
            embedded: embedded motion, ``[B, T, E]``.

        Returns:
            Mean scores over windows and their lengths, ``[B / members]``.

        Raises:
            SpecError: the motion is shorter than the shortest window.
        """
        first, frames = condition.shape[1], embedded.shape[1]
        starts = [self._thin_out(window_starts(width, frames, first), frames) for width in self.windows]
        counts = [len(firsts) for firsts in starts]
        if not any(counts):
            shortest = min(self.windows, default="some")
            raise SpecError("ms-sync discriminator", f"{shortest} frames, its shortest window", str(frames))
        windows = [
            (first + start, width) for width, firsts in zip(self.windows, starts, strict=True) for start in firsts
        ]
        states = window_states(self.lstm, torch.cat([condition, embedded], dim=1), [(0, first), *windows])
        condition_state, *by_width = torch.split(self._pool_members(states), [1, *counts], dim=1)
        scores = []
        for firsts, of_width in zip(starts, by_width, strict=True):
            if firsts:
                distance = torch.tensor(firsts, dtype=states.dtype, device=states.device)
                scores.append(self.head(condition_state.squeeze(1), of_width, distance).mean(1))
        return torch.stack(scores).mean(0)

    def _pool_members(self, states: Tensor) -> Tensor:
        return reduce(states, "(b members) ... -> b ...", "max", members=self.members)

    def _thin_out(self, starts: list[int], frames: int) -> list[int]:
        """Return every n-th window of a long sequence in training, from a random one on."""
        stride = max(1, frames // self.scored_frames)
        if stride == 1 or not self.training:
            return starts
        return starts[int(torch.randint(stride, ())) :: stride] or starts


class MSSyncDiscriminator(Discriminator):
    """Heads ``frame``, ``sequence`` and ``pair`` over one pose encoder. Source: MS-Sync, D_f, D_s and D_j."""

    def __init__(self, spec: MSSyncDiscriminatorSpec, context: BuildContext) -> None:
        super().__init__(spec)
        flat = context.representation.points * context.representation.dims
        size = spec.embedding_size
        self.conditioning_frames, self.scored_frames = spec.conditioning_frames, spec.scored_frames
        self.encoder = pose_encoder(flat, spec.encoder_size or 3 * flat, size, spec.expansion)
        self.heads = nn.ModuleDict()
        if "frame" in spec.heads:
            self.heads["frame"] = grouped_stack(1, size, 1, 4, spec.expansion)
        for name, members in (("sequence", 1), ("pair", 2)):
            if name in spec.heads:
                self.heads[name] = WindowDiscriminator(spec, members)

    @override
    def forward(self, sample: Sample) -> Mapping[str, Tensor]:
        condition = self.encoder(sample.reference[:, -self.conditioning_frames :].flatten(2))
        embedded = self.encoder(sample.motion.flatten(2))
        scores = {}
        for name, head in self.heads.items():
            if name == "frame":
                frames = rearrange(self._thin_out(embedded), "b t e -> 1 (b t) e")
                scores[name] = head(frames).flatten()
            else:
                even = len(embedded) - len(embedded) % 2 if name == "pair" else len(embedded)
                scores[name] = head(condition[:even], embedded[:even])
        return scores

    def _thin_out(self, embedded: Tensor) -> Tensor:
        """Return every n-th frame of a long sequence in training, from the first or second on."""
        stride = max(1, embedded.shape[1] // self.scored_frames) if self.training else 1
        return embedded if stride == 1 else embedded[:, int(torch.randint(min(2, stride), ())) :: stride]
