"""What is measured of a clip, and what refuses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from ..core.interfaces.representation import Representation
from ..media.audio import Wave
from ..media.loudness import power_db
from ..sync.trained import TrainedSyncers
from .face_tracks import Track
from .settings import FPS, SAMPLES_PER_FRAME, Settings

REASONS = {
    "no_audio": "the video has no sound track",
    "no_face": "no face was found in it",
    "unreadable": "the file is empty, no video, or damaged at its beginning",
    "damaged": "the file is damaged; clips from before that place are kept",
    "worker_lost": "reading it crashed, or made no progress for too long",
    "error": "something unforeseen; please report it",
    "too_short": "shorter than min_seconds",
    "low_frame_rate": "fewer different pictures per second than min_fps",
    "face_lost": "the face was filled in for a greater share of frames than max_bridged",
    "jump": "the points jump farther in one frame than max_jump",
    "face_too_small": "the eye corners are closer than min_face_px",
    "silence": "never louder than min_level_db",
    "av_offset": "sound and motion are farther apart than max_offset_ms",
}
"""Every reason for which a video (the first six) or a clip is refused."""

Figures = Mapping[str, float]
_QUIETEST_DB = -120.0


@dataclass(frozen=True)
class Checks:
    """The limits of a preparation. The first that a clip does not keep is its reason to be refused."""

    settings: Settings
    representation: Representation
    syncers: TrainedSyncers | None = None

    def of_track(self, track: Track) -> tuple[Figures, str]:
        """Figures of a face alone, poses in pixels of the video, and the reason to refuse it, or an empty one."""
        limits, seconds = self.settings, float(len(track.poses) / FPS)
        figures = {"seconds": seconds}
        if seconds < limits.min_seconds:
            return figures, "too_short"
        figures |= {
            "pictures_per_second": round(len(np.unique(track.pictures)) / seconds, 2),
            "bridged_frames": int((~track.seen).sum()),
            "jump": round(_jump(track), 4),
            "face_px": round(self._face_px(track), 2),
        }
        refusals = {
            "low_frame_rate": figures["pictures_per_second"] < limits.min_fps,
            "face_lost": figures["bridged_frames"] > limits.max_bridged * len(track.poses),
            "jump": figures["jump"] > limits.max_jump,
            "face_too_small": figures["face_px"] < limits.min_face_px,
        }
        return figures, _first(refusals)

    def of_speech(self, track: Track, wave: Wave) -> tuple[Figures, str]:
        """Figures of the sound, and of sound and face together, and the reason to refuse them, or an empty one."""
        figures = {"level_db": round(_level_db(wave), 1)}
        if figures["level_db"] < self.settings.min_level_db:
            return figures, "silence"
        measured = self.syncers.measure(track.poses, wave) if self.syncers else ()
        if not measured:
            return figures, ""
        # A coarser level knows the offset in larger steps, and the fewer windows it has, the surer it seems.
        finest = measured[0]
        figures |= {"av_offset_ms": round(1000 * finest.seconds), "av_confidence": round(finest.confidence, 4)}
        return figures, _first({"av_offset": abs(figures["av_offset_ms"]) > self.settings.max_offset_ms})

    def _face_px(self, track: Track) -> float:
        points = self.representation.to_points2d(torch.from_numpy(track.poses))
        one, other = (points[:, index] for index in self.representation.scale_pair)
        return float((one - other).norm(dim=-1).median())


def _first(refusals: Mapping[str, bool]) -> str:
    return next((reason for reason, refused in refusals.items() if refused), "")


def _jump(track: Track) -> float:
    flat = track.poses[..., :2]
    length = np.ptp(flat, axis=1).max(axis=1)
    moved = np.linalg.norm(np.diff(flat, axis=0), axis=-1).mean(axis=1)
    return float((moved / np.maximum(length[:-1], 1e-6)).max(initial=0.0))


def _level_db(wave: Wave) -> float:
    """The loudest tenth of a second, RMS in dB below full scale."""
    size = SAMPLES_PER_FRAME * 5 // 2
    power = np.square(wave[: len(wave) // size * size].astype(np.float64)).reshape(-1, size).mean(axis=1)
    return max(_QUIETEST_DB, float(power_db(power.max(initial=1e-12))))
