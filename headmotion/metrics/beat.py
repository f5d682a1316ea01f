"""Whether motion pauses where speech begins anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
from scipy.ndimage import gaussian_filter1d  # type: ignore[import-untyped]
from scipy.signal import find_peaks  # type: ignore[import-untyped]
from torch import Tensor
from typing_extensions import override

from ..core.errors import MotionError
from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.specs import BuildContext
from ..media.audio import Wave
from .filters import Curve
from .means import averaged
from .motion_specs import BeatSpec
from .validation import STILL, plane, scalar, size_px

RATE = 16_000
HOP, FFT = 160, 2048
"""Samples between the steps in which onsets are looked for, and of each spectrum."""


class Beat(Metric):
    """Beat alignment: mean over motion beats of ``exp(-d^2 / 2 s^2)``, ``d`` the time to the nearest onset of speech.

    Motion beats are local minima of the mean speed of the points, smoothed. Of a face, the points that move with the
    skull count; else all. Source: Li, Yang, Ross, Kanazawa 2021 (AIST++), whose music beats are onsets here.
    """

    needs = frozenset({"audio"})
    better: Mapping[str, Literal["lower", "higher"]] = {"beat_alignment": "higher"}
    spec: BeatSpec

    def __init__(self, spec: BeatSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation
        opening = {p for pairs in self.representation.openings.values() for pair in pairs for p in pair}
        skull = {p for name in ("eyes", "nose") for p in self.representation.groups.get(name, ())} - opening
        self.points = sorted(skull) or list(range(self.representation.points))

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Widths, and how onsets are found."""
        found = {"onsets": f"librosa {version('librosa')} onset_detect", "hop": HOP, "n_fft": FFT}
        return {**self.spec.model_dump(mode="json"), **found}

    @override
    def observe(self, clip: MetricInput) -> Observation:
        if clip.audio is None:
            raise MotionError("beat", "the speech", f"none for {clip.name}")
        points = plane(self.representation, clip.generated, "beat", least=4)
        points = points / size_px(self.representation, points, "beat")
        fps = float(clip.generated.fps)
        moved = motion_beats(points[:, self.points], fps, self.spec.smooth_ms / 1000)
        heard = onsets(clip.audio.read(RATE))
        if not len(moved) or not len(heard):
            return {}
        return {"alignment": scalar(alignment(moved, heard, self.spec.width_ms / 1000))}

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """0 to 1; not told of a clip that has no onset, or motion without a beat."""
        return {"beat_alignment": float(observed["alignment"])} if observed else {}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        return averaged(self, observed, "no clip has both onsets and motion beats")


def motion_beats(points: Tensor, fps: float, smooth_seconds: float) -> Curve:
    """Seconds of the local minima of the mean speed of points ``[T, P, 2]``, smoothed by a Gaussian."""
    speed = (points[1:] - points[:-1]).norm(dim=-1).mean(dim=1).numpy()
    if speed.max() < STILL:
        return np.zeros(0)
    found, _ = find_peaks(-gaussian_filter1d(speed, smooth_seconds * fps))  # of a pause, its middle
    return np.asarray((found + 0.5) / fps)


def onsets(speech: Wave) -> Curve:
    """Seconds at which sounds begin in speech at 16 kHz.

    Raises:
        MotionError: shorter than one spectrum.
    """
    import librosa

    if len(speech) < FFT:
        raise MotionError("beat", f"{FFT} samples of speech or more", str(len(speech)))
    envelope = librosa.onset.onset_strength(y=speech, sr=RATE, hop_length=HOP, n_fft=FFT)
    return np.asarray(librosa.onset.onset_detect(onset_envelope=envelope, sr=RATE, hop_length=HOP, units="time"))


def alignment(moved: Curve, heard: Curve, width: float) -> float:
    """Mean over motion beats, all in seconds."""
    nearest = np.abs(moved[:, None] - heard[None]).min(axis=1)
    return float(np.exp(-np.square(nearest) / (2 * width**2)).mean())
