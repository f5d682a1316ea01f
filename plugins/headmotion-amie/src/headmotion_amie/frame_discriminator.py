"""The frame discriminator: whether a frame is real, and belongs to the speech around it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

import headmotion as hm

from .specs import FrameDiscriminatorSpec
from .speech import CONTEXT, windows

NAME = "discriminator amie/frame"


class FrameDiscriminator(hm.Discriminator):
    """``D(f_i, a_i)``: a network over a frame, a layer over 200 ms of speech, and a score of both.

    Source: the paper, section 3.4.
    """

    audio_context = CONTEXT

    def __init__(self, spec: FrameDiscriminatorSpec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        self.needs = frozenset({"frames", "audio", "motion"} if spec.uses_speech else {"frames", "motion"})
        self.steps, halvings = context.steps_per_frame, len(spec.image_widths)
        height, width = context.picture_size or (64, 64)
        cells = (height >> halvings) * (width >> halvings)
        if not cells:
            expected = f"pictures of {1 << halvings} pixels or more, for {halvings} halvings"
            raise hm.ImageError(NAME, expected, f"{width} x {height}", "take fewer image_widths")
        stages = [
            nn.Sequential(nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(0.2))
            for inputs, outputs in pairwise((3, *spec.image_widths))
        ]
        flat = spec.image_widths[-1] * cells
        self.image = nn.Sequential(*stages, nn.Flatten(), nn.Linear(flat, spec.image_size), nn.LeakyReLU(0.2))
        if spec.uses_speech:
            self.scale = nn.BatchNorm1d(context.audio_channels, affine=False)
            window = (CONTEXT[0] + 1 + CONTEXT[1]) * self.steps * context.audio_channels
            self.speech = nn.Sequential(nn.Linear(window, spec.speech_size), nn.LeakyReLU(0.2))
        self.score = nn.Sequential(
            nn.Linear(spec.image_size + spec.uses_speech * spec.speech_size, spec.image_size),
            nn.LeakyReLU(0.2),
            nn.Linear(spec.image_size, 1),
        )

    def forward(self, sample: hm.Sample) -> Mapping[str, Tensor]:
        """Return a score for every frame as ``pair``, ``[B * T]``, or as ``frame`` if it does not use speech."""
        assert sample.frames is not None
        image_features = self.image(2 * sample.frames.flatten(0, 1) - 1)
        if not self.spec.uses_speech:
            return {"frame": self.score(image_features).squeeze(-1)}
        features = self.scale(sample.audio_around(*CONTEXT).mT).mT
        speech_features = self.speech(windows(features, self.steps).flatten(2)).flatten(0, 1)
        return {"pair": self.score(torch.cat([image_features, speech_features], dim=-1)).squeeze(-1)}
