"""The classifier of action units in pictures: a residual network over single frames."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from torch import Tensor, nn

import headmotion as hm

from .specs import ClassifierSpec
from .unit_targets import require_units, unit_cross_entropy


class ResidualBlock(nn.Module):
    """Two convolutions with a shortcut around them (He and others 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs),
        )  # fmt: skip
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, features: Tensor) -> Tensor:
        """Return features ``[n, outputs, H / stride, W / stride]``."""
        return nn.functional.relu(self.layers(features) + self.shortcut(features))


class Classifier(hm.Discriminator):
    """Logits of the units of each picture. It has no scores: it predicts, and is trained by its errors."""

    needs = frozenset({"motion", "frames"})

    def __init__(self, spec: ClassifierSpec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        require_units(context.representation, "discriminator au/classifier")
        first, *_, last = spec.widths
        layers: list[nn.Module] = [nn.Conv2d(3, first, 7, 2, 3, bias=False), nn.BatchNorm2d(first), nn.ReLU()]
        layers.append(nn.MaxPool2d(3, 2, 1))
        for stage, (inputs, outputs) in enumerate(pairwise((first, *spec.widths))):
            for block in range(spec.blocks):
                stride = 2 if stage and not block else 1
                layers.append(ResidualBlock(outputs if block else inputs, outputs, stride))
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(last, context.representation.points)]
        self.layers = nn.Sequential(*layers)

    def logits(self, frames: Tensor) -> Tensor:
        """Return the logits of units ``[B, T, N]`` in pictures ``[B, T, 3, H, W]``, 0..1."""
        logits: Tensor = self.layers(2 * frames.flatten(0, 1) - 1)
        return logits.unflatten(0, frames.shape[:2])

    def error(self, frames: Tensor, intensities: Tensor) -> Tensor:
        """Return the mean cross-entropy of units ``[B, T, N, 1]`` in pictures ``[B, T, 3, H, W]``."""
        return unit_cross_entropy(self.logits(frames), intensities[..., 0], self.spec.target)

    def forward(self, sample: hm.Sample) -> Mapping[str, Tensor]:
        """Return no scores."""
        return {}

    def predictions(self, sample: hm.Sample) -> Mapping[str, Tensor]:
        """Return the error of the units."""
        assert sample.frames is not None
        return {"units": self.error(sample.frames, sample.motion)}
