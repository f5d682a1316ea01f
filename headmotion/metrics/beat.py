"""Alignment of pauses in motion with onsets of speech."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d  # type: ignore[import-untyped]
from scipy.signal import find_peaks  # type: ignore[import-untyped]
from torch import Tensor
from typing_extensions import override

from ..core.errors import MotionError
from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.specs import BuildContext
from ..media.audio import Wave
from .measurement import MIN_VARIATION, mean_over_clips, points_2d, scalar, scale_px
from .signals import Signal
from .specs import BeatSpec

SAMPLE_RATE = 16_000
# A hop of 10 ms is a quarter of a frame at 25 fps; the spectrum's size is librosa's default.
HOP, FFT_SIZE = 160, 2048
"""Samples between the steps in which onsets are detected, and of each spectrum."""


class Beat(Metric):
    """Beat alignment: mean over motion beats of ``exp(-d^2 / 2 s^2)``, ``d`` the time to the nearest onset of speech.

    Motion beats are local minima of the smoothed mean speed of the points: of those that move with the skull where
    the representation is a face, else of all. Source: Li, Yang, Ross, Kanazawa 2021 (AIST++), whose music beats are
    replaced by onsets.
    """

    needs = frozenset({"audio"})
    better: Mapping[str, Literal["lower", "higher"]] = {"beat_alignment": "higher"}
    spec: BeatSpec

    def __init__(self, spec: BeatSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation
        # Lids and lips have rhythms of their own; gestures of the head are those of the skull.
        lids = {p for pairs in self.representation.openings.values() for pair in pairs for p in pair}
        skull = {p for name in ("eyes", "nose") for p in self.representation.groups.get(name, ())} - lids
        self.points = sorted(skull) or list(range(self.representation.points))

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The spec, and how onsets are detected; the onsets depend on librosa's version."""
        detection = {"onsets": f"librosa {version('librosa')} onset_detect", "hop": HOP, "n_fft": FFT_SIZE}
        return {**self.spec.model_dump(mode="json"), **detection}

    @override
    def observe(self, clip: MetricInput) -> Observation:
        if clip.audio is None:
            raise MotionError("beat", "audio of each clip", f"none for {clip.name}")
        # A minimum lies between two larger speeds, and three speeds take four frames.
        points = points_2d(self.representation, clip.generated, "beat", min_frames=4)
        points = points / scale_px(self.representation, points, "beat")
        fps = float(clip.generated.fps)
        beats = motion_beats(points[:, self.points], fps, self.spec.smooth_ms / 1000)
        onsets = speech_onsets(clip.audio.read(SAMPLE_RATE))
        # Silence and still motion have no alignment; 0 would say that they are badly aligned.
        if not len(beats) or not len(onsets):
            return {}
        return {"alignment": scalar(beat_alignment(beats, onsets, self.spec.width_ms / 1000))}

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Return the alignment, 0 to 1; nothing for a clip without onsets or motion beats."""
        return {"beat_alignment": float(observed["alignment"])} if observed else {}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        return mean_over_clips(self, observed, "no clip has both onsets and motion beats")


def motion_beats(points: Tensor, fps: float, smooth_seconds: float) -> Signal:
    """Return the times (s) of the local minima of the mean speed of the points.

    Args:
        points: ``[T, P, 2]`` in distances of the scale pair.
        fps: their rate.
        smooth_seconds: standard deviation of the Gaussian that smooths the speed.
    """
    speed = (points[1:] - points[:-1]).norm(dim=-1).mean(dim=1).numpy()
    # Rounding errors have minima as well.
    if speed.max() < MIN_VARIATION:
        return np.zeros(0)
    minima, _ = find_peaks(-gaussian_filter1d(speed, smooth_seconds * fps))  # of a plateau, its middle
    return np.asarray((minima + 0.5) / fps)  # a speed belongs to the middle between two frames


def speech_onsets(speech: Wave) -> Signal:
    """Return the times (s) at which sounds begin in speech at 16 kHz.

    Raises:
        MotionError: the speech is shorter than one spectrum.
    """
    # Slow to import, and needed by this metric only.
    import librosa

    if len(speech) < FFT_SIZE:
        raise MotionError("beat", f"{FFT_SIZE} samples of speech or more", str(len(speech)))
    envelope = librosa.onset.onset_strength(y=speech, sr=SAMPLE_RATE, hop_length=HOP, n_fft=FFT_SIZE)
    return _onset_peaks(np.asarray(envelope, np.float64)) * HOP / SAMPLE_RATE


def _onset_peaks(envelope: Signal) -> npt.NDArray[np.int64]:
    """Return the frames of the peaks that `librosa.onset.onset_detect` finds with its default parameters.

    Its own peak picking is compiled by numba on first use. Processes that do so at the same time can leave a damaged
    cache, which crashes every later process. Source: Boeck, Krebs, Schedl 2012, section 2.4.
    """
    envelope = envelope - envelope.min()
    if not envelope.max() > 0:
        return np.zeros(0, np.int64)
    envelope = envelope / (envelope.max() + np.finfo(np.float32).tiny)
    frames_per_second = SAMPLE_RATE / HOP
    peak_before, mean_reach, wait = (int(seconds * frames_per_second) for seconds in (0.03, 0.1, 0.03))
    peaks: list[int] = []
    for frame, value in enumerate(envelope):
        is_largest = value >= envelope[max(0, frame - peak_before) : frame + 1].max()
        mean = envelope[max(0, frame - mean_reach) : frame + mean_reach + 1].mean()
        if is_largest and value >= mean + 0.07 and (not peaks or frame > peaks[-1] + wait):
            peaks.append(frame)
    return np.asarray(peaks, np.int64)


def beat_alignment(beats: Signal, onsets: Signal, width: float) -> float:
    """Return the mean of the Gaussian kernel over motion beats; all arguments are in seconds."""
    nearest = np.abs(beats[:, None] - onsets[None]).min(axis=1)
    return float(np.exp(-np.square(nearest) / (2 * width**2)).mean())
