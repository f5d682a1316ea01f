"""The bound of a trained estimator as a metric, with its curve over shifts of the speech."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor

import headmotion as hm
from headmotion.core.files import read_regular
from headmotion.core.interfaces.metric import Curve
from headmotion.metrics.measurement import mean_over_clips
from headmotion.renderers.picture_stream import picture_square

from .bounds import EMPTY
from .estimator import shifted_bounds
from .estimator_file import load_estimator
from .specs import BUNDLED_ESTIMATORS, EstimatorMetricSpec

NAME = "metric amie/estimator"
NEAR = 5
"""Shifts below this (frames) are no mismatch: speech of 200 ms overlaps with that of the frame itself."""


class EstimatorMetric(hm.Metric):
    """How far the bound lies above that of scores without information, and how far it falls with a shift.

    The estimator has to be trained on other clips than those measured. Source: the paper, section 3.2.
    """

    better: Mapping[str, Literal["lower", "higher"]] = {"information": "higher", "information_in_time": "higher"}

    def __init__(self, spec: EstimatorMetricSpec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        path = hm.find_bundled(spec.model, BUNDLED_ESTIMATORS, "estimator")
        self.estimator, self.shifts = load_estimator(path), spec.shifts
        trained, measured = self.estimator.context.representation, context.representation
        if (trained.points, trained.dims) != (measured.points, measured.dims):
            expected = f"an estimator for {measured.name}, {measured.points} points of {measured.dims}"
            got = f"{path}, trained on {trained.name}, {trained.points} of {trained.dims}"
            raise hm.SpecError(NAME, expected, got, "train one on that representation: docs/amie.md")
        self.track = self.estimator.network.spec.track
        self.needs = frozenset({"audio", "pictures"} if self.track == "frames" else {"audio"})
        self.digest = hashlib.sha256(read_regular(path)).hexdigest()

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The estimator's SHA-256, its bound, its track, and the shifts."""
        fields = {"bound": self.estimator.bound, "track": self.track, "shifts": self.shifts, "near": NEAR}
        return {"estimator_sha256": self.digest, **fields}

    @torch.no_grad()
    def observe(self, clip: hm.MetricInput) -> hm.Observation:
        """Return the bound at each shift.

        Raises:
            MotionError: no speech, no pictures if the estimator needs them, or too few frames for the shifts.
        """
        curve = shifted_bounds(self.estimator.network, self._sample(clip), self.estimator.bound, self.shifts)
        return {"bounds": (curve - EMPTY[self.estimator.bound]).double()}

    def per_clip(self, observed: hm.Observation) -> Mapping[str, float]:
        """Return the bound above that of scores without information, and above its own mean over large shifts."""
        curve, middle = observed["bounds"], self.shifts
        far = torch.cat([curve[: max(1, middle - NEAR + 1)], curve[min(2 * middle, middle + NEAR) :]])
        own = float(curve[middle])
        return {"information": own, "information_in_time": own - float(far.mean())}

    def figures(self, observed: Sequence[hm.Observation]) -> hm.MetricValues:
        """Return means over clips."""
        return mean_over_clips(self, observed)

    def plots(self, observed: Sequence[hm.Observation]) -> Mapping[str, hm.Plot]:
        """Return the mean curve over shifts."""
        ms = 1000 / float(self.estimator.context.fps)
        mean = torch.stack([clip["bounds"] for clip in observed]).mean(0).tolist()
        curve = Curve([k * ms for k in range(-self.shifts, self.shifts + 1)], mean)
        return {
            "Information by shift": hm.Plot(
                "shift of the speech in ms", "bound above that of scores without information", {"mean": curve}
            )
        }

    def _sample(self, clip: hm.MetricInput) -> hm.Sample:
        """Return a clip as a batch of one, without reference frames."""
        if clip.audio is None:
            raise hm.MotionError(NAME, "audio of each clip", f"none for {clip.name}")
        if self.track == "frames" and clip.pictures is None:
            raise hm.MotionError(NAME, "pictures, generated and recorded", f"none for {clip.name}")
        trained = self.estimator.context
        motion = clip.generated if clip.generated.fps == trained.fps else clip.generated.resample(trained.fps)
        values = motion.values.float()
        if not bool(values.isfinite().all()):
            raise hm.MotionError(NAME, "finite motion", f"NaN or infinity in {clip.name}")
        representation = trained.representation
        unit = representation.normalize(values, representation.frame_of(values[:1]))[None]
        frames, pictures = unit.shape[1], clip.pictures if self.track == "frames" else None
        if pictures is not None:
            frames = len(pictures.generated)
            unit = unit[:, :frames]
        if frames <= self.shifts + 1:
            raise hm.MotionError(
                NAME, f"more than {self.shifts + 1} frames", f"{frames} in {clip.name}", "lower shifts"
            )
        wave = torch.as_tensor(clip.audio.read(self.estimator.audio_encoder.sample_rate), dtype=torch.float32)
        audio = self.estimator.audio_encoder(wave[None], steps=frames * trained.steps_per_frame)
        sample = hm.Sample(unit[:, :0], unit, audio)
        return sample if pictures is None else self._with_pictures(sample, pictures)

    def _with_pictures(self, sample: hm.Sample, pictures: hm.PicturePair) -> hm.Sample:
        drawn = pictures.generated
        square = picture_square(drawn.shape[-2], drawn.shape[-1])
        poses = self.estimator.context.representation.normalize(pictures.motion.float(), square)[None]
        frames: Tensor = drawn[None].float() / 255
        return replace(sample, frames=frames, picture_motion=poses, identity_pose=poses[:, 0], identity=frames[:, 0])
