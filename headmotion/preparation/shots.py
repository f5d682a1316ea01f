"""Where a shot ends and the next begins."""

from __future__ import annotations

import cv2
import numpy as np
from scenedetect import ContentDetector, FrameTimecode  # type: ignore[import-untyped]

from ..core.interfaces.renderer import Picture
from .settings import FPS

_SIZE = 128, 96  # cuts are seen in a small picture, too


class Shots:
    """Finds hard cuts, frame by frame, with the content detector of PySceneDetect."""

    def __init__(self, threshold: float) -> None:
        # No least length of a shot: that would hold an answer back, and a short one is refused as a clip anyway.
        self._detector = ContentDetector(threshold, min_scene_len=0)
        self._count = 0

    def begins(self, picture: Picture) -> bool:
        """Whether a new shot begins with the next picture ``[H, W, 3]``; not with the first of all."""
        small = cv2.resize(picture, _SIZE, interpolation=cv2.INTER_AREA)[..., ::-1]
        now = FrameTimecode(self._count, float(FPS))
        self._count += 1
        return bool(self._detector.process_frame(now, np.ascontiguousarray(small)))
