"""Frames into a GIF, with FFmpeg's palette filters."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import cast

import av
import av.error
import numpy as np
from av.filter import Graph

from ..core.interfaces.renderer import Picture
from .audio import Audio
from .video_writer import provenance_tag

CENTISECOND = Fraction(1, 100)
"""The unit of time of the format (seconds)."""
MIN_DURATION = 2
"""Shortest time (centiseconds) for which a frame is shown; viewers show what is shorter for much longer."""
PALETTE_PIXELS = 25_000_000
"""Pixels of the first frames from which the palette is taken; so many are held in memory."""
RGBA = av.VideoFormat("rgba")
_log = logging.getLogger("headmotion")
DITHER = "bayer:bayer_scale=4"
"""A fixed pattern that hides bands but is hardly visible itself."""


def encode_gif(
    path: Path, pictures: Iterable[Picture], shape: tuple[int, ...], fps: Fraction, audio: Audio | None
) -> None:
    """Write a GIF that loops forever, without sound.

    GIF counts time in centiseconds: frame ``k`` begins at ``k / fps`` rounded to the nearest, and frames that would
    then be shown for less than `MIN_DURATION` are left out (there are some beyond 50 frames per second). A pixel is
    transparent where its opacity is below one half.

    All frames share a palette of 255 colors and a dithering pattern, so what does not move does not flicker. A palette
    per frame would flicker, and make files larger by a third.

    Args:
        path: the file.
        pictures: pictures of one shape.
        shape: ``(H, W, 3)`` or ``(H, W, 4)``.
        fps: frames per second.
        audio: ignored.
    """
    height, width, _ = shape
    if fps * MIN_DURATION * CENTISECOND > 1:
        _log.warning("a GIF shows at most 50 frames per second: of the %g, those beyond are left out", float(fps))
    timed = (_video_frame(picture, start) for picture, start in start_times(pictures, fps))
    first = list(islice(timed, max(1, PALETTE_PIXELS // (height * width))))
    # A frame lasts until the next one begins; nothing follows the last one.
    final_delay = max(MIN_DURATION, round(1 / (fps * CENTISECOND)))
    # By its path, because of what a file object raises, such as that a disk is full, FFmpeg knows nothing.
    with av.open(str(path), "w", format="gif", options={"final_delay": str(final_delay)}) as container:
        stream = container.add_stream("gif", rate=1 / CENTISECOND)
        stream.width, stream.height, stream.pix_fmt = width, height, "pal8"
        stream.codec_context.time_base = CENTISECOND
        for frame in _with_palette(chain(first, timed), _palette(first), width, height):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    _add_comment(path, provenance_tag().encode("ascii"))


def start_times(pictures: Iterable[Picture], fps: Fraction) -> Iterator[tuple[Picture, int]]:
    """Return pictures with the centiseconds at which they begin, without those that would be shown too briefly."""
    last = -MIN_DURATION
    for k, picture in enumerate(pictures):
        start = (k / fps / CENTISECOND + Fraction(1, 2)).__floor__()
        if start - last >= MIN_DURATION:
            last = start
            yield picture, start


def _video_frame(picture: Picture, start: int) -> av.VideoFrame:
    if picture.shape[2] == 3:
        picture = np.pad(picture, ((0, 0), (0, 0), (0, 1)), constant_values=255)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgba")
    frame.pts, frame.time_base = start, CENTISECOND
    return frame


def _palette(frames: list[av.VideoFrame]) -> av.VideoFrame:
    """Return 255 colors and a transparent one that suit frames, as FFmpeg's picture of 16 x 16 pixels."""
    graph = Graph()
    source = graph.add_buffer(width=frames[0].width, height=frames[0].height, format=RGBA, time_base=CENTISECOND)
    graph.link_nodes(source, graph.add("palettegen"), graph.add("buffersink")).configure()
    for frame in frames:
        graph.push(frame)
    graph.push(None)
    return cast("av.VideoFrame", graph.pull())


def _with_palette(
    frames: Iterable[av.VideoFrame], palette: av.VideoFrame, width: int, height: int
) -> Iterator[av.VideoFrame]:
    """Dither frames to the colors of a palette."""
    graph = Graph()
    source = graph.add_buffer(width=width, height=height, format=RGBA, time_base=CENTISECOND)
    colors = graph.add_buffer(width=16, height=16, format=palette.format, time_base=CENTISECOND)
    use, sink = graph.add("paletteuse", f"dither={DITHER}"), graph.add("buffersink")
    source.link_to(use, 0, 0)
    colors.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    # The palette is a video of one frame, which lasts until the end.
    palette.pts = 0
    colors.push(palette)
    colors.push(None)
    for frame in chain(frames, [None]):
        source.push(frame)
        try:
            while True:
                yield cast("av.VideoFrame", sink.pull())
        except (av.error.BlockingIOError, av.error.EOFError):  # it waits for the next frame, or has returned all
            pass


def _add_comment(path: Path, comment: bytes) -> None:
    """Insert a comment of up to 255 bytes after the header and palette of a GIF, where all readers look.

    The muxer writes none, so what follows is copied.
    """
    with path.open("rb+") as file, tempfile.TemporaryFile(dir=path.parent) as rest:
        header = file.read(13)
        start = 13 + (3 * (2 << (header[10] & 7)) if header[10] & 0x80 else 0)
        file.seek(start)
        shutil.copyfileobj(file, rest)
        rest.seek(0)
        file.seek(start)
        file.write(b"!\xfe" + bytes([len(comment)]) + comment + b"\0")
        shutil.copyfileobj(rest, file)
