"""What is measured of a clip, and the limits by which it is rejected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange

from ..core.interfaces.representation import Representation
from ..media.audio import Wave
from ..media.loudness import power_db
from ..sync.trained import TrainedSyncers
from .face_tracks import FaceTrack, Poses
from .settings import FPS, SAMPLES_PER_FRAME, Settings

REASONS = {
    "no_audio": "the video has no audio track, and no sound file is next to it",
    "no_face": "no face was detected in the video",
    "unreadable": "the file is empty, no video, or damaged at its beginning",
    "damaged": "the file is damaged; clips before the damage are kept",
    "worker_lost": "the worker crashed, or made no progress for too long",
    "error": "an unexpected error; please report it",
    "too_short": "shorter than min_seconds",
    "low_frame_rate": "fewer different pictures per second than min_fps",
    "face_lost": "the face was interpolated for a larger share of frames than max_bridged",
    "jump": "the points jump farther in one frame than max_jump",
    "face_too_small": "the eye corners are closer than min_face_px",
    "silence": "never louder than min_level_db",
    "av_offset": "audio and motion are farther apart than max_offset_ms",
}
"""Every reason for which a video (the first six) or a clip is rejected."""

Measurements = Mapping[str, float]

_MIN_LEVEL_DB = -120.0


@dataclass(frozen=True)
class ClipFilters:
    """The limits of a preparation. A clip is rejected for the first limit that it exceeds."""

    settings: Settings
    representation: Representation
    """Of the points of tracks."""
    syncers: TrainedSyncers | None = None

    def check_track(self, track: FaceTrack) -> tuple[Measurements, str]:
        """Measure a face without its audio.

        Args:
            track: poses in pixels of the video.

        Returns:
            What was measured, and the reason to reject the clip or an empty string.
        """
        limits, seconds = self.settings, float(len(track.poses) / FPS)
        measured = {"seconds": seconds}
        # First, because other measurements of very short clips mean little.
        if seconds < limits.min_seconds:
            return measured, "too_short"
        measured |= {
            "pictures_per_second": round(len(np.unique(track.picture_numbers)) / seconds, 2),
            "bridged_frames": int((~track.detected).sum()),
            "jump": round(_largest_jump(track), 4),
            "face_px": round(self._eye_distance_px(track), 2),
        }
        exceeded = {
            "low_frame_rate": measured["pictures_per_second"] < limits.min_fps,
            "face_lost": measured["bridged_frames"] > limits.max_bridged * len(track.poses),
            "jump": measured["jump"] > limits.max_jump,
            "face_too_small": measured["face_px"] < limits.min_face_px,
        }
        return measured, next((reason for reason, is_exceeded in exceeded.items() if is_exceeded), "")

    def check_audio(self, motion: Poses, wave: Wave) -> tuple[Measurements, str]:
        """Measure the audio of a face, and how far the two are apart.

        Args:
            motion: ``[T, P, D]``, what the syncers take; points are in pixels of the video.
            wave: ``[640 * T]`` at 16 kHz, -1..1.

        Returns:
            What was measured, and the reason to reject the clip or an empty string.
        """
        measured = {"level_db": round(_level_db(wave), 1)}
        # Syncers are not asked about silence, whose offset is arbitrary.
        if measured["level_db"] < self.settings.min_level_db:
            return measured, "silence"
        levels = self.syncers.measure(motion, wave) if self.syncers else ()
        if not levels:
            return measured, ""
        # The finest level: a coarser one has larger steps, and higher confidence because it has fewer windows.
        finest = levels[0]
        measured |= {"av_offset_ms": round(1000 * finest.seconds), "av_confidence": round(finest.confidence, 4)}
        return measured, "av_offset" if abs(measured["av_offset_ms"]) > self.settings.max_offset_ms else ""

    def _eye_distance_px(self, track: FaceTrack) -> float:
        """Return the median distance of the representation's scale pair."""
        points = self.representation.to_points2d(torch.from_numpy(track.poses))
        left, right = (points[:, index] for index in self.representation.scale_pair)
        return float((left - right).norm(dim=-1).median())


def _largest_jump(track: FaceTrack) -> float:
    """Return the greatest mean movement of the points between two frames, in lengths of the face."""
    points = track.poses[..., :2]
    face_lengths = np.ptp(points, axis=1).max(axis=1)
    movements = np.linalg.norm(np.diff(points, axis=0), axis=-1).mean(axis=1)
    return float((movements / np.maximum(face_lengths[:-1], 1e-6)).max(initial=0.0))


def _level_db(wave: Wave) -> float:
    """Return the level of the loudest tenth of a second, RMS in dB below full scale."""
    size = SAMPLES_PER_FRAME * 5 // 2
    windows = wave[: len(wave) // size * size].astype(np.float64)
    power = rearrange(np.square(windows), "(window sample) -> window sample", sample=size).mean(axis=1)
    return max(_MIN_LEVEL_DB, float(power_db(power.max(initial=1e-12))))
