"""From frames to face segments: each face of each shot, over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from scenedetect import ContentDetector, FrameTimecode  # type: ignore[import-untyped]

from ..core.interfaces.renderer import Picture
from ..media.video_reader import VideoFrame
from .face_tracks import FaceTrack, FaceTracker, Labels, Poses
from .settings import FPS, Settings

SHOT_PICTURE_PX = 128, 96
"""Width and height in which cuts are searched for; a cut shows in a small picture too."""


class ShotDetector:
    """Detects hard cuts, frame by frame, with the content detector of PySceneDetect."""

    def __init__(self, threshold: float) -> None:
        # No least length of a shot: it would delay the answer, and a short shot is rejected as a clip anyway.
        self._detector = ContentDetector(threshold, min_scene_len=0)
        self._count = 0

    def starts_shot(self, picture: Picture) -> bool:
        """Return whether the next picture ``[H, W, 3]`` starts a new shot; False for the first picture of all."""
        small = cv2.resize(picture, SHOT_PICTURE_PX, interpolation=cv2.INTER_AREA)[..., ::-1]
        time = FrameTimecode(self._count, float(FPS))
        self._count += 1
        return bool(self._detector.process_frame(time, np.ascontiguousarray(small)))


@dataclass(frozen=True)
class FaceSegment:
    """One face in consecutive frames of one shot."""

    track: FaceTrack
    shot: int
    number: int
    """Counted within the shot, in the order in which segments end."""
    size: tuple[int, int]
    """Height and width of the video in pixels."""


class FaceSegmenter:
    """Divides a video into face segments, frame by frame.

    Args:
        settings: lengths of segments and the threshold of cuts.
        detect_faces: returns the faces ``[N, P, D]`` of a frame in pixels of the video, and their labels ``[N, L]``.
        begin_shot: called before ``detect_faces`` where a frame does not follow the last one.
    """

    def __init__(
        self,
        settings: Settings,
        detect_faces: Callable[[VideoFrame], tuple[Poses, Labels]],
        begin_shot: Callable[[], None] = lambda: None,
    ) -> None:
        max_frames, min_frames = round(settings.max_seconds * FPS), round(settings.min_seconds * FPS)
        self._tracker = FaceTracker(settings.gap_frames, max_frames, min_frames)
        self._shot_detector = ShotDetector(settings.cut_threshold)
        self._detect_faces, self._begin_shot = detect_faces, begin_shot
        self._shot = self._number = 0
        self._last: VideoFrame | None = None
        self._faces: tuple[Poses, Labels] = (np.zeros((0, 1, 2), np.float32), np.zeros((0, 0), np.float32))
        self.count = 0
        """Segments so far."""

    @property
    def oldest_frame(self) -> int | None:
        """First frame that a later segment may hold; None if no face is visible."""
        return self._tracker.oldest_frame

    @property
    def seconds(self) -> float:
        """Duration of the frames so far."""
        return 0.0 if self._last is None else float((self._last.index + 1) / FPS)

    def push(self, frame: VideoFrame) -> list[FaceSegment]:
        """Add the next frame, and return the segments that end before it or with it."""
        last, ended = self._last, []
        # A picture that is shown in several frames is searched once.
        if last is None or frame.number != last.number:
            starts_shot = self._shot_detector.starts_shot(frame.picture)
            if last and (starts_shot or frame.index != last.index + 1 or frame.size != last.size):
                ended = self.flush()
                self._begin_shot()
                self._shot, self._number = self._shot + 1, 0
            self._faces = self._detect_faces(frame)
        self._last = frame
        return ended + self._to_segments(self._tracker.push(frame.index, frame.number, *self._faces))

    def flush(self) -> list[FaceSegment]:
        """End the shot, and return the segments that were still open."""
        return self._to_segments(self._tracker.flush())

    def _to_segments(self, tracks: list[FaceTrack]) -> list[FaceSegment]:
        assert self._last is not None or not tracks
        size = self._last.size if self._last else (0, 0)
        segments = [FaceSegment(track, self._shot, self._number + k, size) for k, track in enumerate(tracks)]
        self._number += len(segments)
        self.count += len(segments)
        return segments
