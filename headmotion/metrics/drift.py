"""Whether a long motion leaves the place where it began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from typing_extensions import override

from ..core.errors import MotionError
from ..core.interfaces.metric import Curve, Metric, MetricInput, MetricValues, Observation, Plot
from ..core.interfaces.specs import BuildContext
from .filters import Curve as Values
from .motion_specs import DriftSpec
from .pose_curves import PoseCurves
from .validation import STILL, true_motion


class Drift(Metric):
    """Distance of the mean pose in each window from that in the first, in standard deviations of the real pose.

    Root mean square over turns and shifts. Deviations are those within real clips, pooled over clips; an axis along
    which real clips are still is left out. Motion that wanders without going anywhere soon reaches about the distance
    of its second window and stays there; drift goes on growing.
    """

    needs = frozenset({"real", "long"})

    def __init__(self, spec: DriftSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.window, self.long_frames = spec.window_frames, spec.frames
        self.pose = PoseCurves(context.representation)

    @property
    def protocol(self) -> Mapping[str, Any]:
        """How long, in which windows."""
        return {**self.spec.model_dump(mode="json"), **self.pose.protocol}

    @override
    def observe(self, clip: MetricInput) -> Observation:
        real = true_motion(clip, "drift")
        if clip.long is None or len(clip.long) < self.long_frames:
            got = "none" if clip.long is None else str(len(clip.long))
            raise MotionError("drift", f"{self.long_frames} frames of long motion", got)
        long = self.pose.find(clip.long[: self.long_frames], real, "drift")
        whole = long[: len(long) // self.window * self.window].reshape(-1, self.window, long.shape[1])
        return {
            "means": torch.from_numpy(whole.mean(axis=1)),
            "variance": torch.from_numpy(self.pose.find(real, real, "drift").var(axis=0)),
            "seconds": torch.tensor(self.window / float(clip.long.fps), dtype=torch.float64),
        }

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        curve = self._distances(observed)
        if curve is None:
            return MetricValues({}, ("distances: real clips are still",))
        mean = curve.mean(axis=0)
        return MetricValues({"distance_near_std": float(mean[0]), "distance_end_std": float(mean[-1])})

    def plots(self, observed: Sequence[Observation]) -> Mapping[str, Plot]:
        """Mean distance over time, and that of most clips."""
        curve = self._distances(observed)
        if curve is None:
            return {}
        seconds = [float(observed[0]["seconds"]) * (k + 1.5) for k in range(curve.shape[1])]
        lines = {"mean": curve.mean(axis=0), "9 of 10 clips": np.percentile(curve, 90, axis=0)}
        curves = {name: Curve(seconds, line.tolist()) for name, line in lines.items()}
        return {"Drift": Plot("seconds", "real deviations from the first", curves)}

    def _distances(self, observed: Sequence[Observation]) -> Values | None:
        """By clip and window from the second on, ``[N, K - 1]``."""
        deviation = torch.stack([each["variance"] for each in observed]).mean(dim=0).sqrt().numpy()
        moving = deviation > STILL
        if not moving.any():
            return None
        means = torch.stack([each["means"] for each in observed]).numpy()[..., moving]
        apart = (means[:, 1:] - means[:, :1]) / deviation[moving]
        return np.asarray(np.sqrt(np.square(apart).mean(axis=-1)))
