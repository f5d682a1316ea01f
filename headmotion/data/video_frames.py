"""The pictures of a folder of pairs: the video of a clip, and its pictures in the size of a corpus."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from einops import rearrange
from PIL import Image

from ..core.errors import CorpusError, ImageError
from ..core.timing import as_fps
from ..media.video_reader import open_video
from .pictures import MISSING_PICTURES, Frames, Pictures, SupportsEncoded, encode_pictures


@dataclass(frozen=True, eq=False)
class VideoFrames:
    """The frames of a video, which is decoded from its beginning each time."""

    path: Path
    """The video."""
    count: int
    """Number of motion frames of the clip."""
    fps: str
    """Motion frames per second; a video of another rate is brought to it by time stamp."""

    @cached_property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels.

        Raises:
            CorpusError: the video is damaged.
        """
        height, width = self.read(0, 1).shape[2:]
        return height, width

    def __len__(self) -> int:
        return self.count

    def read(self, first: int = 0, count: int | None = None) -> Pictures:
        """Decode pictures ``[t, 3, H, W]``.

        Raises:
            CorpusError: the video is damaged, or shorter than the motion.
        """
        last = self.count if count is None else first + count
        pictures = []
        try:
            with open_video(self.path) as video:
                for frame in video.frames(as_fps(self.fps)):
                    if frame.index >= last:
                        break
                    if frame.index >= first:
                        pictures.append(rearrange(frame.picture, "height width channel -> channel height width"))
        except ImageError as error:
            raise CorpusError(f"video {self.path}", error.expected, error.got) from None
        if len(pictures) != last - first:
            got = f"{first + len(pictures)} or fewer"
            expected = f"{MISSING_PICTURES} of {last} frames at {self.fps} per second"
            raise CorpusError(f"video {self.path}", expected, got)
        return np.stack(pictures)


def scaled_pictures(
    frames: Frames, box: tuple[float, float, float] | None, edge: int | None, quality: int
) -> dict[str, Any]:
    """Return encoded pictures of one size, as the fields ``frames`` and ``picture_box`` of a clip.

    Pictures that are encoded and have the size already stay as they are.

    Args:
        frames: the pictures.
        box: the square of the motion's pixels that they show; None: all that there are.
        edge: length of the longer edge in pixels; None: as it is.
        quality: 1 to 100.

    Raises:
        CorpusError: a picture is missing or damaged.
    """
    height, width = frames.size
    longer = max(height, width)
    if isinstance(frames, SupportsEncoded) and edge in (None, longer):
        return {"frames": frames, "picture_box": box}
    scale = 1.0 if edge is None else edge / longer
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    pictures = (Image.fromarray(rearrange(picture, "c h w -> h w c")) for picture in frames.read())
    scaled = (np.asarray(picture.resize(size, Image.Resampling.BICUBIC)) for picture in pictures)
    return {
        "frames": encode_pictures(scaled, "jpeg", quality),
        "picture_box": box or (0.0, 0.0, float(longer)),
    }
