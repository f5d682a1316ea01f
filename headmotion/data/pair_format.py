"""Corpora as folders of pairs: ``index.csv``, and for each of its rows ``ID.npz`` and ``ID.flac``, perhaps ``ID.mp4``.

The index has at least the columns ``id``, ``speaker`` and ``split``; ``ID.npz`` holds ``landmarks`` ``[T, P, D]`` in
pixels and ``fps``; ``ID.flac`` is 16 kHz, mono, and as long as the landmarks. ``ID.mp4`` has a picture for each frame,
of the pixels that the landmarks are in, or of the square ``crop_box`` (left, top, edge) of these that ``ID.npz`` names.
Further columns become `IndexEntry.checks`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from ..core.errors import CorpusError, MotionError
from ..core.files import is_inside, reason_of, require_regular
from ..core.npz import as_float32, read_arrays, read_shape
from ..core.short_repr import short_repr
from ..media.audio_file import soundfile_name
from .clip import SAMPLE_RATE, Clip, StoredClip, check_clip_values, check_image_size, sample_count, to_stored
from .clip_tracks import ClipShape, ClipTracks, MotionShape, TrackRange, cut_clip
from .index_entry import IndexEntry

_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*\x00-\x1f]')
_WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9])", re.IGNORECASE)


class PairReader:
    """Reader of the pairs of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, entry: IndexEntry) -> StoredClip:
        """Read a clip.

        Raises:
            CorpusError: a file is missing or damaged, values are not finite, or audio and landmarks differ in length.
        """
        # Imported late, because writing a corpus needs no torch.
        from ..core.timing import as_fps
        from .video_frames import VideoFrames

        arrays, sound = (self.folder / name for name in pair_names(entry.id))
        component = f"clip {self.folder / entry.id}"
        try:
            stored = read_arrays(arrays, "landmarks", "fps", "image_size", "crop_box")
            landmarks = as_float32(stored["landmarks"])
            fps = as_fps(str(stored.get("fps", 25)))
            height, width = map(int, stored.get("image_size", (0, 0)))
            audio, rate = _read_sound(sound, sample_count(len(landmarks), fps) + SAMPLE_RATE)
        except (
            OSError,
            KeyError,
            ValueError,
            TypeError,
            OverflowError,
            RuntimeError,
            MemoryError,
            MotionError,
        ) as error:
            expected = f"a readable .npz and {sound.suffix}"
            raise CorpusError(component, expected, reason_of(error)) from None
        if rate != SAMPLE_RATE:
            raise CorpusError(component, f"{SAMPLE_RATE} samples per second", str(rate))
        check_clip_values(component, landmarks, audio, fps)
        frames = VideoFrames(self._video(entry), len(landmarks), str(fps)) if "frames" in entry.tracks else None
        size = (height, width) if height else None
        check_image_size(component, size)
        return StoredClip(landmarks, audio, fps, size, frames, picture_box=picture_box(component, stored, size))

    def read_range(self, entry: IndexEntry, cut: TrackRange) -> ClipTracks:
        """Read a clip, and return a range of it; its files must be unpacked as a whole.

        Raises:
            CorpusError: as `read`.
        """
        return cut_clip(self.read(entry), cut)

    def shape(self, entry: IndexEntry) -> ClipShape:
        """Return length and shape of a clip from the head of its ``.npz``.

        Raises:
            CorpusError: the file is missing or damaged, or holds no landmarks.
        """
        from ..core.timing import as_fps

        path = self.folder / pair_names(entry.id)[0]
        try:
            frames, points, dims = read_shape(path, "landmarks")
            fps = as_fps(str(read_arrays(path, "fps").get("fps", 25)))
        except (OSError, ValueError, MotionError) as error:
            got = reason_of(error)
            expected = "landmarks [T, P, D] in a readable .npz"
            raise CorpusError(f"clip {self.folder / entry.id}", expected, got) from None
        return ClipShape(frames, MotionShape(points, dims, fps))

    def picture_size(self, entry: IndexEntry) -> tuple[int, int] | None:
        """Return height and width of the video of a clip in pixels; None if there is none.

        Raises:
            CorpusError: the video is damaged.
        """
        from .video_frames import VideoFrames

        return VideoFrames(self._video(entry), 1, "25").size if "frames" in entry.tracks else None

    def _video(self, entry: IndexEntry) -> Path:
        return self.folder / video_name(entry.id)


def _read_sound(path: Path, max_samples: int) -> tuple[NDArray[np.int16], int]:
    """Read a mono sound file, but not more than a clip can use: silence of days takes kilobytes on disk."""
    require_regular(path)
    with soundfile.SoundFile(soundfile_name(path)) as file:
        if file.channels != 1:
            raise ValueError(f"{file.channels} channels in {path.name}, where 1 is expected")
        return file.read(max_samples, dtype="int16"), file.samplerate


def pair_names(id: str) -> tuple[str, str]:
    """Return the names of the two files of a clip: arrays and sound."""
    return f"{id}.npz", f"{id}.flac"


def video_name(id: str) -> str:
    """Return the name of the video that may accompany the two files of a clip."""
    return f"{id}.mp4"


def write_pair(folder: Path, clip: Clip) -> None:
    """Write the two files of ``clip`` into ``folder``.

    Raises:
        CorpusError: the id is no file name, on any system, landmarks or audio have a wrong shape, are not finite,
            or differ in length, or the clip has pictures or labels.
    """
    if clip.frames is not None or clip.labels is not None:
        expected = "motion and sound only in a folder of pairs"
        raise CorpusError(f"clip {clip.id}", expected, "pictures or labels", "write_shards keeps them")
    check_plain_id("corpus", clip.id)
    _check_portable_id(clip.id)
    stored = to_stored(clip)
    arrays, sound = (folder / name for name in pair_names(clip.id))
    # The rate is text, because 30000/1001 is no float.
    values: dict[str, Any] = {"landmarks": stored.landmarks, "fps": np.array(str(clip.fps))}
    if clip.image_size is not None:
        values["image_size"] = np.array(clip.image_size)
    with arrays.open("wb") as stream:
        np.savez(stream, **values)
    soundfile.write(soundfile_name(sound), stored.audio, SAMPLE_RATE, subtype="PCM_16")


def check_plain_id(component: str, id: str) -> None:
    """Raise an error for an id whose files would not lie directly in the corpus folder, on any system."""
    if not is_inside(id) or "/" in id or "\\" in id:
        remedy = "write_shards takes ids with folders"
        raise CorpusError(component, "ids that are plain file names", short_repr(id), remedy)


def _check_portable_id(id: str) -> None:
    """Raise an error for an id that is no file name on Windows, because corpora travel."""
    is_device = _WINDOWS_DEVICE.fullmatch(id.partition(".")[0].strip())
    if is_device or _NOT_ON_WINDOWS.search(id):
        expected = 'ids without < > : " | ? * and control characters that name no device of Windows'
        raise CorpusError("corpus", expected, short_repr(id), "rename the clip, or use write_shards, which takes any")


def picture_box(
    component: str, stored: Mapping[str, Any], size: tuple[int, int] | None
) -> tuple[float, float, float] | None:
    """Return the square of the landmarks' pixels that the video of a clip shows: left, top and edge.

    Raises:
        CorpusError: ``crop_box`` is no square.
    """
    if "crop_box" not in stored:
        return None if size is None else (0.0, 0.0, float(max(size)))
    box = as_float32(stored["crop_box"]).flatten().tolist()
    if len(box) != 3 or not all(map(math.isfinite, box)) or box[2] <= 0:
        raise CorpusError(component, "a crop_box of left, top and an edge above 0", str(box))
    return box[0], box[1], box[2]
