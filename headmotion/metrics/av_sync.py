"""Are audio and motion in time with each other, at each scale?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal

import torch
from torch import Tensor
from typing_extensions import override

from ..core.errors import MotionError
from ..core.interfaces.metric import Curve, Metric, MetricInput, MetricValues, Observation, Plot
from ..core.interfaces.specs import BuildContext
from ..sync.av_offset import CURVES, best_shift
from .av_sync_specs import AVSyncSpec
from .means import averaged
from .syncer_model import Judge

TOGETHER = 16
"""Clips that go through the syncers at once; more are no faster, and take memory."""


class AVSync(Metric):
    """Distance curves of every clip at every level, and what they say. Source: MS-Sync, section 4; SyncNet."""

    needs = frozenset({"audio"})

    def __init__(self, spec: AVSyncSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.judge = Judge(spec.syncers, context.representation)
        self.trained = self.judge.trained
        self.convention, self.reach = spec.convention, spec.reach
        pyramid = self.trained.syncers.pyramid
        self.frame_ms = [1000 * pyramid.stride**level / self.trained.fps for level in range(pyramid.levels)]
        ends: dict[str, Literal["lower", "higher"]] = {"lse_d": "lower", "lse_c": "higher"}
        for level in range(pyramid.levels):
            ends |= dict.fromkeys([f"level{level}_{name}" for name in ("offset_frames", "offset_ms")], "lower")
            ends |= {f"level{level}_distance": "lower", f"level{level}_confidence": "higher"}
        self.better: Mapping[str, Literal["lower", "higher"]] = ends

    @property
    @override
    def protocol(self) -> Mapping[str, Any]:
        return {**self.judge.protocol, "convention": self.convention, "reach": self.reach}

    @override
    def observe(self, clip: MetricInput) -> Observation:
        """The distance curve ``[2 * V_l + 1]`` of every level that the clip has a whole window of, finest first.

        Raises:
            MotionError: no speech, values that are not finite, or shorter than one window of the finest level.
        """
        return self.observe_batch([clip])[0]

    def observe_batch(self, clips: Sequence[MetricInput]) -> list[Observation]:
        """`observe` of many clips at once; those of equal length go through the syncers together.

        Raises:
            MotionError: as `observe`, for the first clip that cannot be measured.
        """
        prepared = [self._inputs(clip) for clip in clips]
        alike: dict[int, list[int]] = {}
        for number, (motion, _) in enumerate(prepared):
            alike.setdefault(len(motion), []).append(number)
        found: dict[int, Observation] = {}
        for numbers in alike.values():
            for few in (numbers[k : k + TOGETHER] for k in range(0, len(numbers), TOGETHER)):
                motion, audio = (torch.stack(each) for each in zip(*(prepared[k] for k in few), strict=True))
                found |= zip(few, self._curves(motion, audio), strict=True)
        return [found[number] for number in range(len(clips))]

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Size of the offset, least distance and confidence of each level; LSE-D and LSE-C are those of the finest."""
        told: dict[str, float] = {}
        for name, frame_ms in zip(self._levels, self.frame_ms, strict=True):
            if name in observed:
                offset, distance, confidence = (float(each) for each in best_shift(observed[name]))
                told |= {f"{name}_offset_frames": abs(offset), f"{name}_offset_ms": abs(offset) * frame_ms}
                told |= {f"{name}_distance": distance, f"{name}_confidence": confidence}
        return told | {"lse_d": told["level0_distance"], "lse_c": told["level0_confidence"]}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        """Means over clips, at each level over those that are long enough for it."""
        return MetricValues(averaged(self, observed).values, tuple(self._notes(observed)))

    def plots(self, observed: Sequence[Observation]) -> Mapping[str, Plot]:
        """The mean distance curve of each level, over the shifts that all clips have."""
        curves = {}
        for name, frame_ms in zip(self._levels, self.frame_ms, strict=True):
            if found := [clip[name] for clip in observed if name in clip]:
                mean = _middle_mean(found).flip(0)  # from the shift of the audio to the offset
                offsets = range(-(len(mean) // 2), len(mean) // 2 + 1)
                curves[f"{name}, {frame_ms:g} ms"] = Curve([k * frame_ms for k in offsets], mean.tolist())
        return {"Distance by offset": Plot("offset of the audio in ms, late is negative", "mean distance", curves)}

    @property
    def _levels(self) -> list[str]:
        return [f"level{level}" for level in range(len(self.frame_ms))]

    def _inputs(self, clip: MetricInput) -> tuple[Tensor, Tensor]:
        """Motion ``[T, P, D]`` of the unit frame and audio steps ``[4*T, C]``, both at the rate of the syncers."""
        if clip.audio is None:
            raise MotionError("av-sync", "the speech of each clip", f"none for {clip.name}")
        fps = Fraction(self.trained.fps).limit_denominator(1001)
        motion = clip.generated if clip.generated.fps == fps else clip.generated.resample(fps)
        if not bool(torch.isfinite(motion.values).all()):
            raise MotionError("av-sync", "finite motion", f"NaN or infinity in {clip.name}")
        if len(motion) < self.trained.syncers.window:
            expected = f"at least {self.trained.syncers.window} frames at {self.trained.fps:g} fps"
            raise MotionError("av-sync", expected, f"{len(motion)} in {clip.name}")
        return self.trained.inputs(motion.values, clip.audio.read(self.trained.audio_encoder.sample_rate))

    def _curves(self, motion: Tensor, audio: Tensor) -> list[Observation]:
        curve = CURVES[self.convention]
        levels = self.trained.syncers.curves(motion, audio, self.trained.space, curve, self.reach)
        return [{f"level{level}": each[k] for level, each in enumerate(levels)} for k in range(len(motion))]

    def _notes(self, observed: Sequence[Observation]) -> list[str]:
        notes = []
        for name, frame_ms in zip(self._levels, self.frame_ms, strict=True):
            if missing := sum(name not in clip for clip in observed):
                shortest = self.trained.syncers.window * frame_ms
                notes.append(f"{name} leaves out {missing} of {len(observed)} clips, shorter than {shortest:g} ms")
        return notes


def _middle_mean(curves: Sequence[Tensor]) -> Tensor:
    """Mean of curves of several odd lengths over what all of them have, around the middle."""
    reach = min(len(curve) for curve in curves) // 2
    return torch.stack([curve[len(curve) // 2 - reach :][: 2 * reach + 1] for curve in curves]).mean(0)
