"""Pictures of faces: the fixed square of each clip, cut from the video when it is read a second time.

Where a clip's square lies is known only at the clip's end. To keep the pictures until then would take gigabytes.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from ..core.errors import CorpusError, ImageError
from ..core.interfaces.renderer import Picture
from ..data.pictures import EncodedFrames, encode_picture
from ..media.video_reader import VideoFrame, open_video
from .settings import FPS
from .staging import StagedVideo


@dataclass
class PictureCut:
    """The pictures of one clip."""

    clip: int
    """Number of the staged clip."""
    first_frame: int
    """The clip's first frame in the video."""
    count: int
    """Number of frames."""
    box: tuple[int, int, int]
    """Left, top and edge of the square in pixels of the video; it may reach beyond the picture."""
    encoded: list[bytes] = field(default_factory=list)
    """The pictures so far."""
    _last_number: int = -1

    def add(self, frame: VideoFrame, size: int, quality: int) -> None:
        """Cut the picture of the next frame; a picture that stands for several frames is encoded once."""
        if frame.number != self._last_number:
            self._last_number = frame.number
            picture = cut_square(frame.picture, self.box, frame.reduction, size)
            self.encoded.append(encode_picture(picture, "jpeg", quality))
        else:
            self.encoded.append(self.encoded[-1])


def stage_pictures(
    path: Path,
    cuts: Sequence[PictureCut],
    output: StagedVideo,
    size: int,
    quality: int,
    heartbeat: Callable[[], None],
) -> None:
    """Read a video again, and add the pictures of its staged clips.

    Args:
        path: the video.
        cuts: what to cut out.
        output: holds the clips.
        size: edge of the pictures in pixels.
        quality: 1 to 100.
        heartbeat: called after every frame.

    Raises:
        CorpusError: the video has other frames than before.
    """
    waiting = sorted(cuts, key=lambda cut: cut.first_frame)
    # A video that is damaged somewhere is damaged there again, after the last of its clips.
    with contextlib.suppress(ImageError), open_video(path) as video:
        for frame in video.frames(FPS):
            for cut in [cut for cut in waiting if cut.first_frame <= frame.index]:
                cut.add(frame, size, quality)
                if len(cut.encoded) == cut.count:
                    output.add_pictures(cut.clip, EncodedFrames(cut.encoded, (size, size)))
                    waiting.remove(cut)
            heartbeat()
            if not waiting:
                return
    if waiting:
        expected = "a video that has the same frames when it is read again"
        raise CorpusError("preparation", expected, f"{path} with fewer")


def cut_square(picture: Picture, box: tuple[int, int, int], reduction: float, size: int) -> Picture:
    """Cut a square out of a picture ``[H, W, 3]`` and scale it; beyond the picture its border goes on.

    Args:
        picture: the picture.
        box: left, top and edge in pixels of the video.
        reduction: pixels of the video per pixel of the picture.
        size: edge of the result in pixels. A point at ``x`` in the video is at ``(x - left) * size / edge`` in it.
    """
    left, top, side = (value / reduction for value in box)
    # The pixels that the square touches, and what of them lies beyond the picture.
    first_x, first_y, last_x, last_y = map(
        int, (math.floor(left), math.floor(top), math.ceil(left + side), math.ceil(top + side))
    )
    height, width = picture.shape[:2]
    columns = np.clip(np.arange(first_x, last_x), 0, width - 1)
    rows = np.clip(np.arange(first_y, last_y), 0, height - 1)
    square = picture[rows[:, None], columns[None]]
    bounds = (left - first_x, top - first_y, left - first_x + side, top - first_y + side)
    scaled = Image.fromarray(square).resize((size, size), Image.Resampling.BICUBIC, box=bounds)
    return np.asarray(scaled, np.uint8)
