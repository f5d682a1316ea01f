"""Clips as files that no index describes: ``ID.npz`` with ``ID.flac`` or ``ID.wav``, and perhaps ``ID.mp4``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..core.errors import CorpusError
from ..core.files import reason_of
from ..core.npz import as_float32, read_arrays
from .clip import SAMPLE_RATE, Clip, check_clip_values, check_image_size, sample_count
from .pair_format import picture_box, video_name
from .video_frames import VideoFrames

SOUND_SUFFIXES = (".flac", ".wav")


def find_ids(folder: Path) -> list[str]:
    """Return the ids of the clips in a folder and its subfolders: paths of its ``.npz`` files without the suffix.

    Raises:
        CorpusError: the folder cannot be read.
    """
    try:
        if not folder.is_dir():
            raise NotADirectoryError
        names = (path.relative_to(folder).with_suffix("") for path in folder.rglob("*.npz"))
        # Hidden files are leftovers of other programs, such as macOS's ``._clip.npz``.
        return sorted(name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts))
    except OSError as error:
        raise CorpusError("folder", "a folder that can be read", f"{folder} ({reason_of(error)})") from None


def read_clip(folder: Path, id: str) -> Clip:
    """Read a clip, without speaker and license. Its sound gets the length of the landmarks.

    Raises:
        CorpusError: a file is missing or damaged, or the sound is more than a frame longer or shorter.
    """
    from ..core.timing import as_fps
    from ..media.audio import Audio

    arrays = folder / f"{id}.npz"
    component = f"clip {folder / id}"
    sounds = [folder / f"{id}{suffix}" for suffix in SOUND_SUFFIXES if (folder / f"{id}{suffix}").exists()]
    if not sounds:
        raise CorpusError(component, f"a sound file ({' or '.join(SOUND_SUFFIXES)}) next to its .npz", "none")
    try:
        stored = read_arrays(arrays, "landmarks", "fps", "image_size", "crop_box")
        landmarks = as_float32(stored["landmarks"])
        fps = as_fps(str(stored.get("fps", 25)))
        height, width = map(int, stored.get("image_size", (0, 0)))
    except (OSError, KeyError, ValueError, TypeError, OverflowError) as error:
        raise CorpusError(component, "a readable .npz", reason_of(error)) from None
    expected_samples = sample_count(len(landmarks), fps)
    samples = Audio.load(sounds[0]).read(SAMPLE_RATE, expected_samples + SAMPLE_RATE)
    missing = expected_samples - len(samples)
    # A larger difference means that sound and landmarks do not belong together.
    if abs(missing) > SAMPLE_RATE / fps:
        expected = f"{expected_samples} samples at 16 kHz for {len(landmarks)} frames at {fps} fps"
        raise CorpusError(component, expected, f"{len(samples)} samples")
    audio = np.pad(samples[:expected_samples], (0, max(0, missing)))
    check_clip_values(component, landmarks, audio, fps)
    checks = {"samples_added": missing} if missing else {}
    size = (height, width) if height else None
    check_image_size(component, size)
    clip = Clip(id, "", "train", landmarks, audio, fps, image_size=size, checks=checks)
    video = folder / video_name(id)
    if not video.exists():
        return clip
    frames = VideoFrames(video, len(landmarks), str(fps))
    return replace(clip, frames=frames, picture_box=picture_box(component, stored, size))
