"""The last frames of a video."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np

from ..core.errors import ImageError
from ..core.interfaces.renderer import Picture

RUN_UP_S = 10
"""Seconds before the end where decoding begins; a video with fewer key frames is decoded from its start."""


def last_frames(path: Path, count: Callable[[Fraction], int]) -> tuple[list[Picture], Fraction]:
    """The last ``count(fps)`` frames ``uint8 [H, W, 3]`` of a video, upright, in order, and its frame rate.

    Raises:
        ImageError: no such file, no video track, or damaged.
    """
    if not path.is_file():
        raise ImageError("video", "an existing file", str(path))
    try:
        local_only = {"protocol_whitelist": "file"}
        with av.open(str(path.resolve()), options=local_only, metadata_errors="ignore") as container:
            stream = container.streams.best("video")
            if stream is None or not stream.average_rate:
                raise ImageError("video", "a video track", f"none in {path}")
            fps = Fraction(stream.average_rate)
            kept = _decode(container, stream, count(fps))
            return [_upright(frame) for frame in kept], fps
    except av.error.FFmpegError as error:
        raise ImageError("video", "a whole video", f"{path} ({error.strerror})") from None


def _decode(container: Any, stream: Any, count: int) -> list[Any]:
    if container.duration and container.duration > 2 * RUN_UP_S * av.time_base:
        container.seek((container.start_time or 0) + container.duration - RUN_UP_S * av.time_base)
        if len(kept := deque(container.decode(stream), count)) == count:
            return list(kept)
        container.seek(container.start_time or 0)
    frames = list(deque(container.decode(stream), count))
    if not frames:
        raise ImageError("video", "at least one frame", "none")
    return frames


def _upright(frame: Any) -> Picture:
    picture = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90) % 4), np.uint8)
