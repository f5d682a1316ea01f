"""The frame discriminator: is a patch of a picture recorded or drawn?"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from torch import Tensor, nn

import headmotion as hm

from .specs import FrameDiscriminatorSpec


class FrameDiscriminator(hm.Discriminator):
    """A logit for each patch of each picture: four halvings, then a linear layer."""

    needs = frozenset({"frames"})

    def __init__(self, spec: FrameDiscriminatorSpec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        size = context.picture_size or (64, 64)
        if min(size) < 32:
            got = " x ".join(map(str, size))
            raise hm.SpecError("discriminator au/frame", "pictures of 32 pixels or more each way", got)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((3, *spec.widths)):
            layers += [nn.Conv2d(inputs, outputs, 3, 2, 1), nn.InstanceNorm2d(outputs), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(spec.widths[-1], 1, 1))

    def forward(self, sample: hm.Sample) -> Mapping[str, Tensor]:
        """Return the logits ``frame`` of all patches, ``[B * T * patches]``."""
        assert sample.frames is not None
        return {"frame": self.layers(2 * sample.frames.flatten(0, 1) - 1).flatten()}
