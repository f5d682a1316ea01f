"""The pictures of a video at a constant rate, by time stamp, one at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np

from ..core.errors import ImageError
from ..core.interfaces.renderer import Picture
from ..preparation.settings import FPS

LONGEST_EDGE = 1280
"""Larger pictures are reduced to this edge (px) while they are decoded."""
LONGEST_HOLD_S = 2
"""Seconds for which a picture stands; where the next one comes later, nothing is shown until then."""


@dataclass(frozen=True)
class Shown:
    """What is to be seen at ``index / 25`` seconds: the last picture whose time stamp is not later."""

    index: int
    number: int
    """Which picture of the video it is; several frames may show the same."""
    picture: Picture
    """Upright, RGB ``uint8 [H, W, 3]``."""
    reduction: float
    """Pixels of the video per pixel of the picture."""
    size: tuple[int, int]
    """Height and width of the upright picture in pixels of the video."""


class Video:
    """An opened video. Frame 0 is its first picture."""

    def __init__(self, container: Any, stream: Any) -> None:
        self.has_audio = bool(container.streams.audio)
        self._rate = Fraction(stream.average_rate or stream.guessed_rate or FPS)
        self._decoded = _rising(container.decode(stream), stream.time_base, self._rate)
        self._first = next(self._decoded, None)
        if self._first is None:
            raise ImageError("video", "at least one picture", "none")
        self.start: Fraction = self._first[0] - Fraction(container.start_time or 0, av.time_base)
        """When the first picture is shown, in seconds after the container's own start, from which audio is counted."""

    def frames(self) -> Iterator[Shown]:
        """All frames at 25 per second, once; indices rise, and skip where nothing was shown for long.

        Raises:
            ImageError: the video turns out to be damaged.
        """
        assert self._first is not None
        origin, held = self._first
        index = number = 0
        stamp = Fraction(0)
        with _one_clear_error():
            for following, frame in self._decoded:
                until = _frames_before(following - origin)
                yield from _standing(index, min(until, _frames_before(stamp + LONGEST_HOLD_S)), number, held)
                index, number, held, stamp = until, number + 1, frame, following - origin
            # The last picture stands for as long as it says, or as the others did on average.
            own = held.duration * held.time_base if held.duration else 1 / self._rate
            until = _frames_before(stamp + min(own, Fraction(LONGEST_HOLD_S)))
            yield from _standing(index, max(until, 1), number, held)


@contextlib.contextmanager
def open_video(path: Path) -> Iterator[Video]:
    """The video in a file of any container that FFmpeg reads.

    Raises:
        ImageError: empty, not a video, or damaged at its beginning.
    """
    if not path.is_file() or path.stat().st_size == 0:
        raise ImageError("video", "a whole video", "an empty file" if path.is_file() else "no file")
    with contextlib.ExitStack() as stack:
        with _one_clear_error():
            options = {"protocol_whitelist": "file"}  # a playlist may name remote files
            container = stack.enter_context(av.open(str(path.resolve()), options=options, metadata_errors="ignore"))
            stream: Any = container.streams.best("video")
            if stream is None or stream.codec_context is None:
                raise ImageError("video", "a video track", "none")
            stream.codec_context.thread_count = 1
            video = Video(container, stream)
        yield video


def _frames_before(seconds: Fraction) -> int:
    """How many frames begin earlier than that."""
    return (seconds * FPS).__ceil__()


def _standing(first: int, until: int, number: int, frame: Any) -> Iterator[Shown]:
    if first >= until:
        return
    reduction = max(1.0, max(frame.width, frame.height) / LONGEST_EDGE)
    width, height = (max(1, round(edge / reduction)) for edge in (frame.width, frame.height))
    pixels = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="AREA")
    quarters = round(frame.rotation / 90) % 4
    picture = np.ascontiguousarray(np.rot90(pixels, quarters), np.uint8)
    size = (frame.width, frame.height) if quarters % 2 else (frame.height, frame.width)
    yield from (Shown(index, number, picture, reduction, size) for index in range(first, until))


def _rising(frames: Iterator[Any], time_base: Fraction, rate: Fraction) -> Iterator[tuple[Fraction, Any]]:
    """Frames with their time stamps in seconds, without those that do not come later than the one before."""
    last: Fraction | None = None
    for frame in frames:
        if frame.pts is None:
            stamp = Fraction(0) if last is None else last + 1 / rate
        else:
            stamp = frame.pts * (frame.time_base or time_base)
        if last is None or stamp > last:
            last = stamp
            yield stamp, frame


@contextlib.contextmanager
def _one_clear_error() -> Iterator[None]:
    try:
        yield
    except av.error.FFmpegError as error:
        raise ImageError("video", "a whole video", error.strerror or "a decoding error") from None
