"""The regression-based discriminator of ATVGnet: it scores a sequence of pictures, and finds the landmarks in them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

import headmotion as hm
from headmotion.core.interfaces.representation import require_points2d

from .conv_blocks import draw_initial_weights
from .specs import RegressionSpec
from .vg_net import LANDMARK_SCALE

LAYERS = 3
"""Layers of the LSTM."""


class Regression(hm.Discriminator):
    """A score of the sequence, the mean over frames, and the landmarks ``p = p_still + tanh(W h)`` of each frame.

    Source: the paper, section 3.4. Errors of the mouth's y coordinates count ``mouth_factor`` times before they are
    squared.
    """

    needs = frozenset({"frames"})

    def __init__(self, spec: RegressionSpec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        representation = context.representation
        require_points2d(representation, "discriminator atvg/regression")
        if not representation.groups.get("lips"):
            raise hm.SpecError("discriminator atvg/regression", "a representation with lips", representation.name)
        height, width = context.picture_size or (64, 64)
        if height != width or height % 16:
            got = f"{width} x {height}"
            raise hm.SpecError("discriminator atvg/regression", "square pictures, a multiple of 16 pixels", got)
        self.representation, self.weight = representation, spec.landmark_weight
        widths, flat = (3, *spec.image_widths), 2 * representation.points
        layers: list[nn.Module] = []
        for number, (inputs, outputs) in enumerate(pairwise(widths)):
            layers.append(nn.Conv2d(inputs, outputs, 3, 2, 1))
            layers += [nn.BatchNorm2d(outputs)] if number else []
            layers.append(nn.ReLU())
        self.flat_size = widths[-1] * (height // 16) ** 2
        self.frame = nn.Sequential(*layers, nn.Flatten(), nn.Linear(self.flat_size, spec.frame_size), nn.ReLU())
        first, second = spec.pose_widths
        self.pose = nn.Sequential(nn.Linear(flat, first), nn.ReLU(), nn.Linear(first, second), nn.ReLU())
        self.memory = nn.LSTM(second + spec.frame_size, spec.hidden_size, LAYERS, batch_first=True)
        self.score, self.landmarks = nn.Linear(spec.hidden_size, 1), nn.Linear(spec.hidden_size, flat)
        factors = torch.ones(representation.points, 2)
        factors[list(representation.groups["lips"]), 1] = spec.mouth_factor
        self.register_buffer("factors", factors.flatten(), persistent=False)
        draw_initial_weights(self)

    def forward(self, sample: hm.Sample) -> Mapping[str, Tensor]:
        """Return the score ``sequence`` ``[B]``, before the sigmoid."""
        return {"sequence": self.score(self._states(sample)).mean((1, 2))}

    def predictions(self, sample: hm.Sample) -> Mapping[str, Tensor]:
        """Return the mean squared error of the landmarks, in the network's units, each times its factor."""
        assert sample.identity_pose is not None and sample.picture_motion is not None
        predicted = self._flat(sample.identity_pose)[:, None] + torch.tanh(self.landmarks(self._states(sample)))
        error = (predicted - self._flat(sample.picture_motion)) * self.get_buffer("factors").to(predicted)
        return {"landmarks": self.weight * error.square().mean()}

    def _states(self, sample: hm.Sample) -> Tensor:
        """Return the states of the LSTM over the frames, ``[B, T, hidden_size]``."""
        assert sample.frames is not None and sample.identity_pose is not None
        batch, frames = sample.frames.shape[:2]
        frame_features = self.frame(2 * sample.frames.flatten(0, 1) - 1).unflatten(0, (batch, frames))
        still = self.pose(self._flat(sample.identity_pose))[:, None].expand(-1, frames, -1)
        return cast("Tensor", self.memory(torch.cat([still, frame_features], dim=-1))[0])

    def _flat(self, poses: Tensor) -> Tensor:
        return LANDMARK_SCALE * (self.representation.to_points2d(poses) - 0.5).flatten(-2)
