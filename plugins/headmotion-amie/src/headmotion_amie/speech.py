"""The speech around a frame: windows of features, and the network over one of them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

import headmotion as hm

CONTEXT = (2, 2)
"""Motion frames before and after its own whose speech a frame depends on; together 200 ms at 25 fps."""
MIN_CHANNELS = 9
"""Fewest audio channels that fit through the two poolings of the encoder."""


def windows(features: Tensor, steps_per_frame: int) -> Tensor:
    """Return the windows of speech of frames, ``[B, T, 5 * steps_per_frame, C]``.

    Args:
        features: ``[B, steps_per_frame * (2 + T + 2), C]``: of the frames and of `CONTEXT`.
        steps_per_frame: audio steps per frame.
    """
    size = (CONTEXT[0] + 1 + CONTEXT[1]) * steps_per_frame
    return features.unfold(1, size, steps_per_frame).mT


class SpeechEncoder(nn.Module):
    """The convolutions of AT-net (Chen and others 2019) over a window of 20 x 13 features.

    Features are standardized by running means, and each convolution has a batch norm.
    """

    def __init__(self, widths: Sequence[int], size: int, context: hm.BuildContext, component: str) -> None:
        super().__init__()
        rows, columns = (CONTEXT[0] + 1 + CONTEXT[1]) * context.steps_per_frame, context.audio_channels
        if columns < MIN_CHANNELS or rows < MIN_CHANNELS:
            got = f"{columns} channels and {context.steps_per_frame} steps per frame"
            raise hm.SpecError(component, f"{MIN_CHANNELS} audio channels or more", got, "mfcc with n_mfcc 13 has 13")
        rows, columns = (rows - 2 - 3) // 2 + 1, ((columns - 3) // 2 + 1 - 3) // 2 + 1
        self.steps = context.steps_per_frame
        first, second, third, fourth, fifth = widths
        self.layers = nn.Sequential(
            nn.BatchNorm2d(1, affine=False), *_conv(1, first), *_conv(first, second), nn.MaxPool2d(3, (1, 2)),
            *_conv(second, third), *_conv(third, fourth), *_conv(fourth, fifth), nn.MaxPool2d(3, 2),
            nn.Flatten(), nn.Linear(fifth * rows * columns, size), nn.ReLU(),
        )  # fmt: skip

    def forward(self, features: Tensor) -> Tensor:
        """Encode features ``[B, steps_per_frame * (2 + T + 2), C]`` as a vector per frame, ``[B, T, size]``."""
        cut = windows(features, self.steps)
        encoded: Tensor = self.layers(cut.flatten(0, 1).unsqueeze(1))
        return encoded.unflatten(0, cut.shape[:2])


def _conv(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()
