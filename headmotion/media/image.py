"""Pictures from files, reduced as they are read if they are much larger than needed, and poses along with them."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError, _imaging
from torch import Tensor

from ..core.errors import ImageError
from ..core.files import reason_of
from ..core.interfaces.renderer import Picture
from ..core.interfaces.representation import Representation, UnitSquare
from ..core.lazy import import_optional
from ..core.motion import Motion

MAX_PIXELS = 100_000_000
"""Larger pictures are refused before they are decoded."""
FACTORS = (2, 4, 8)
"""Factors by which a picture may be reduced as it is read: JPEG can be decoded at these fractions of its size."""
HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
"""Brands of pictures in the container of MP4 whose codec is HEVC, or says nothing; Pillow does not read them."""
AVIF = (b"avif", b"avis")
"""The same with AV1; Pillow reads them from 11.3 on."""
CANVAS_PX = 512
"""Edge of the square on which motion without a picture is drawn."""


def read_picture(path: str | os.PathLike[str], alpha: bool = False) -> Picture:
    """Read a picture file as RGB ``uint8 [H, W, 3]``, upright as its EXIF tag says, transparency over white.

    Args:
        path: PNG, JPEG, WebP or any other format that Pillow reads, whatever its name; HEIC with ``headmotion[heic]``.
            Of an animated picture the first frame; colors are converted from the file's profile to sRGB.
        alpha: keep transparency; a picture that has some becomes ``[H, W, 4]``.

    Raises:
        ImageError: no such file, not a picture, damaged, empty, more than `MAX_PIXELS`, or HEIC without pillow-heif.
    """
    return read_reduced(path, None, alpha)[0]


def read_reduced(path: str | os.PathLike[str], edge: int | None, alpha: bool = False) -> tuple[Picture, int]:
    """Read a picture file, reduced if it is much larger than needed, which saves time and memory.

    Args:
        path: as in `read_picture`.
        edge: length that the longer edge needs (px); None reads every pixel.
        alpha: as in `read_picture`.

    Returns:
        The picture and its factor: the largest of 1, 2, 4 and 8 that leaves the longer edge at least ``edge``. A
        point at ``x`` in the file is at ``(x + 1/2) / factor - 1/2`` in the picture.

    Raises:
        ImageError: as `read_picture`.
    """
    source = Path(path)
    if not source.is_file():
        raise ImageError("picture", "an existing picture file", str(source))
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata and of size; the size is checked here, before anything is decoded.
            warnings.simplefilter("ignore")
            with _open(source) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise ImageError(
                        "picture", f"at most {MAX_PIXELS:,} pixels", f"{opened.width} x {opened.height} in {source}"
                    )
                # Pillow would run Ghostscript.
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
    except Exception as error:  # decoders raise errors of any type on damaged files
        got = f"{source} ({reason_of(error)})"
        raise ImageError("picture", "a whole picture (PNG, JPEG, WebP ...)", got) from None


def is_brand(head: bytes, brands: tuple[bytes, ...]) -> bool:
    """Return whether a file's first 12 bytes are of the container of MP4 with one of the brands."""
    return head[4:8] == b"ftyp" and head[8:12] in brands


def opaque(picture: Picture) -> Picture:
    """Lay a picture ``[H, W, 4]`` over white; return one without alpha as it is."""
    if picture.shape[-1] != 4:
        return picture
    layer = Image.fromarray(picture)
    white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
    return np.array(Image.alpha_composite(white, layer).convert("RGB"), dtype=np.uint8)


def reduce_poses(values: Tensor, factor: float, representation: Representation) -> Tensor:
    """Convert poses ``[..., P, D]`` in pixels of a picture to pixels of the picture reduced by ``factor``."""
    if factor == 1:
        return values
    # By way of two unit squares, because only the representation knows which numbers are lengths. Centers of pixels lie
    # at whole numbers, so the common corner of both pictures is at -1/2.
    unit = representation.normalize(values, UnitSquare(-0.5, -0.5, factor))
    return representation.denormalize(unit, UnitSquare(-0.5, -0.5, 1))


def reduce_motion(motion: Motion, factor: int, representation: Representation) -> Motion:
    """Convert a motion to pixels of its picture reduced by ``factor``.

    A motion in the unit frame is converted as if its picture were a square of `CANVAS_PX` pixels.
    """
    in_unit_frame = motion.units != "px"
    if factor == 1 and not in_unit_frame:
        return motion
    frame = UnitSquare(CANVAS_PX / 2, CANVAS_PX / 2, CANVAS_PX) if in_unit_frame else motion.frame
    small = frame and UnitSquare((frame.x + 0.5) / factor - 0.5, (frame.y + 0.5) / factor - 0.5, frame.side / factor)

    def to_pixels(values: Tensor) -> Tensor:
        pixels = representation.denormalize(values, frame) if in_unit_frame and frame else values
        return reduce_poses(pixels, factor, representation)

    reference = None if motion.reference is None else to_pixels(motion.reference)
    return replace(motion, values=to_pixels(motion.values), reference=reference, frame=small, units="px")


def _open(source: Path) -> Image.Image:
    try:
        return Image.open(source)
    except UnidentifiedImageError:
        with source.open("rb") as stream:
            head = stream.read(12)
        if is_brand(head, AVIF):
            raise ImageError("picture", "Pillow 11.3, which reads AVIF", source.name, "pip install -U pillow") from None
        if not is_brand(head, HEIF):
            raise
    # Opened here and not registered with Pillow, which would be for the whole process.
    heif = import_optional("pillow_heif", "headmotion[heic]", f"picture {source.name} (HEIC)", ImageError)
    opened: Image.Image = heif.HeifImageFile(source)
    return opened


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
    """Return ``[H, W, 3]``, or ``[H, W, 4]`` if any pixel is not opaque, ``factor`` times smaller."""
    if picture.mode.startswith("I"):
        # 16-bit gray, which Pillow would clip to 255 rather than scale.
        levels = np.asarray(picture).astype(np.int32)
        picture = Image.fromarray(((levels.clip(0, 65535) + 128) // 257).astype(np.uint8))
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    profile = picture.info.get("icc_profile")
    # Profiles of gray and of inks are for these numbers.
    if picture.mode != mode and not (mode == "RGB" and picture.mode in ("L", "CMYK")):
        picture = picture.convert(mode)
    picture = picture.reduce(factor) if factor > 1 else picture
    picture = _to_srgb(picture, mode, profile) if profile else picture
    pixels = np.array(picture if picture.mode == mode else picture.convert(mode), dtype=np.uint8)
    transparent = mode == "RGBA" and pixels[..., 3].min() < 255
    return pixels if transparent else np.ascontiguousarray(pixels[..., :3])


def _to_srgb(picture: Image.Image, mode: str, profile: bytes) -> Image.Image:
    """Convert colors from a file's profile (Display P3, Adobe RGB, inks) to sRGB; one that does not fit is ignored."""
    with contextlib.suppress(ImageCms.PyCMSError, OSError, ImportError, ValueError):
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" not in ImageCms.getProfileDescription(own):
            converted = ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), outputMode=mode)
            return converted or picture
    return picture
