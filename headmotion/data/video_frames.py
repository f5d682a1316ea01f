"""The pictures of a folder of pairs: the video beside a clip."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from einops import rearrange

from ..core.errors import CorpusError, ImageError
from ..core.timing import as_fps
from ..media.video_reader import open_video
from .pictures import Pictures


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
            raise CorpusError(f"video {self.path}", f"{last} frames at {self.fps} per second", got)
        return np.stack(pictures)
