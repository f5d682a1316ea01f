"""Pictures from files."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from .errors import ImageError
from .renderer import Picture

MAX_PIXELS = 100_000_000
"""Larger pictures are refused before they are decoded."""


def read_picture(path: str | os.PathLike[str], alpha: bool = False) -> Picture:
    """A picture file as RGB ``uint8 [H, W, 3]``, upright as its EXIF tag says, transparency over white.

    Args:
        path: PNG, JPEG, WebP or whatever else Pillow reads.
        alpha: keep transparency: a picture that has some becomes ``[H, W, 4]``.

    Raises:
        ImageError: no such file, not a picture, damaged, empty, or more than `MAX_PIXELS`.
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
                picture = _decoded(ImageOps.exif_transpose(opened))
                return picture if alpha else opaque(picture)
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


def _decoded(picture: Image.Image) -> Picture:
    """``[H, W, 3]``, or ``[H, W, 4]`` if a pixel is not wholly opaque."""
    if picture.mode.startswith("I"):
        # 16-bit grey: Pillow would clip to 255, not scale.
        levels = np.asarray(picture).astype(np.float64)
        picture = Image.fromarray((levels.clip(0, 65535) / 257 + 0.5).astype(np.uint8))
    if picture.has_transparency_data:
        layer = np.array(picture.convert("RGBA"), dtype=np.uint8)
        if layer[..., 3].min() < 255:
            return layer
    return np.array(picture.convert("RGB"), dtype=np.uint8)
