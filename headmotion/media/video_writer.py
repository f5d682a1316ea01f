"""Frames and sound into a video file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from ..core.interfaces.renderer import Picture
from .audio import Audio
from .image import opaque
from .provenance_tag import synthetic

SOUND_RATE = 48000
"""Samples per second of the sound in videos (Hz)."""


@dataclass(frozen=True)
class Format:
    """How one kind of file is encoded."""

    container: str
    video: str
    audio: str
    video_options: dict[str, str]
    lookahead: tuple[str, int]
    """The encoder's option for the number of frames that it looks ahead, and its usual value."""
    container_options: dict[str, str] = field(default_factory=dict)
    alpha: bool = False
    """Whether it keeps transparency."""


FORMATS = {
    ".mp4": Format(
        "mp4",
        "libx264",
        "aac",
        {"crf": "18", "preset": "medium"},
        ("rc-lookahead", 40),
        container_options={"movflags": "faststart"},
    ),
    ".webm": Format(
        "webm",
        "libvpx-vp9",
        "libopus",
        {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "5", "row-mt": "1"},
        ("lag-in-frames", 25),
        alpha=True,
    ),
}
"""Formats by suffix."""
LOOKAHEAD_PIXELS = 100_000_000
"""Encoders look ahead by this many pixels at most, or by 8 frames: their memory would else grow with the picture."""


def encode_video(
    path: Path, pictures: Iterable[Picture], shape: tuple[int, ...], fps: Fraction, audio: Audio | None
) -> None:
    """Encode frames, with the whole of ``audio`` from time 0 on; an odd edge is lengthened by a pixel.

    Frame ``k`` lies at exactly ``k / fps`` seconds in ``.mp4``, and within a millisecond of it in ``.webm``.
    Transparency is kept in ``.webm``; ``.mp4`` has none, and shows pictures over white.
    """
    chosen = FORMATS[path.suffix.lower()]
    with av.open(str(path), "w", format=chosen.container, options=chosen.container_options) as container:
        container.metadata["comment"] = synthetic()
        video = _video_stream(container, chosen, shape, fps)
        sound = _Sound(container, chosen, audio) if audio is not None else None
        for k, picture in enumerate(pictures):
            seen = picture if chosen.alpha else opaque(picture)
            container.mux(video.encode(_video_frame(seen, k, fps, video.pix_fmt or "")))
            if sound is not None:
                sound.write_until((k + 1) / fps)
        container.mux(video.encode(None))
        if sound is not None:
            sound.finish()


def _video_stream(container: OutputContainer, chosen: Format, shape: tuple[int, ...], fps: Fraction) -> av.VideoStream:
    height, width, channels = shape
    name, most = chosen.lookahead
    ahead = {name: str(max(8, min(most, LOOKAHEAD_PIXELS // (height * width))))}
    stream = cast("av.VideoStream", container.add_stream(chosen.video, rate=fps, options=chosen.video_options | ahead))
    stream.height, stream.width = height + height % 2, width + width % 2
    stream.pix_fmt = "yuva420p" if chosen.alpha and channels == 4 else "yuv420p"
    stream.codec_context.time_base = 1 / fps
    # Written down, since players would else guess the matrix from the size.
    stream.codec_context.colorspace = Colorspace.ITU709
    stream.codec_context.color_range = ColorRange.MPEG
    stream.codec_context.color_primaries = ColorPrimaries.BT709
    stream.codec_context.color_trc = ColorTrc.BT709
    return stream


def _video_frame(picture: Picture, k: int, fps: Fraction, encoded: str) -> av.VideoFrame:
    height, width, channels = picture.shape
    even = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgba" if channels == 4 else "rgb24")
    frame = frame.reformat(format=encoded, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
    frame.pts, frame.time_base = k, 1 / fps
    return frame


class _Sound:
    """The audio track, written as far as the video has come, so that neither waits in memory for the other."""

    def __init__(self, container: OutputContainer, chosen: Format, audio: Audio) -> None:
        self.container = container
        self.stream = cast("av.AudioStream", container.add_stream(chosen.audio, rate=SOUND_RATE, layout="mono"))
        self.stream.codec_context.bit_rate = 128_000
        self.blocks = audio.blocks(rate=SOUND_RATE, seconds=0.25)
        self.written = 0

    def write_until(self, seconds: Fraction) -> None:
        """Write blocks until they reach ``seconds``, or are at their end."""
        while self.written < seconds * SOUND_RATE and self._write_block():
            pass

    def finish(self) -> None:
        """Write what is left."""
        while self._write_block():
            pass
        self.container.mux(self.stream.encode(None))

    def _write_block(self) -> bool:
        block = next(self.blocks, None)
        if block is None:
            return False
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block)[None, :], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, self.written, Fraction(1, SOUND_RATE)
        self.written += len(block)
        self.container.mux(self.stream.encode(frame))
        return True
