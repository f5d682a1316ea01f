"""Spread and speed of head motion, or of all motion where there is no head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from einops import rearrange
from typing_extensions import override

from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.specs import BuildContext
from ..core.motion import Motion
from .measurement import MIN_VARIATION, points_2d, scale_px
from .pose_curves import PoseCurves
from .signals import WINDOW_SECONDS, Signal, WindowedStats, low_pass, windowed_stats
from .specs import HeadMotionSpec

NAME = "head-motion"
MEASURES, SIDES = ("spread", "speed"), ("generated", "real")


class HeadMotion(Metric):
    """Spread (standard deviation in windows of three seconds) and speed of the low-passed pose.

    Ratios are mean over mean, generated over real. A representation without a face also has the spread and speed of
    all its points.
    """

    spec: HeadMotionSpec

    def __init__(self, spec: HeadMotionSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation
        self.pose = PoseCurves(context.representation)
        self.axes = dict(zip(self.pose.axes, self.pose.units, strict=True))
        if not self.pose.is_face:
            self.axes["points"] = "scale"

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The spec, how the pose is measured, and the length of the windows."""
        return {**self.spec.model_dump(mode="json"), **self.pose.protocol, "window_seconds": WINDOW_SECONDS}

    @override
    def observe(self, clip: MetricInput) -> Observation:
        # Both motions are measured in the scale of the real one, where there is one.
        reference = clip.real or clip.generated
        observed = self._stats(clip.generated, reference, "generated")
        return observed | self._stats(clip.real, reference, "real") if clip.real is not None else observed

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Return spread and speed of the generated motion."""
        return {
            name: float(observed[f"generated_{measure}"][k])
            for measure in MEASURES
            for k, name in enumerate(self._value_names(measure))
        }

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        values: dict[str, float] = {}
        notes = []
        for measure in MEASURES:
            means = torch.stack([clip[f"generated_{measure}"] for clip in observed]).mean(dim=0)
            values |= dict(zip(self._value_names(measure), means.tolist(), strict=True))
        # Ratios compare the same clips on both sides.
        with_real = [clip for clip in observed if "real_spread" in clip]
        for measure in MEASURES if with_real else ():
            generated, real = (torch.stack([c[f"{side}_{measure}"] for c in with_real]).mean(dim=0) for side in SIDES)
            for axis, numerator, denominator in zip(self.axes, generated.tolist(), real.tolist(), strict=True):
                if denominator > MIN_VARIATION:
                    # A ratio of means: in a mean of ratios, clips with hardly any real motion would dominate.
                    values[f"{measure}_{axis}_ratio"] = numerator / denominator
                else:
                    notes.append(f"{measure}_{axis}_ratio: the real motion does not move")
        # A window shorter than three seconds has a smaller spread.
        if short := sum(bool(clip["short"]) for clip in observed):
            notes.append(f"{short} of {len(observed)} clips are shorter than {WINDOW_SECONDS} s")
        return MetricValues(values, tuple(notes))

    def _value_names(self, measure: str) -> list[str]:
        rate = "" if measure == "spread" else "_per_s"
        return [f"{measure}_{axis}_{unit}{rate}" for axis, unit in self.axes.items()]

    def _stats(self, motion: Motion, reference: Motion, side: str) -> dict[str, torch.Tensor]:
        fps = float(motion.fps)
        pose = self._windowed(self.pose.measure(motion, reference, NAME), fps)
        spread, speed = pose.std, pose.speed
        if not self.pose.is_face:
            points, reference_points = (points_2d(self.representation, m, NAME) for m in (motion, reference))
            points = points / scale_px(self.representation, reference_points, NAME)
            coordinates = self._windowed(rearrange(points, "t p d -> t (p d)").numpy(), fps)
            # A point has two coordinates, so its mean square is twice that of a coordinate.
            spread, speed = (
                np.append(of_pose, np.sqrt(2 * np.square(of_points).mean()))
                for of_pose, of_points in ((spread, coordinates.std), (speed, coordinates.speed))
            )
        return {
            f"{side}_spread": _zero_rounding(spread),
            f"{side}_speed": _zero_rounding(speed * fps),
            "short": torch.tensor(len(motion) < WINDOW_SECONDS * fps),
        }

    def _windowed(self, signal: Signal, fps: float) -> WindowedStats:
        return windowed_stats(low_pass(signal, self.spec.low_pass_hz, fps, NAME), fps)


def _zero_rounding(values: Signal) -> torch.Tensor:
    """Return the values, with 0 for what rounding leaves of a constant after filtering."""
    return torch.from_numpy(np.where(values < MIN_VARIATION, 0.0, values))
