"""LPIPS: distance of pictures by the features of a network, with weights from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from typing_extensions import override

from ..core.errors import MotionError
from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.weights import load_weights
from .lpips_network import LpipsNetwork
from .measurement import mean_over_clips, scalar
from .picture_similarity import checked_pictures
from .specs import LpipsSpec

REMEDY = 'safetensors.torch.save_model(lpips.LPIPS(net="alex"), "lpips.safetensors") makes it from the package lpips'
MIN_EDGE = 32
"""Smaller pictures do not reach the last layer."""
FRAMES_AT_ONCE = 8


class Lpips(Metric):
    """Learned perceptual distance of each frame, averaged over the frames of a clip. Source: Zhang et al. 2018."""

    needs = frozenset({"pictures"})
    better: Mapping[str, Literal["lower", "higher"]] = {"lpips": "lower"}

    def __init__(self, spec: LpipsSpec) -> None:
        super().__init__(spec)
        self.network = LpipsNetwork()
        self.digest = load_weights(self.network, spec.weights, "LPIPS", REMEDY)

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The network and the file's SHA-256."""
        return {"network": "alex", "weights_sha256": self.digest}

    @override
    @torch.no_grad()
    def observe(self, clip: MetricInput) -> Observation:
        pair, values = checked_pictures(clip, "lpips"), []
        if min(pair.real.shape[-2:]) < MIN_EDGE:
            raise MotionError("lpips", f"pictures of {MIN_EDGE} pixels or more each way", str(list(pair.real.shape)))
        for first in range(0, len(pair.real), FRAMES_AT_ONCE):
            frames = slice(first, first + FRAMES_AT_ONCE)
            generated, real = (pictures[frames].float() / 255 for pictures in (pair.generated, pair.real))
            values.append(self.network(generated, real))
        return {"lpips": scalar(float(torch.cat(values).mean()))}

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Return the mean over frames."""
        return {"lpips": float(observed["lpips"])}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        return mean_over_clips(self, observed)
