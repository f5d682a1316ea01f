"""AT-net, the generator of ATVGnet: a window of speech and the pose at the start become coefficients of landmarks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

import headmotion as hm

from .conv_blocks import draw_initial_weights
from .landmark_pca import Alignment, LandmarkPCA
from .specs import ATNetSpec

BEHIND, AHEAD = 3, 3
"""Motion frames before and after its own whose speech a frame depends on; together 280 ms at 25 fps."""
LAYERS = 3
"""Layers of the LSTM."""


class State(NamedTuple):
    """A stream of AT-net."""

    pose: Tensor
    """The reference ``[B, P, D]``."""
    held: Tensor
    """Features ``[B, steps_per_frame * n, C]`` from ``BEHIND`` frames before the next frame on."""
    hidden: Tensor
    """``[LAYERS, B, hidden_size]``."""
    cell: Tensor
    """``[LAYERS, B, hidden_size]``."""


class ATNet(hm.Generator):
    """``h_t = h_r + W LSTM([f(speech around t), g(h_r)])`` with those of the reference, ``h_r``; streams.

    Source: the paper, section 3.1. Zeros stand for the speech before the beginning and after the end: silence, whose
    cepstral coefficients are zero but for the first. With a basis of its own it moves the face of the reference, whose
    deviation from the mean face stays; the head keeps the place that it has in the reference.
    """

    context_frames = 1
    lookahead = AHEAD

    def __init__(self, spec: ATNetSpec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        self.weight, self.steps, self.first = spec.weight, context.steps_per_frame, spec.first_channel
        representation = context.representation
        if representation.name != LandmarkPCA.name and (representation.name, representation.dims) != ("landmarks68", 2):
            expected = "motion of landmarks68 with 2 numbers per point, or of atvg/landmark-pca"
            raise hm.SpecError(
                "generator atvg/at-net", expected, f"{representation.name}, {representation.dims} numbers"
            )
        self.own_basis = None if representation.name == LandmarkPCA.name else LandmarkPCA(spec.basis)
        self.count = representation.points if self.own_basis is None else self.own_basis.points
        gains = spec.gains or (1.0,) * self.count
        if len(gains) != self.count:
            raise hm.SpecError("generator atvg/at-net", f"{self.count} gains", str(len(gains)))
        self.register_buffer("gains", torch.tensor(gains), persistent=False)
        rows, columns = (BEHIND + 1 + AHEAD) * self.steps, context.audio_channels - self.first
        # What two poolings of 3 leave of the window; see the paper's 28 x 12, of which 12 x 2 are left.
        rows, columns = (rows - 3) // 2, ((columns - 3) // 2 + 1 - 3) // 2 + 1
        if min(rows, columns) < 1:
            got = f"{context.audio_channels} channels and {self.steps} steps per frame"
            raise hm.SpecError("generator atvg/at-net", "7 audio channels or more after the first", got, "mfcc has 13")
        first, second, third, fourth, fifth = spec.conv_widths
        self.flat_size = fifth * rows * columns
        self.speech = nn.Sequential(
            *_conv(1, first), *_conv(first, second), nn.MaxPool2d(3, (1, 2)),
            *_conv(second, third), *_conv(third, fourth), *_conv(fourth, fifth), nn.MaxPool2d(3, 2), nn.Flatten(),
            nn.Linear(self.flat_size, spec.audio_widths[0]), nn.ReLU(),
            nn.Linear(spec.audio_widths[0], spec.audio_widths[1]), nn.ReLU(),
        )  # fmt: skip
        narrow, wide = spec.pose_widths
        self.pose = nn.Sequential(nn.Linear(self.count, narrow), nn.ReLU(), nn.Linear(narrow, wide), nn.ReLU())
        self.memory = nn.LSTM(spec.audio_widths[1] + wide, spec.hidden_size, LAYERS, batch_first=True)
        self.head = nn.Linear(spec.hidden_size, self.count)
        draw_initial_weights(self)

    fit_source = LandmarkPCA.fit_source

    @property
    def fitted(self) -> bool:
        """Whether the generator's own basis is there; a pipeline of coefficients needs none."""
        return self.own_basis is None or self.own_basis.fitted

    def fit(self, motions: Iterable[Tensor]) -> None:
        """Fit the generator's own basis to motions ``[t, 68, 2]`` of the unit frame.

        Raises:
            MotionError: the pipeline's motion is coefficients already, or the poses do not vary enough.
        """
        if self.own_basis is None:
            remedy = "fit the representation: {type: fit}"
            raise hm.MotionError("generator atvg/at-net", "a basis of its own", "the representation's", remedy)
        self.own_basis.fit(motions)

    def forward(self, reference: Tensor, audio: Tensor, seed: int | Sequence[int] = 0) -> Tensor:
        """Generate motion ``[B, T, P, D]`` from a reference ``[B, R, P, D]`` and audio ``[B, A, C]``; no randomness."""
        return self.step(audio, self.init_state(reference, seed), last=True)[0]

    def init_state(self, reference: Tensor, seed: int | Sequence[int] = 0) -> State:
        """Return the state of a stream that continues the reference ``[B, R, P, D]``."""
        zeros = reference.new_zeros(LAYERS, len(reference), self.memory.hidden_size)
        # The number of channels is not known yet, and silence is all zeros.
        return State(reference[:, -1], reference.new_zeros(len(reference), BEHIND * self.steps, 0), zeros, zeros)

    def step(self, audio: Tensor, state: State, last: bool = False) -> tuple[Tensor, State]:
        """Take the audio of the next frames; return the frames ``[B, t, P, D]`` that it determines, and the state."""
        held = state.held if state.held.shape[2] else audio.new_zeros(*state.held.shape[:2], audio.shape[2])
        held = torch.cat([held, audio], dim=1)
        if last:
            held = functional.pad(held, (0, 0, 0, AHEAD * self.steps))
        count = max(0, held.shape[1] // self.steps - BEHIND - AHEAD)
        if not count:
            return state.pose[:, None][:, :0], state._replace(held=held)
        start = self._encode(state.pose)
        changes, hidden, cell = self._changes(held, start, (state.hidden, state.cell))
        values = start[:, None] + changes * self.gains.to(changes)
        return self._decode(values, state.pose), State(state.pose, held[:, count * self.steps :], hidden, cell)

    def training_terms(self, real: hm.Sample, step: int, seed: int | Sequence[int]) -> Mapping[str, Tensor]:
        """Return the mean squared error of the coefficients, the published loss."""
        audio = real.audio[:, -real.motion.shape[1] * self.steps :]
        padded = functional.pad(audio, (0, 0, BEHIND * self.steps, AHEAD * self.steps))
        start = self._encode(real.reference[:, -1])
        predicted = start[:, None] + self._changes(padded, start, None)[0]
        return {"coefficients": self.weight * (predicted - self._encode(real.motion)).square().mean()}

    def _changes(
        self, features: Tensor, pose: Tensor, state: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return by how much coefficients ``[B, t, K]`` differ from those of the reference, and the LSTM's state.

        The paper takes the identity out of all landmarks. Without that the reference has to pass unchanged through the
        LSTM, whose errors then hide the speech.
        """
        size = (BEHIND + 1 + AHEAD) * self.steps
        windows = features[..., self.first :].unfold(1, size, self.steps).mT  # [B, t, size, channels]
        batch, frames = windows.shape[:2]
        encoded = self.speech(windows.flatten(0, 1).unsqueeze(1)).unflatten(0, (batch, frames))
        still = self.pose(pose)[:, None].expand(-1, frames, -1)
        states, (hidden, cell) = self.memory(torch.cat([encoded, still], dim=-1), state)
        return self.head(states), hidden, cell

    def _encode(self, motion: Tensor) -> Tensor:
        """Return the coefficients ``[..., K]`` of poses ``[..., P, D]``."""
        return motion.squeeze(-1) if self.own_basis is None else self.own_basis.encode(motion)

    def _decode(self, values: Tensor, pose: Tensor) -> Tensor:
        """Return poses ``[B, t, P, D]`` of coefficients ``[B, t, K]``, from the reference ``[B, P, D]`` on."""
        if self.own_basis is None:
            return values.unsqueeze(-1)
        alignment = self.own_basis.alignment(pose)
        moved = self.own_basis.displacements(values - self.own_basis.encode(pose)[:, None])
        frame_alignments = Alignment(alignment.linear[:, None], alignment.offset[:, None])
        return frame_alignments.invert(alignment.apply(pose)[:, None] + moved)


def _conv(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return cast("tuple[nn.Module, ...]", (nn.Conv2d(inputs, outputs, 3, 1, 1), nn.BatchNorm2d(outputs), nn.ReLU()))
