"""Fréchet distances between features of generated and of real motion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Protocol

import torch
from torch import Tensor
from typing_extensions import override

from ..core.errors import MotionError, SpecError
from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.specs import BuildContext
from ..core.motion import Motion
from .frechet_specs import LastFramesSpec
from .gaussian import Gaussian, frechet_distance
from .validation import plane, true_motion

FPS = Fraction(25)
"""Frames per second at which lengths are counted; motion at other rates is brought to it."""

DRAWS = 200
"""Draws of an interval: each takes some hundredths of a second, as many times as there are figures and sources."""


class Extractor(Protocol):
    """What is compared of motion. A plugin's own makes a metric of `Frechet` in its spec's ``build``."""

    @property
    def protocol(self) -> Mapping[str, Any]:
        """All that changes its features, as JSON values."""
        ...

    def __call__(self, poses: Tensor) -> Mapping[str, Tensor]:
        """Poses ``[n, P, D]`` of the unit frame to features by name, each ``[samples, d]``."""
        ...


class Frechet(Metric):
    """Distance of the Gaussians through all samples of all clips, by kind of feature and generated length.

    Generated and real motion are cut alike: to the generated length, and of that the last frames. Both are brought to
    the unit frame of the real clip's first pose. Source: MS-Sync, section 4; SUHMo.
    """

    needs = frozenset({"real"})

    def __init__(self, spec: LastFramesSpec, context: BuildContext, extractor: Extractor, draws: int = DRAWS) -> None:
        super().__init__(spec)
        self.extractor, self.representation, self.draws = extractor, context.representation, draws
        self.frames = spec.frames
        self.durations = sorted({length for length in spec.durations if length >= spec.frames})
        if not self.durations:
            expected = f"a duration of {spec.frames} frames or more"
            raise SpecError(f"{spec.type_name()} spec", expected, str(spec.durations))

    @property
    @override
    def protocol(self) -> Mapping[str, Any]:
        extracted = dict(self.extractor.protocol)
        return {"frames": self.frames, "durations": self.durations, "fps": float(FPS)} | extracted

    @override
    @torch.no_grad()
    def observe(self, clip: MetricInput) -> Observation:
        """Features of either motion at each length that the clip has.

        Raises:
            MotionError: no real motion, values that are not finite, or shorter than the shortest length.
        """
        real = true_motion(clip, self._name)
        frame = self.representation.frame_of(real.values[:1])
        observed: dict[str, Tensor] = {}
        for side, motion in (("generated", clip.generated), ("real", real)):
            plane(self.representation, motion, self._name)
            poses = self.representation.normalize(_at_fps(motion).values, frame)
            for duration in self.durations:
                if len(poses) >= duration:
                    for name, features in self.extractor(poses[duration - self.frames : duration]).items():
                        observed[f"{name}_{duration}f/{side}"] = features
        if not observed:
            expected = f"at least {self.durations[0]} frames at {FPS} fps"
            raise MotionError(self._name, expected, f"{len(clip.generated)} at {clip.generated.fps} in {clip.name}")
        return observed

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        """One distance for each kind of feature and length; a note where samples are few."""
        values = {}
        few: dict[str, list[str]] = {}
        for name in dict.fromkeys(key.partition("/")[0] for clip in observed for key in clip):
            generated, real = (_joined(observed, f"{name}/{side}") for side in ("generated", "real"))
            count, size = generated.shape
            if count > 1:
                values[name] = frechet_distance(Gaussian.of(generated), Gaussian.of(real))
            if count <= size:
                few.setdefault(_caution(count, size), []).append(name)
        notes = [f"{caution}: {', '.join(names)}" for caution, names in few.items()]
        return MetricValues(values, (*notes, *self._shorter(observed)))

    def _shorter(self, observed: Sequence[Observation]) -> list[str]:
        notes = []
        for duration in self.durations:
            have = sum(any(f"_{duration}f/" in key for key in clip) for clip in observed)
            if have < len(observed):
                notes.append(f"{duration} frames: of {have} of {len(observed)} clips, the others are shorter")
        return notes

    @property
    def _name(self) -> str:
        return self.spec.type_name()


def _at_fps(motion: Motion) -> Motion:
    return motion if motion.fps == FPS else motion.resample(FPS)


def _caution(count: int, size: int) -> str:
    if count < 2:
        return "one sample has no covariance"
    return f"{count} samples in {size} dimensions, which makes distances too large; compare only with as many"


def _joined(observed: Sequence[Observation], key: str) -> Tensor:
    return torch.cat([clip[key] for clip in observed if key in clip])
