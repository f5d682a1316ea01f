"""Frames into a video, a GIF or a folder of pictures, by the name of the output."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..core.errors import ImageError
from ..core.files import atomic_folder, atomic_output, open_regular, reason_of
from ..core.interfaces.renderer import Picture
from ..core.output_folder import require_free_folder
from ..core.progress import track
from ..core.timing import Rate, as_fps
from .audio import Audio
from .gif_writer import encode_gif
from .video_writer import encode_video, provenance_tag

Encoder = Callable[[Path, Iterable[Picture], tuple[int, ...], Fraction, Audio | None], None]
"""Writes pictures of one shape to a new file or folder, with sound if the format has any."""

FRAME = "{:06d}.png"
"""Names of the pictures in a folder, by number."""
PNG_COMPRESSION = 3
"""zlib level (0 to 9): twice as fast as the usual 6, and the files are hardly larger."""


def save_pngs(
    folder: Path, pictures: Iterable[Picture], shape: tuple[int, ...], fps: Fraction, audio: Audio | None
) -> None:
    """Save ``000000.png``, ``000001.png`` ... in a folder, with transparency if the pictures have it; no sound."""
    info = PngInfo()
    info.add_text("Comment", provenance_tag())
    for k, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / FRAME.format(k), pnginfo=info, compress_level=PNG_COMPRESSION)


FOLDER = ""
"""The suffix of a name without one."""
ENCODERS: dict[str, Encoder] = {
    ".mp4": encode_video,
    ".webm": encode_video,
    ".gif": encode_gif,
    FOLDER: save_pngs,
}
"""Encoders by suffix."""


def write_frames(
    frames: Iterable[Picture],
    path: str | os.PathLike[str],
    fps: Rate,
    audio: Audio | None = None,
    total: int | None = None,
    quiet: bool = False,
) -> Path:
    """Write frames as a video, a GIF or a folder of PNG pictures, in constant memory.

    The output is tagged as synthetic, and appears under its name when it is complete, or not at all. A video is as long
    as the longer of frames and ``audio``, which begins at time 0; a GIF and pictures have no sound.

    Args:
        frames: pictures of one size, ``uint8 [H, W, 3]`` or ``[H, W, 4]``; ``.mp4``, which has no transparency, shows
            them over white.
        path: a name ending in ``.mp4`` (H.264, AAC), ``.webm`` (VP9, Opus) or ``.gif``; without a suffix, a folder for
            ``000000.png``, ``000001.png`` and so on, which must be new or empty, or hold these very pictures.
        fps: frames per second.
        audio: the video's sound.
        total: number of frames, if known, for the progress bar.
        quiet: show no progress bar. It appears only on a terminal, and only for work of more than two seconds.

    Raises:
        ImageError: another suffix, a folder that is not empty and holds anything else, no frames, frames of different
            sizes, or the output cannot be written.
    """
    target = Path(path)
    check_target(target)
    frames = iter(frames)
    # The shape is needed before an encoder is opened; and without frames there must be no file.
    first = next(frames, None)
    if first is None:
        raise ImageError("video", "at least one frame", "none")
    pictures = track(_of_shape(chain([first], frames), first.shape), "video", total, quiet=quiet)
    suffix = target.suffix.lower()
    if suffix == FOLDER and _holds_frames(target):
        _require_same(target, pictures)
        return target
    try:
        with (atomic_folder if suffix == FOLDER else atomic_output)(target) as temporary:
            ENCODERS[suffix](temporary, pictures, first.shape, as_fps(fps), audio)
    except (OSError, av.FFmpegError) as error:
        raise ImageError("video", "a file that can be written", f"{target} ({reason_of(error)})") from error
    return target


def check_target(path: Path) -> None:
    """Check the name of an output before any frame is rendered.

    Raises:
        ImageError: a suffix of no format, or a folder with other files than pictures.
    """
    if path.suffix.lower() not in ENCODERS:
        known = ", ".join(filter(None, ENCODERS))
        raise ImageError("video", f"a name ending in {known}, or a folder's name without a dot", repr(path.name))
    if not path.suffix and not _holds_frames(path):
        remedy = "choose another name, or name a video as .mp4, .webm or .gif"
        require_free_folder(path, "pictures", ImageError, replaced=True, remedy=remedy)


def _holds_frames(folder: Path) -> bool:
    """Return whether a folder holds nothing but pictures that `save_pngs` may have written."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    return bool(names) and names == {FRAME.format(k) for k in range(len(names))}


def _require_same(folder: Path, pictures: Iterable[Picture]) -> None:
    """Compare pictures with those in a folder, which a call that was killed had just finished.

    Raises:
        ImageError: one differs, or there are more or fewer.
    """
    count = 0
    for count, picture in enumerate(pictures, 1):
        path = folder / FRAME.format(count - 1)
        try:
            with open_regular(path) as stream, Image.open(stream, formats=["PNG"]) as stored:
                same = np.array_equal(np.asarray(stored), picture)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):  # missing or damaged
            same = False
        if not same:
            raise _other_pictures(folder)
    if count != sum(1 for _ in folder.iterdir()):
        raise _other_pictures(folder)


def _other_pictures(folder: Path) -> ImageError:
    expected = "a new or empty folder, or one with the same pictures"
    return ImageError("pictures", expected, f"{folder}, which holds others", "choose another name")


def _of_shape(pictures: Iterable[Picture], shape: tuple[int, ...]) -> Iterator[Picture]:
    for k, picture in enumerate(pictures):
        if picture.shape != shape:
            raise ImageError("video", f"frames of one size {list(shape)}", f"{list(picture.shape)} at frame {k}")
        yield picture
