"""Pictures from files."""

from __future__ import annotations

import contextlib
import ctypes
import os
import warnings
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, _imaging

from ..core.errors import ImageError
from ..core.interfaces.renderer import Picture

MAX_PIXELS = 100_000_000
"""Larger pictures are refused before they are decoded."""
FACTORS = (2, 4, 8)
"""By which pictures may be reduced as they are read: JPEG can be decoded at these fractions of its size."""


def read_picture(path: str | os.PathLike[str], alpha: bool = False) -> Picture:
    """A picture file as RGB ``uint8 [H, W, 3]``, upright as its EXIF tag says, transparency over white.

    Args:
        path: PNG, JPEG, WebP or whatever else Pillow reads.
        alpha: keep transparency: a picture that has some becomes ``[H, W, 4]``.

    Raises:
        ImageError: no such file, not a picture, damaged, empty, or more than `MAX_PIXELS`.
    """
    return read_reduced(path, None, alpha)[0]


def read_reduced(path: str | os.PathLike[str], edge: int | None, alpha: bool = False) -> tuple[Picture, int]:
    """A picture file, reduced as it is read if it is much larger than needed, which saves time and memory.

    Args:
        path: as in `read_picture`.
        edge: how long the longer edge needs to be, in pixels; None reads every pixel.
        alpha: as in `read_picture`.

    Returns:
        The picture and its factor: the largest of 1, 2, 4 and 8 that leaves the longer edge at least ``edge``. What
        was at ``x`` is at ``(x + 1/2) / factor - 1/2``.

    Raises:
        ImageError: as `read_picture`.
    """
    source = Path(path)
    if not source.is_file():
        raise ImageError("picture", "an existing picture file", str(source))
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata and of size; the size is checked here, on the header alone.
            warnings.simplefilter("ignore")
            with Image.open(source) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise ImageError(
                        "picture", f"at most {MAX_PIXELS:,} pixels", f"{opened.width} x {opened.height} in {source}"
                    )
                if opened.format == "EPS":
                    raise ImageError("picture", "pixels", f"PostScript, a program, in {source}")
                if opened.format == "TIFF":
                    _silence_libtiff()
                factor, longer = _factor(max(opened.size), edge), max(opened.size)
                opened.draft(None, (opened.width // factor, opened.height // factor))  # a JPEG is decoded smaller
                drafted = round(longer / max(opened.size))
                ImageOps.exif_transpose(opened, in_place=True)
                picture = _pixels(opened, factor // drafted)
                return picture if alpha else opaque(picture), factor
    except ImageError:
        raise
    except (Image.DecompressionBombError, MemoryError):
        raise ImageError("picture", f"at most {MAX_PIXELS:,} pixels", f"a larger one in {source}") from None
    except Exception as error:  # decoders raise whatever a damaged file leads them to
        raise ImageError(
            "picture", "a whole picture (PNG, JPEG, WebP ...)", f"{source} ({type(error).__name__})"
        ) from None


def opaque(picture: Picture) -> Picture:
    """A picture ``[H, W, 4]`` over white; one without opacity as it is."""
    if picture.shape[-1] != 4:
        return picture
    layer = Image.fromarray(picture)
    white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
    return np.array(Image.alpha_composite(white, layer).convert("RGB"), dtype=np.uint8)


@cache
def _silence_libtiff() -> None:
    """Switch off libtiff's own messages on standard error; what goes wrong is an `ImageError` anyway.

    Pillow has no switch for them. A symbol is also searched in what a library depends on, so its extension module leads
    to the libtiff that it loaded.
    """
    with contextlib.suppress(AttributeError, OSError):  # where libtiff is linked statically, it stays as it is
        ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler(None)


def _factor(longer: int, edge: int | None) -> int:
    return max((factor for factor in FACTORS if edge is not None and longer >= factor * edge), default=1)


def _pixels(picture: Image.Image, factor: int) -> Picture:
    """``[H, W, 3]``, or ``[H, W, 4]`` if a pixel is not wholly opaque, ``factor`` times smaller."""
    if picture.mode.startswith("I"):
        # 16-bit grey: Pillow would clip to 255, not scale.
        levels = np.asarray(picture).astype(np.int32)
        picture = Image.fromarray(((levels.clip(0, 65535) + 128) // 257).astype(np.uint8))
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    picture = picture if picture.mode == mode else picture.convert(mode)
    pixels = np.array(picture.reduce(factor) if factor > 1 else picture, dtype=np.uint8)
    clear = mode == "RGBA" and pixels[..., 3].min() < 255
    return pixels if clear else np.ascontiguousarray(pixels[..., :3])
