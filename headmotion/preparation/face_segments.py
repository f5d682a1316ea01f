"""Frames in, pieces out: every face of every shot, one person over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..media.video_reader import VideoFrame
from .face_tracks import Linker, Poses, Track
from .settings import FPS, Settings
from .shots import Shots


@dataclass(frozen=True)
class Piece:
    """One face in consecutive frames of one shot."""

    track: Track
    shot: int
    number: int
    """Counted within the shot, in the order in which pieces end."""
    size: tuple[int, int]
    """Height and width of the video in pixels."""


class Pieces:
    """RawBatch a video, frame by frame; ``find`` gives the faces ``[N, P, D]`` of a frame."""

    def __init__(self, settings: Settings, find: Callable[[VideoFrame], Poses]) -> None:
        longest, least = round(settings.max_seconds * FPS), round(settings.min_seconds * FPS)
        self._linker = Linker(settings.gap_frames, longest, least)
        self._shots = Shots(settings.cut_threshold)
        self._find = find
        self._shot = self._number = 0
        self._last: VideoFrame | None = None
        self._faces: Poses = np.zeros((0, 1, 2), np.float32)
        self.count = 0
        """Pieces so far."""

    @property
    def oldest(self) -> int | None:
        """The first frame that a piece still to come may hold; None if there is no face now."""
        return self._linker.oldest

    @property
    def seconds(self) -> float:
        """How much of the video was seen."""
        return 0.0 if self._last is None else float((self._last.index + 1) / FPS)

    def push(self, shown: VideoFrame) -> list[Piece]:
        """The next frame in, pieces that end before or with it out."""
        last, done = self._last, []
        if last is None or shown.number != last.number:
            begins = self._shots.begins(shown.picture)
            if last and (begins or shown.index != last.index + 1 or shown.size != last.size):
                done = self.end()
                self._shot, self._number = self._shot + 1, 0
            self._faces = self._find(shown)
        self._last = shown
        return done + self._numbered(self._linker.push(shown.index, shown.number, self._faces))

    def end(self) -> list[Piece]:
        """End the shot; what has not come out does."""
        return self._numbered(self._linker.cut())

    def _numbered(self, tracks: list[Track]) -> list[Piece]:
        assert self._last is not None or not tracks
        size = self._last.size if self._last else (0, 0)
        pieces = [Piece(track, self._shot, self._number + k, size) for k, track in enumerate(tracks)]
        self._number += len(pieces)
        self.count += len(pieces)
        return pieces
