"""Frames into a GIF."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.GifImagePlugin import getdata

from ..core.interfaces.renderer import Picture
from .audio import Audio
from .provenance_tag import synthetic

LEAST = 2
"""Centiseconds for which a frame is shown at least; viewers show what is shorter much longer."""
LONGEST = 65535
"""Centiseconds that the format can count."""
CLEAR = 255
"""Index of the color that is transparent."""
DITHER = 6
"""Steps of 8 bits over which colors are dithered: no bands are seen any more, and the pattern hardly."""
MISFIT = 2.0
"""A palette is replaced when it is further from a frame than this many times its distance from its own frame."""

Indices = npt.NDArray[np.uint8]
"""Index into the palette for each pixel, ``[H, W]``."""


def encode_gif(
    path: Path, pictures: Iterable[Picture], shape: tuple[int, ...], fps: Fraction, audio: Audio | None
) -> None:
    """Write a GIF that repeats for ever, without sound.

    GIF counts time in centiseconds: frame ``k`` begins at ``k / fps`` rounded to the nearest, and frames that would
    then be shown for less than `LEAST` are left out (there are some beyond 50 frames per second). A pixel is
    transparent where its opacity is below one half.
    """
    height, width, channels = shape
    palette, shown = None, None
    with path.open("wb") as stream:
        stream.write(_header(width, height))
        for picture, centiseconds in _timed(pictures, fps):
            if palette is None or not palette.fits(picture):
                palette, shown = _Palette(picture), None
            indices = palette.indices(picture)
            box = _changed(indices, None if channels == 4 else shown)
            image = palette.image(indices[box[1] : box[3], box[0] : box[2]])
            after: dict[str, Any] = {"disposal": 2, "transparency": CLEAR} if channels == 4 else {"disposal": 1}
            stream.writelines(getdata(image, box[:2], duration=10 * centiseconds, include_color_table=True, **after))
            shown = indices
        stream.write(b";")


class _Palette:
    """At most 255 colors, taken from one frame and kept as long as they fit, so that what is still does not flicker."""

    def __init__(self, picture: Picture) -> None:
        small = Image.fromarray(picture[..., :3])
        small.thumbnail((256, 256))
        # Inside of mouths it is darker than in a picture with closed lips: a darker copy, too, has a say.
        dark = small.resize((small.width, -(-small.height // 4))).point(lambda level: level // 2)
        both = Image.new("RGB", (small.width, small.height + dark.height))
        both.paste(small, (0, 0))
        both.paste(dark, (0, small.height))
        # Rare colors count (lips are small), then the common ones are met exactly.
        self._image = both.quantize(CLEAR, method=Image.Quantize.MAXCOVERAGE, kmeans=2)
        self._colors = np.array(self._image.getpalette(), np.int16).reshape(-1, 3)
        height, width = picture.shape[:2]
        self._dither = np.tile(_bayer(), (-(-height // 8), -(-width // 8)))[:height, :width, None]
        self._distance = self._from(picture)

    def fits(self, picture: Picture) -> bool:
        """Whether the colors do for another frame."""
        return self._from(picture) <= MISFIT * self._distance + 1

    def indices(self, picture: Picture) -> Indices:
        """The color for each pixel, dithered by a fixed pattern, which does not flicker either."""
        nearest = self._nearest(np.clip(picture[..., :3] + self._dither, 0, 255).astype(np.uint8))
        if picture.shape[2] == 4:
            nearest[picture[..., 3] < 128] = CLEAR
        return nearest

    def image(self, indices: Indices) -> Image.Image:
        """Part of a frame, with the palette."""
        image = Image.fromarray(np.ascontiguousarray(indices), "P")
        image.putpalette(self._colors.astype(np.uint8).tobytes().ljust(768, b"\0"))
        return image

    def _nearest(self, colors: Picture) -> Indices:
        return np.array(Image.fromarray(colors).quantize(palette=self._image, dither=Image.Dither.NONE), np.uint8)

    def _from(self, picture: Picture) -> float:
        few = picture[::4, ::4, :3]
        return float(np.abs(self._colors[self._nearest(np.ascontiguousarray(few))] - few).mean())


def _bayer() -> npt.NDArray[np.int16]:
    """The pattern ``[8, 8]`` of an ordered dither (Bayer 1973), around 0."""
    pattern = np.zeros((1, 1))
    for _ in range(3):
        pattern = np.block([[4 * pattern, 4 * pattern + 2], [4 * pattern + 3, 4 * pattern + 1]])
    return np.rint((pattern / 63 - 0.5) * DITHER).astype(np.int16)


def _timed(pictures: Iterable[Picture], fps: Fraction) -> Iterator[tuple[Picture, int]]:
    """Pictures with the centiseconds for which they are shown."""
    held, begin, end = None, 0, 0
    for k, picture in enumerate(pictures):
        now, end = _centiseconds(k / fps), _centiseconds((k + 1) / fps)
        if held is not None and now - begin < LEAST:
            continue
        if held is not None:
            yield held, min(now - begin, LONGEST)
        held, begin = picture, now
    if held is not None:
        yield held, min(max(end - begin, LEAST), LONGEST)


def _centiseconds(seconds: Fraction) -> int:
    return (100 * seconds + Fraction(1, 2)).__floor__()


def _changed(indices: Indices, shown: Indices | None) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what differs from the frame that is shown; never empty."""
    if shown is None:
        return 0, 0, indices.shape[1], indices.shape[0]
    rows, columns = np.nonzero(indices != shown)
    if not len(rows):
        return 0, 0, 1, 1
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def _header(width: int, height: int) -> bytes:
    """What precedes the frames: size, endless repetition, and the tag as a comment."""
    tag = synthetic().encode("ascii")
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", width, height, 0, 0, 0)
        + b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
        + b"!\xfe"
        + bytes([len(tag)])
        + tag
        + b"\0"
    )
