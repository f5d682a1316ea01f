"""Frames into numbered PNG pictures."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..core.interfaces.renderer import Picture
from .audio import Audio
from .provenance_tag import synthetic

COMPRESSION = 3
"""Of zlib's levels 0..9: twice as fast as the usual 6, and the files hardly larger."""


def save_stills(
    folder: Path, pictures: Iterable[Picture], shape: tuple[int, ...], fps: Fraction, audio: Audio | None
) -> None:
    """Save ``000000.png``, ``000001.png`` ... in a folder, with transparency if the pictures have it; no sound."""
    tag = PngInfo()
    tag.add_text("Comment", synthetic())
    for k, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{k:06d}.png", pnginfo=tag, compress_level=COMPRESSION)
