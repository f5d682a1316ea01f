"""Frames of a video file: all of them at a constant rate, one at a time, or the last few."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from ..core.errors import ImageError
from ..core.interfaces.renderer import Picture
from .container import Failure, as_one_error, best_stream, open_container, start_time

LONGEST_EDGE = 1280
"""Larger frames are reduced to this longer edge (px) while they are decoded."""
LONGEST_HOLD_S = 2
"""Seconds for which a frame stays on screen; if the next one comes later, nothing is shown in between."""
DEFAULT_RATE = 25
"""Frames per second assumed where a container states no rate."""
SEEK_BACK_S = 10
"""Seconds before the end of a video from which its last frames are decoded."""


@dataclass(frozen=True)
class VideoFrame:
    """What a video shows at ``index / fps`` seconds: its last decoded frame whose time stamp is not later."""

    index: int
    number: int
    """Number of the decoded frame; it repeats where the video's own rate is lower."""
    picture: Picture
    """Upright, RGB ``uint8 [H, W, 3]``."""
    reduction: float
    """Pixels of the video per pixel of the picture. Pixels that are not square count as shown: wider or higher."""
    size: tuple[int, int]
    """Height and width of the upright picture in pixels of the video, square as they are shown."""


class Video:
    """An open video. Time 0 is its first frame."""

    def __init__(self, container: Any, stream: Any, failure: Failure) -> None:
        self._failure = failure
        self.has_audio = bool(container.streams.audio)
        self._aspect = _pixel_aspect(stream)
        self._converter = VideoReformatter()
        self._rate = Fraction(stream.average_rate or stream.guessed_rate or DEFAULT_RATE)
        self._decoded = _increasing(container.decode(stream), stream.time_base, self._rate)
        self._first = next(self._decoded, None)
        if self._first is None:
            raise ImageError("video", "at least one picture", "none")
        self.start: Fraction = self._first[0] - start_time(container)
        """Time of the first frame in seconds after the container's own start, from which audio is counted."""

    def frames(self, fps: Fraction) -> Iterator[VideoFrame]:
        """Iterate once over all frames at a constant rate; indices increase, and skip where nothing is shown.

        Args:
            fps: frames per second to return, whatever the video's own rate is.

        Raises:
            ImageError: the video turns out to be damaged.
        """
        assert self._first is not None
        origin, current = self._first
        index = number = 0
        stamp = Fraction(0)

        def frames_before(seconds: Fraction) -> int:
            return (seconds * fps).__ceil__()

        with as_one_error(self._failure):
            for next_stamp, next_frame in self._decoded:
                end = frames_before(next_stamp - origin)
                until = min(end, frames_before(stamp + LONGEST_HOLD_S))
                yield from _repeat(current, self._aspect, number, range(index, until), self._converter)
                index, number, current, stamp = end, number + 1, next_frame, next_stamp - origin
            # The last frame stays as long as it says, or as long as the others did on average.
            duration = current.duration * current.time_base if current.duration else 1 / self._rate
            end = frames_before(stamp + min(duration, Fraction(LONGEST_HOLD_S)))
            yield from _repeat(current, self._aspect, number, range(index, max(end, 1)), self._converter)


@contextlib.contextmanager
def open_video(path: Path) -> Iterator[Video]:
    """Open the video in a file of any container that FFmpeg reads.

    Raises:
        ImageError: empty, not a video, or damaged at its beginning.
    """
    failure = partial(_damaged, path)
    if not path.is_file() or path.stat().st_size == 0:
        raise failure("an empty file" if path.is_file() else "no file")
    with open_container(path, failure) as container:
        stream = best_stream(container, "video")
        if stream is None:
            raise ImageError("video", "a video track", f"none in {path.name}")
        # Preparation decodes one video per process.
        stream.codec_context.thread_count = 1
        with as_one_error(failure):
            video = Video(container, stream, failure)
        yield video


def last_frames(path: Path, count: Callable[[Fraction], int]) -> tuple[list[Picture], Fraction]:
    """Decode the end of a video, in full size.

    Args:
        path: the video.
        count: how many frames to return, given the video's frames per second.

    Returns:
        The last frames ``uint8 [H, W, 3]``, upright, in order, and the video's frames per second. They are fewer if the
        video is shorter.

    Raises:
        ImageError: no such file, no video track, or damaged.
    """
    if not path.is_file():
        raise ImageError("video", "an existing file", str(path))
    failure = partial(_damaged, path)
    with as_one_error(failure), open_container(path, failure) as container:
        stream = best_stream(container, "video")
        if stream is None or not stream.average_rate:
            raise ImageError("video", "a video track", f"none in {path}")
        fps = Fraction(stream.average_rate)
        aspect, converter = _pixel_aspect(stream), VideoReformatter()
        tail = _tail(container, stream, count(fps))
        return [_decode(frame, *_shown_size(frame, aspect), converter) for frame in tail], fps


def _tail(container: Any, stream: Any, count: int) -> list[Any]:
    """Return the last ``count`` decoded frames, or all of a shorter video."""
    # Shorter videos are decoded as fast as a seek and a failed attempt.
    if container.duration and container.duration > 2 * SEEK_BACK_S * av.time_base:
        container.seek((container.start_time or 0) + container.duration - SEEK_BACK_S * av.time_base)
        if len(frames := deque(container.decode(stream), count)) == count:
            return list(frames)
        # Key frames are rarer than that: decode from the start.
        container.seek(container.start_time or 0)
    if not (frames := deque(container.decode(stream), count)):
        raise ImageError("video", "at least one frame", "none")
    return list(frames)


def _repeat(
    frame: Any, aspect: Fraction, number: int, indices: range, converter: VideoReformatter
) -> Iterator[VideoFrame]:
    """Convert a decoded frame to a picture and return it for each of the indices."""
    if not indices:
        return
    shown = _shown_size(frame, aspect)
    reduction = max(1.0, max(shown) / LONGEST_EDGE)
    width, height = (max(1, round(edge / reduction)) for edge in shown)
    picture = _decode(frame, width, height, converter)
    size = shown if _quarter_turns(frame) % 2 else shown[::-1]
    yield from (VideoFrame(index, number, picture, reduction, size) for index in indices)


def _decode(frame: Any, width: int, height: int, converter: VideoReformatter) -> Picture:
    """Return a frame's pixels, scaled and then turned upright by the rotation that its metadata states.

    The converter is shared by the frames of a video, because to prepare it takes longer than to convert a frame.
    """
    # Scaling and conversion of color are one pass in FFmpeg; on one thread, as others are not worth their start.
    larger = width > frame.width or height > frame.height
    method = "BICUBIC" if larger else "AREA"
    pixels = converter.reformat(frame, width, height, "rgb24", interpolation=method, threads=1).to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, _quarter_turns(frame)), np.uint8)


def _pixel_aspect(stream: Any) -> Fraction:
    """Return the width of a video's pixels in heights of them; 1 where the file says nothing or what cannot be."""
    aspect = stream.sample_aspect_ratio
    return Fraction(aspect) if aspect and Fraction(1, 8) <= aspect <= 8 else Fraction(1)


def _shown_size(frame: Any, aspect: Fraction) -> tuple[int, int]:
    """Return width and height of a frame in square pixels, none fewer than it has."""
    return max(frame.width, round(frame.width * aspect)), max(frame.height, round(frame.height / aspect))


def _quarter_turns(frame: Any) -> int:
    return int(round(frame.rotation / 90) % 4)


def _increasing(frames: Iterator[Any], time_base: Fraction, rate: Fraction) -> Iterator[tuple[Fraction, Any]]:
    """Return frames with their time stamps in seconds, without those that are not later than the one before."""
    last: Fraction | None = None
    for frame in frames:
        if frame.pts is None:
            stamp = Fraction(0) if last is None else last + 1 / rate
        else:
            stamp = frame.pts * (frame.time_base or time_base)
        if last is None or stamp > last:
            last = stamp
            yield stamp, frame


def _damaged(path: Path, reason: str) -> ImageError:
    # The name alone, so that a corpus says the same wherever its videos lie.
    remedy = "copy or download it again, or name a file that a video player shows"
    return ImageError("video", "a whole video", f"{path.name} ({reason})", remedy)
