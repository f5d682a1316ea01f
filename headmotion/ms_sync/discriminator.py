"""The discriminators of MS-Sync: single frames, windows of a sequence, windows of joint pairs."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from typing_extensions import override

from ..core.errors import SpecError
from ..core.interfaces.discriminator import Discriminator
from ..core.interfaces.specs import BuildContext
from .blocks import grouped_stack, pose_encoder
from .specs import MSSyncDiscriminatorSpec


def window_starts(width: int, frames: int, conditioning: int) -> list[int]:
    """First frames of the windows of one width; 0 is the first generated frame, negative ones are conditioning."""
    half = width // 2
    return list(range(max(-conditioning, half - width), frames - width + 1, max(1, half)))


class ProjectionHead(nn.Module):
    """Score of window states ``h`` given a condition ``y``: ``A(d**(-1/beta) * (y . V phi(h)) 1 + psi(phi(h)))``.

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
        """Condition ``[B, H]``, states ``[B, W, H]`` and distances ``[W]`` in frames to scores ``[B, W]``."""
        inner = self.phi(states)
        agreement = (self.project(inner) * condition.unsqueeze(1)).sum(-1, keepdim=True)
        fade = distance.clamp(min=1).pow(-1 / self.beta).view(1, -1, 1)
        scores: Tensor = self.score(fade * agreement + self.psi(inner))
        return scores.squeeze(-1)


class WindowDiscriminator(nn.Module):
    """Scores windows of several lengths by an LSTM; with ``members`` 2, of pairs of sequences together.

    Members of a pair are pooled by the maximum. Source: MS-Sync, D_s and D_j (PacGAN, Lin et al. 2018).
    """

    def __init__(self, spec: MSSyncDiscriminatorSpec, members: int) -> None:
        super().__init__()
        self.windows, self.members, self.scored_frames = spec.windows, members, spec.scored_frames
        self.lstm = nn.LSTM(spec.embedding_size, spec.hidden_size, batch_first=True)
        self.head = ProjectionHead(spec.hidden_size, spec.projection_size)

    def forward(self, condition: Tensor, embedded: Tensor) -> Tensor:
        """Embedded conditioning frames ``[B, o, E]`` and motion ``[B, T, E]`` to scores ``[B / members]``."""
        sequence, first = torch.cat([condition, embedded], dim=1), condition.shape[1]
        pooled = self._pooled(self._last_state(condition))
        scores = []
        for width in self.windows:
            starts = self._thinned(window_starts(width, embedded.shape[1], first), embedded.shape[1])
            if not starts:
                continue
            cut = torch.stack([sequence[:, first + i : first + i + width] for i in starts], dim=1)
            states = self._last_state(cut.flatten(0, 1)).reshape(*cut.shape[:2], -1)
            distance = torch.tensor(starts, dtype=sequence.dtype, device=sequence.device)
            scores.append(self.head(pooled, self._pooled(states), distance).mean(1))
        if not scores:
            shortest = min(self.windows, default="some")
            raise SpecError("ms-sync discriminator", f"{shortest} frames, its shortest window", str(embedded.shape[1]))
        return torch.stack(scores).mean(0)

    def _last_state(self, sequence: Tensor) -> Tensor:
        state: Tensor = self.lstm(sequence)[1][0][-1]
        return state

    def _pooled(self, states: Tensor) -> Tensor:
        return states if self.members == 1 else states.reshape(-1, self.members, *states.shape[1:]).amax(1)

    def _thinned(self, starts: list[int], frames: int) -> list[int]:
        every = max(1, frames // self.scored_frames)
        if every == 1 or not self.training:
            return starts
        return starts[int(torch.randint(every, ())) :: every] or starts


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
    def forward(self, reference: Tensor, motion: Tensor) -> Mapping[str, Tensor]:
        condition = self.encoder(reference[:, -self.conditioning_frames :].flatten(2))
        embedded = self.encoder(motion.flatten(2))
        scores = {}
        for name, head in self.heads.items():
            if name == "frame":
                scores[name] = head(self._some_frames(embedded).flatten(0, 1).unsqueeze(0)).flatten()
            else:
                even = len(embedded) - len(embedded) % 2 if name == "pair" else len(embedded)
                scores[name] = head(condition[:even], embedded[:even])
        return scores

    def _some_frames(self, embedded: Tensor) -> Tensor:
        every = max(1, embedded.shape[1] // self.scored_frames) if self.training else 1
        return embedded if every == 1 else embedded[:, int(torch.randint(min(2, every), ())) :: every]
