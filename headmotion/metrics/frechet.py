"""Fréchet distances between features of generated and of real motion.

A plugin measures features of its own in three steps: it derives a spec from `headmotion.metrics.specs.FrechetSpec`,
writes a `FeatureExtractor`, and returns a `Frechet` of both from the spec's ``build``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from typing_extensions import override

from ..core.errors import MotionError, SpecError
from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.specs import BuildContext
from ..core.motion import Motion
from .measurement import points_2d, real_motion
from .specs import FrechetSpec

FPS = Fraction(25)
"""Frames per second at which lengths are counted; motion at other rates is resampled to it."""

BOOTSTRAP_DRAWS = 200
"""Draws for an interval: each takes some hundredths of a second for every value of every source."""


class Gaussian(NamedTuple):
    """Mean and covariance of samples.

    The covariance is stored as a root ``R`` with ``R^T R`` equal to it, so that it cannot lose positive
    semidefiniteness to rounding.
    """

    mean: Tensor
    """``[d]``, float64."""
    root: Tensor
    """``[r, d]``, float64, with ``r = min(n, d)``."""

    @classmethod
    def fit(cls, features: Tensor) -> Gaussian:
        """Return the Gaussian of samples ``[n, d]``, whose covariance is divided by ``n - 1``.

        Raises:
            ValueError: fewer than two samples.
        """
        samples = features.double()
        count, size = samples.shape
        if count < 2:
            raise ValueError(f"two samples or more are needed for a covariance, got {count}")
        mean = samples.mean(0)
        root = (samples - mean) / (count - 1) ** 0.5
        if count > size:
            # The R of a QR decomposition is as good a root, and has only d rows.
            root = torch.linalg.qr(root, mode="r").R
        return cls(mean, root)


def frechet_distance(left: Gaussian, right: Gaussian) -> float:
    """Return ``|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))``, finite and never negative.

    With ``S = R^T R`` the trace of the last term is the sum of the singular values of ``R1 R2^T``, so that no matrix
    root is taken and nothing is added to a singular covariance. Source: Dowson and Landau 1982; Heusel et al. 2017
    (FID).
    """
    mean_term = (left.mean - right.mean).square().sum()
    traces = left.root.square().sum() + right.root.square().sum()
    # The product of two roots is at most as large as the number of samples on either side.
    cross_trace = torch.linalg.svdvals(left.root @ right.root.T).sum()
    # Rounding can leave a tiny negative number where both are equal.
    return max(0.0, float(mean_term + traces - 2 * cross_trace))


class FeatureExtractor(Protocol):
    """Maps poses to the features whose distributions a `Frechet` compares."""

    @property
    def protocol(self) -> Mapping[str, Any]:
        """All that changes the features (settings, hashes of weights), as JSON values."""
        ...

    def __call__(self, poses: Tensor) -> Mapping[str, Tensor]:
        """Return features by name.

        Args:
            poses: ``[n, P, D]`` in the unit square, at 25 fps; ``n`` is the spec's ``frames``.

        Returns:
            By name, ``[samples, d]``; the names become parts of the names of the metric's values.
        """
        ...


class Frechet(Metric):
    """Distance of the Gaussians through all samples of all clips, by feature and generated length.

    Generated and real motion are cropped in the same way: to the generated length, and of that the last frames. Both
    are normalized to the unit square of the real clip's first pose. Source: MS-Sync, section 4; SUHMo.

    Args:
        spec: which frames, of which lengths.
        context: what the metric is built with.
        extractor: the features.
        draws: bootstrap draws that an interval is worth; 0 leaves intervals out.

    Raises:
        SpecError: no duration has as many frames as are compared.
    """

    needs = frozenset({"real"})

    def __init__(
        self, spec: FrechetSpec, context: BuildContext, extractor: FeatureExtractor, draws: int = BOOTSTRAP_DRAWS
    ) -> None:
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
        """Return the features of generated and real motion at each length that the clip has.

        Raises:
            MotionError: no real motion, values that are not finite, or shorter than the shortest length.
        """
        real = real_motion(clip, self._name)
        # The real clip's square for both, so that a generated face of another size or place is a difference.
        unit_square = self.representation.frame_of(real.values[:1])
        observed: dict[str, Tensor] = {}
        for side, motion in (("generated", clip.generated), ("real", real)):
            points_2d(self.representation, motion, self._name)  # only for its checks
            # Velocities per frame can be compared at one rate only.
            poses = self.representation.normalize(_resample(motion).values, unit_square)
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
        """Return one distance for each feature and length; notes say where samples are few."""
        values: dict[str, float] = {}
        few_samples: dict[str, list[str]] = {}
        # Names come from the extractor, so they are known from the observations only.
        for name in dict.fromkeys(key.partition("/")[0] for clip in observed for key in clip):
            generated, real = (_concatenate(observed, f"{name}/{side}") for side in ("generated", "real"))
            count, size = generated.shape
            # A length that a single clip has may still give one sample.
            if count > 1:
                values[name] = frechet_distance(Gaussian.fit(generated), Gaussian.fit(real))
            if count <= size:
                few_samples.setdefault(_few_samples_note(count, size), []).append(name)
        notes = [f"{note}: {', '.join(names)}" for note, names in few_samples.items()]
        return MetricValues(values, (*notes, *self._short_clip_notes(observed)))

    def _short_clip_notes(self, observed: Sequence[Observation]) -> list[str]:
        notes = []
        for duration in self.durations:
            count = sum(any(f"_{duration}f/" in key for key in clip) for clip in observed)
            if count < len(observed):
                notes.append(f"{duration} frames: {count} of {len(observed)} clips, the others are shorter")
        return notes

    @property
    def _name(self) -> str:
        return self.spec.type_name()


def _resample(motion: Motion) -> Motion:
    return motion if motion.fps == FPS else motion.resample(FPS)


def _few_samples_note(count: int, size: int) -> str:
    if count < 2:
        return "one sample has no covariance"
    return f"{count} samples in {size} dimensions make distances too large; compare only at the same count"


def _concatenate(observed: Sequence[Observation], key: str) -> Tensor:
    return torch.cat([clip[key] for clip in observed if key in clip])
