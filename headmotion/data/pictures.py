"""Face pictures of a clip: stored encoded, and decoded only where they are read."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from einops import rearrange
from PIL import Image

from ..core.errors import CorpusError, ImageError

if TYPE_CHECKING:
    from ..core.interfaces.renderer import Picture

PictureFormat = Literal["jpeg", "webp"]
"""How pictures are encoded."""

Pictures = npt.NDArray[np.uint8]
"""RGB pictures ``[t, 3, H, W]``."""

MAX_EDGE = 4096
"""Longest edge of a stored picture in pixels; a larger one is not decoded."""
WHOLE = "a whole JPEG or WebP picture"
"""What errors expect of a picture that cannot be decoded."""
OF_SIZE = "a picture of"
"""What errors expect of a picture of another size begins so."""
MISSING_PICTURES = "a picture for each"
"""What errors expect of fewer pictures than frames begins so."""
QUALITY = 90
"""Usual quality of encoded pictures, 1 to 100."""


class Frames(Protocol):
    """The pictures of one clip, one for each motion frame."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        ...

    def __len__(self) -> int:
        """Return the number of pictures."""
        ...

    def read(self, first: int = 0, count: int | None = None) -> Pictures:
        """Decode pictures ``[t, 3, H, W]``; a ``count`` of None is all from ``first`` on.

        Raises:
            CorpusError: a picture is missing or damaged.
        """
        ...


@runtime_checkable
class SupportsEncoded(Protocol):
    """Frames that are encoded already; they are stored as they are."""

    def encoded_pictures(self) -> Sequence[bytes]:
        """Return all pictures as JPEG or WebP files.

        Raises:
            CorpusError: a picture is missing.
        """
        ...


@dataclass(frozen=True, eq=False)
class EncodedFrames:
    """Pictures in memory, each encoded by itself."""

    encoded: Sequence[bytes]
    """JPEG or WebP files."""
    size: tuple[int, int]
    """Height and width in pixels."""

    def __len__(self) -> int:
        return len(self.encoded)

    def read(self, first: int = 0, count: int | None = None) -> Pictures:
        """Decode pictures ``[t, 3, H, W]``.

        Raises:
            CorpusError: a picture is damaged.
        """
        last = len(self) if count is None else first + count
        return decode_pictures("frames", self.encoded[first:last], self.size)

    def encoded_pictures(self) -> Sequence[bytes]:
        """Return all pictures as they are stored."""
        return self.encoded


def encode_pictures(
    pictures: Iterable[Picture], format: PictureFormat = "jpeg", quality: int = QUALITY
) -> EncodedFrames:
    """Encode pictures ``uint8 [H, W, 3]`` of one size.

    Args:
        pictures: at least one.
        format: ``jpeg`` or ``webp``.
        quality: 1 to 100.

    Raises:
        CorpusError: no pictures, or pictures of different or impossible sizes.
    """
    encoded: list[bytes] = []
    size: tuple[int, int] | None = None
    for picture in pictures:
        height, width = picture.shape[:2]
        size = size or (height, width)
        if picture.shape != (*size, 3) or picture.dtype != np.uint8 or not 0 < min(size) <= max(size) <= MAX_EDGE:
            expected = f"pictures uint8 [{size[0]}, {size[1]}, 3], at most {MAX_EDGE} wide and high"
            raise CorpusError("frames", expected, f"{picture.dtype} {list(picture.shape)}")
        encoded.append(encode_picture(picture, format, quality))
    if size is None:
        raise CorpusError("frames", "at least one picture", "none")
    return EncodedFrames(encoded, size)


def encode_picture(picture: Picture, format: PictureFormat = "jpeg", quality: int = QUALITY) -> bytes:
    """Encode one picture ``uint8 [H, W, 3]``."""
    stream = io.BytesIO()
    # JPEG usually halves the resolution of colors, and lips differ from skin by color.
    options = {"subsampling": 0} if format == "jpeg" else {}
    Image.fromarray(np.ascontiguousarray(picture)).save(stream, format, quality=quality, **options)
    return stream.getvalue()


def decode_pictures(component: str, encoded: Sequence[bytes], size: tuple[int, int]) -> Pictures:
    """Decode pictures, all of which must have the same size.

    Args:
        component: who complains, for the error.
        encoded: JPEG or WebP files.
        size: height and width in pixels.

    Raises:
        CorpusError: a picture is damaged, or of another size.
    """
    pictures = np.empty((len(encoded), 3, *size), np.uint8)
    for number, content in enumerate(encoded):
        try:
            pictures[number] = rearrange(_decode(content, size), "height width channel -> channel height width")
        except ImageError as error:
            raise CorpusError(component, f"{error.expected} for frame {number} of those read", error.got) from None
    return pictures


def encoded_size(content: bytes) -> tuple[int, int]:
    """Return height and width of an encoded picture without decoding it.

    Raises:
        ImageError: no JPEG or WebP file.
    """
    try:
        with _open(content) as opened:
            return opened.height, opened.width
    except Exception:  # decoders raise errors of any type on damaged files
        raise ImageError("picture", "a JPEG or WebP picture", "other or damaged content") from None


def _decode(content: bytes, size: tuple[int, int]) -> Picture:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata
            with _open(content) as opened:
                # Before it is decoded: a few bytes can claim to be gigabytes.
                if (opened.height, opened.width) != size:
                    got = f"{opened.width} x {opened.height}"
                    raise ImageError("picture", f"{OF_SIZE} {size[1]} x {size[0]}", got)
                return np.asarray(opened.convert("RGB"), np.uint8)
    except ImageError:
        raise
    except Image.DecompressionBombError:
        raise ImageError("picture", WHOLE, "too many pixels") from None
    except Exception:  # decoders raise errors of any type on damaged files
        raise ImageError("picture", WHOLE, "other or damaged content") from None


def _open(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content), formats=("JPEG", "WEBP"))
