"""How far and how fast the head moves, or the whole of what has no head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from typing_extensions import override

from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.specs import BuildContext
from ..core.motion import Motion
from .filters import Curve, low_pass
from .motion_specs import HeadMotionSpec
from .pose_curves import PoseCurves
from .validation import STILL, plane, size_px
from .windowed_stats import WINDOW_SECONDS, Moments, moments

NAME = "head-motion"
MEASURES, WHO = ("spread", "speed"), ("generated", "real")


class HeadMotion(Metric):
    """Spread (standard deviation in windows of three seconds) and speed of the pose, below a frequency.

    Ratios are mean over mean, generated over real. What has no face also gets the spread and speed of all its points.
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
        """How the pose is found, smoothed and cut."""
        return {**self.spec.model_dump(mode="json"), **self.pose.protocol, "window_seconds": WINDOW_SECONDS}

    @override
    def observe(self, clip: MetricInput) -> Observation:
        beside = clip.real or clip.generated
        found = self._moved(clip.generated, beside, "generated")
        return found | self._moved(clip.real, beside, "real") if clip.real is not None else found

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Spread and speed of the generated motion."""
        return {
            name: float(observed[f"generated_{measure}"][k])
            for measure in MEASURES
            for k, name in enumerate(self._names(measure))
        }

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        values: dict[str, float] = {}
        notes = []
        for measure in MEASURES:
            means = torch.stack([each[f"generated_{measure}"] for each in observed]).mean(dim=0)
            values |= dict(zip(self._names(measure), means.tolist(), strict=True))
        known = [each for each in observed if "real_spread" in each]
        for measure in MEASURES if known else ():
            made, true = (torch.stack([e[f"{who}_{measure}"] for e in known]).mean(dim=0) for who in WHO)
            for axis, over, under in zip(self.axes, made.tolist(), true.tolist(), strict=True):
                if under > STILL:
                    values[f"{measure}_{axis}_ratio"] = over / under
                else:
                    notes.append(f"{measure}_{axis}_ratio: the real motion is still")
        if short := sum(bool(each["short"]) for each in observed):
            notes.append(f"{short} of {len(observed)} clips are shorter than {WINDOW_SECONDS} s")
        return MetricValues(values, tuple(notes))

    def _names(self, measure: str) -> list[str]:
        per = "" if measure == "spread" else "_per_s"
        return [f"{measure}_{axis}_{unit}{per}" for axis, unit in self.axes.items()]

    def _moved(self, motion: Motion, beside: Motion, who: str) -> dict[str, torch.Tensor]:
        fps = float(motion.fps)
        pose = self._moments(self.pose.find(motion, beside, NAME), fps)
        spread, speed = pose.std, pose.speed
        if not self.pose.is_face:
            points, others = (plane(self.representation, each, NAME) for each in (motion, beside))
            each = self._moments((points / size_px(self.representation, others, NAME)).flatten(1).numpy(), fps)
            # Of a point, both of its coordinates.
            spread, speed = (
                np.append(of_pose, np.sqrt(2 * np.square(of_points).mean()))
                for of_pose, of_points in ((spread, each.std), (speed, each.speed))
            )
        return {
            f"{who}_spread": _without_rounding(spread),
            f"{who}_speed": _without_rounding(speed * fps),
            "short": torch.tensor(len(motion) < WINDOW_SECONDS * fps),
        }

    def _moments(self, curves: Curve, fps: float) -> Moments:
        return moments(low_pass(curves, self.spec.low_pass_hz, fps, NAME), fps)


def _without_rounding(values: Curve) -> torch.Tensor:
    """What filters leave of a constant is 0."""
    return torch.from_numpy(np.where(values < STILL, 0.0, values))
