"""Drift of a long motion away from its start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from einops import reduce
from typing_extensions import override

from ..core.errors import MotionError
from ..core.interfaces.metric import Curve, Metric, MetricInput, MetricValues, Observation, Plot
from ..core.interfaces.specs import BuildContext
from .measurement import MIN_VARIATION, real_motion
from .pose_curves import PoseCurves
from .signals import Signal
from .specs import DriftSpec


class Drift(Metric):
    """Distance of the mean pose in each window from that in the first, in standard deviations of the real pose.

    It is the root mean square over rotations and translations. Deviations are those within real clips, pooled over
    clips; an axis along which real clips do not move is left out. Motion that wanders around one place soon reaches
    about the distance of its second window and stays there; drift keeps growing.
    """

    needs = frozenset({"real", "long"})

    def __init__(self, spec: DriftSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.window, self.long_frames = spec.window_frames, spec.frames
        self.pose = PoseCurves(context.representation)

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Lengths in frames, and how the pose is measured."""
        return {**self.spec.model_dump(mode="json"), **self.pose.protocol}

    @override
    def observe(self, clip: MetricInput) -> Observation:
        real = real_motion(clip, "drift")
        if clip.long is None or len(clip.long) < self.long_frames:
            got = "none" if clip.long is None else str(len(clip.long))
            raise MotionError("drift", f"{self.long_frames} frames of long motion", got)
        pose = self.pose.measure(clip.long[: self.long_frames], real, "drift")
        # Frames after the last whole window are left out.
        windows = len(pose) // self.window
        means = reduce(pose[: windows * self.window], "(w t) a -> w a", "mean", w=windows)
        return {
            "means": torch.from_numpy(means),
            "variance": torch.from_numpy(self.pose.measure(real, real, "drift").var(axis=0)),
            "seconds": torch.tensor(self.window / float(clip.long.fps), dtype=torch.float64),
        }

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        distances = self._distances(observed)
        if distances is None:
            return MetricValues({}, ("distances: the real clips do not move",))
        mean = distances.mean(axis=0)
        return MetricValues({"distance_near_std": float(mean[0]), "distance_end_std": float(mean[-1])})

    def plots(self, observed: Sequence[Observation]) -> Mapping[str, Plot]:
        """Return the distance over time: its mean over clips, and its 90th percentile."""
        distances = self._distances(observed)
        if distances is None:
            return {}
        # The first distance is that of the second window, whose middle is at one and a half windows.
        seconds = [float(observed[0]["seconds"]) * (k + 1.5) for k in range(distances.shape[1])]
        lines = {"mean": distances.mean(axis=0), "9 of 10 clips": np.percentile(distances, 90, axis=0)}
        curves = {name: Curve(seconds, line.tolist()) for name, line in lines.items()}
        return {"Drift": Plot("seconds", "distance from the first window in real deviations", curves)}

    def _distances(self, observed: Sequence[Observation]) -> Signal | None:
        """Return distances ``[N, K - 1]`` by clip and window, from the second window on; None without real motion."""
        # Variances are pooled over clips: a single clip is too short to know how far its speaker moves.
        deviation = torch.stack([clip["variance"] for clip in observed]).mean(dim=0).sqrt().numpy()
        varying = deviation > MIN_VARIATION
        if not varying.any():
            return None
        means = torch.stack([clip["means"] for clip in observed]).numpy()[..., varying]
        # In units of the deviation, so that degrees and distances can be added up.
        offsets = (means[:, 1:] - means[:, :1]) / deviation[varying]
        return np.asarray(np.sqrt(np.square(offsets).mean(axis=-1)))
