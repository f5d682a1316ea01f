"""Synchrony of audio and motion at each scale."""

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
from .measurement import mean_over_clips
from .specs import AVSyncSpec
from .syncer_model import SyncerModel

BATCH_SIZE = 16
"""Clips that go through the syncers at once; larger batches are no faster, and take memory."""


class AVSync(Metric):
    """Offset, distance and confidence at each level, from the clip's distance curves.

    A distance curve holds the mean distance between motion and audio embeddings at each shift. Source: MS-Sync,
    section 4; SyncNet.
    """

    needs = frozenset({"audio"})

    def __init__(self, spec: AVSyncSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.model = SyncerModel(spec.syncers, context.representation)
        self.trained = self.model.trained
        self.convention, self.reach = spec.convention, spec.reach
        pyramid = self.trained.syncers.pyramid
        self.frame_ms = [1000 * pyramid.stride**level / self.trained.fps for level in range(pyramid.levels)]
        better: dict[str, Literal["lower", "higher"]] = {"lse_d": "lower", "lse_c": "higher"}
        for level in range(pyramid.levels):
            better |= dict.fromkeys([f"level{level}_{name}" for name in ("offset_frames", "offset_ms")], "lower")
            better |= {f"level{level}_distance": "lower", f"level{level}_confidence": "higher"}
        self.better: Mapping[str, Literal["lower", "higher"]] = better

    @property
    @override
    def protocol(self) -> Mapping[str, Any]:
        return {**self.model.protocol, "convention": self.convention, "reach": self.reach}

    @override
    def observe(self, clip: MetricInput) -> Observation:
        """Return the distance curve ``[2 * V_l + 1]`` of every level, the finest first.

        Levels of which the clip has no whole window are left out.

        Raises:
            MotionError: no speech, values that are not finite, or shorter than one window of the finest level.
        """
        return self.observe_batch([clip])[0]

    def observe_batch(self, clips: Sequence[MetricInput]) -> list[Observation]:
        """Return what `observe` returns for each clip; those of equal length go through the syncers together.

        Raises:
            MotionError: as `observe`, for the first clip that cannot be measured.
        """
        inputs = [self._syncer_inputs(clip) for clip in clips]
        # A batch has one length; padding would add windows to the curves.
        by_length: dict[int, list[int]] = {}
        for index, (motion, _) in enumerate(inputs):
            by_length.setdefault(len(motion), []).append(index)
        observations: dict[int, Observation] = {}
        for indices in by_length.values():
            for batch in (indices[k : k + BATCH_SIZE] for k in range(0, len(indices), BATCH_SIZE)):
                motion, audio = (torch.stack(tensors) for tensors in zip(*(inputs[k] for k in batch), strict=True))
                observations |= zip(batch, self._distance_curves(motion, audio), strict=True)
        return [observations[index] for index in range(len(clips))]

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Return absolute offset, least distance and confidence of each level; LSE-D and LSE-C are the finest's."""
        values: dict[str, float] = {}
        for name, frame_ms in zip(self._levels, self.frame_ms, strict=True):
            if name in observed:
                offset, distance, confidence = map(float, best_shift(observed[name]))
                values |= {f"{name}_offset_frames": abs(offset), f"{name}_offset_ms": abs(offset) * frame_ms}
                values |= {f"{name}_distance": distance, f"{name}_confidence": confidence}
        # SyncNet's windows are those of the finest level, so LSE is defined there only.
        return values | {"lse_d": values["level0_distance"], "lse_c": values["level0_confidence"]}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        """Return means over clips, at each level over those that are long enough for it."""
        return MetricValues(mean_over_clips(self, observed).values, tuple(self._notes(observed)))

    def plots(self, observed: Sequence[Observation]) -> Mapping[str, Plot]:
        """Return the mean distance curve of each level, over the shifts that all clips have."""
        curves = {}
        for name, frame_ms in zip(self._levels, self.frame_ms, strict=True):
            # Curves of short clips are shorter, because a shift needs pairs that overlap.
            if level_curves := [clip[name] for clip in observed if name in clip]:
                mean = _mean_curve(level_curves).flip(0)  # the offset is minus the shift of the audio
                offsets = range(-(len(mean) // 2), len(mean) // 2 + 1)
                curves[f"{name}, {frame_ms:g} ms"] = Curve([k * frame_ms for k in offsets], mean.tolist())
        return {"Distance by offset": Plot("audio offset in ms, negative is late", "mean distance", curves)}

    @property
    def _levels(self) -> list[str]:
        return [f"level{level}" for level in range(len(self.frame_ms))]

    def _syncer_inputs(self, clip: MetricInput) -> tuple[Tensor, Tensor]:
        """Return motion ``[T, P, D]`` in the unit square and features ``[A, C]``, both at the rate of the syncers."""
        if clip.audio is None:
            raise MotionError("av-sync", "audio of each clip", f"none for {clip.name}")
        # The file stores a float; rates such as 30000/1001 have no larger denominator.
        fps = Fraction(self.trained.fps).limit_denominator(1001)
        motion = clip.generated if clip.generated.fps == fps else clip.generated.resample(fps)
        # A single NaN would spread over all windows, and the offset would be that of nothing.
        if not bool(torch.isfinite(motion.values).all()):
            raise MotionError("av-sync", "finite motion", f"NaN or infinity in {clip.name}")
        if len(motion) < self.trained.syncers.window:
            expected = f"at least {self.trained.syncers.window} frames at {self.trained.fps:g} fps"
            raise MotionError("av-sync", expected, f"{len(motion)} in {clip.name}")
        return self.trained.inputs(motion.values, clip.audio.read(self.trained.audio_encoder.sample_rate))

    def _distance_curves(self, motion: Tensor, audio: Tensor) -> list[Observation]:
        # Both conventions get the same embeddings, so that their values differ by the definition only.
        curve = CURVES[self.convention]
        levels = self.trained.syncers.curves(motion, audio, self.trained.space, curve, self.reach)
        return [{f"level{level}": curves[k] for level, curves in enumerate(levels)} for k in range(len(motion))]

    def _notes(self, observed: Sequence[Observation]) -> list[str]:
        notes = []
        for name, frame_ms in zip(self._levels, self.frame_ms, strict=True):
            if missing := sum(name not in clip for clip in observed):
                shortest = self.trained.syncers.window * frame_ms
                notes.append(f"{name} leaves out {missing} of {len(observed)} clips, shorter than {shortest:g} ms")
        return notes


def _mean_curve(curves: Sequence[Tensor]) -> Tensor:
    """Return the mean of curves of several odd lengths, centered, over the shifts that all of them have."""
    reach = min(len(curve) for curve in curves) // 2
    return torch.stack([curve[len(curve) // 2 - reach :][: 2 * reach + 1] for curve in curves]).mean(0)
