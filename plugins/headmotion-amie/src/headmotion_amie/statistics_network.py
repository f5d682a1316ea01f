"""The statistics network of the estimator: how well a frame, or a window of motion, goes with the speech around it."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

import headmotion as hm
from headmotion.core.audio_context import steps_between

from .alignment import HeadAlignment, cut_out
from .specs import StatisticsSpec
from .speech import CONTEXT, windows


class StatisticsNetwork(nn.Module):
    """``T(x, a)``: a network over pictures or motion, another over 200 ms of speech, and a third over both.

    Source: the paper, figure 2b. Features of speech, and motion, are standardized by running means; motion is taken
    relative to its mean over the clip, which depends on the person and not on the speech.

    Args:
        spec: its widths and inputs.
        context: what it is built in.
        component: the part that it belongs to, for errors.
    """

    def __init__(self, spec: StatisticsSpec, context: hm.BuildContext, component: str) -> None:
        super().__init__()
        self.spec, self.steps = spec, context.steps_per_frame
        span = CONTEXT[0] + 1 + CONTEXT[1]
        if spec.track == "frames":
            self.alignment = HeadAlignment(context.representation, component)
            self.visual: nn.Module = picture_network(spec.image_widths)
            visual_size = spec.image_widths[-1]
        else:
            flat = span * context.representation.points * context.representation.dims
            self.visual = nn.Sequential(nn.BatchNorm1d(flat, affine=False), *layers(flat, *spec.motion_widths))
            visual_size = spec.motion_widths[-1]
        self.scale = nn.BatchNorm1d(context.audio_channels, affine=False)
        self.speech = nn.Sequential(*layers(span * self.steps * context.audio_channels, *spec.speech_widths))
        # The first layer over both, in two parts, so that it need not be computed for every pair.
        self.from_visual = nn.Linear(visual_size, spec.joint_width)
        self.from_speech = nn.Linear(spec.speech_widths[-1], spec.joint_width, bias=False)
        self.score = nn.Linear(spec.joint_width, 1)

    def forward(self, sample: hm.Sample) -> Tensor:
        """Score every frame of a sample with the speech around every frame of the same clip, ``[B, T, T]``."""
        visual, speech = self.from_visual(self.embed_visual(sample)), self.from_speech(self.embed_speech(sample))
        joined = functional.leaky_relu(visual[:, :, None] + speech[:, None], 0.2)
        scores: Tensor = self.score(joined)
        return scores.squeeze(-1)

    def embed_visual(self, sample: hm.Sample) -> Tensor:
        """Return an embedding of the picture of each frame, or of the motion around it, ``[B, T, size]``."""
        batch, frames = sample.motion.shape[:2]
        if self.spec.track == "motion":
            motion = (sample.motion - sample.motion.mean(1, keepdim=True)).flatten(2)
            # Beyond the ends the first and the last pose are repeated.
            near = steps_between(motion, -CONTEXT[0], frames + CONTEXT[1])
            inputs = near.unfold(1, CONTEXT[0] + 1 + CONTEXT[1], 1).flatten(2).flatten(0, 1)
        else:
            inputs = self._pictures(sample).flatten(0, 1)
        encoded: Tensor = self.visual(inputs)
        return encoded.unflatten(0, (batch, frames))

    def embed_speech(self, sample: hm.Sample) -> Tensor:
        """Return an embedding of the speech around each frame, ``[B, T, size]``."""
        features = sample.audio_around(*CONTEXT)
        scaled = self.scale(features.mT).mT
        encoded: Tensor = self.speech(windows(scaled, self.steps).flatten(2))
        return encoded

    def _pictures(self, sample: hm.Sample) -> Tensor:
        """Return the part of pictures that the network takes, ``[B, T, 3, n, n]``, -1..1."""
        assert sample.frames is not None and sample.identity_pose is not None and sample.picture_motion is not None
        if self.spec.region == "picture":
            return 2 * sample.frames - 1
        # The square must not depend on the recorded lips, or its position would reveal the speech.
        moved = self.alignment.fit(sample.identity_pose, sample.picture_motion)
        center, side = self.alignment.lips_square(sample.identity_pose, self.spec.side)
        return 2 * cut_out(sample.frames, moved, center, side, self.spec.size) - 1


def picture_network(widths: tuple[int, ...]) -> nn.Sequential:
    """Return convolutions of kernel 4 that halve the size, and a mean: pictures ``[N, 3, n, n]`` become ``[N, E]``.

    There is no batch norm, which would make a picture's features depend on the others of its batch.
    """
    stages = [
        nn.Sequential(nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(0.2))
        for inputs, outputs in pairwise((3, *widths))
    ]
    return nn.Sequential(*stages, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def layers(*widths: int) -> list[nn.Module]:
    """Return linear layers with an activation behind each."""
    return [layer for inputs, outputs in pairwise(widths) for layer in (nn.Linear(inputs, outputs), nn.LeakyReLU(0.2))]
