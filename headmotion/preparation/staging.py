"""Clips of single videos on disk until all videos are done. Each appears whole or not at all, and survives restarts."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from ..core.errors import CorpusError
from ..core.files import atomic_folder, read_regular, reason_of, write_text
from ..data.array_file import map_arrays, write_arrays
from ..data.clip import FULL_SCALE
from ..data.pictures import EncodedFrames
from ..media.audio import Wave
from .face_tracks import Labels, Poses

_RECORD = "video.json"


@dataclass
class StagedVideo:
    """The clips of one video and its rejections, as they come in; `stage_video` writes the record at the end."""

    folder: Path
    source: str
    clips: list[dict[str, Any]] = field(default_factory=list)
    rejections: list[dict[str, Any]] = field(default_factory=list)
    label_names: tuple[str, ...] = ()
    """Names of the labels of all clips."""

    def add(
        self,
        id: str,
        landmarks: Poses,
        audio: Wave,
        image_size: tuple[int, int],
        checks: dict[str, Any],
        labels: Labels | None = None,
    ) -> None:
        """Write one clip.

        Args:
            id: id of the clip.
            landmarks: ``[T, P, D]`` in pixels of a picture of ``image_size``.
            audio: ``[640 * T]`` at 16 kHz, -1..1.
            image_size: height and width.
            checks: what the filters measured, as JSON values.
            labels: ``[T, L]``; None if there are none.
        """
        # As `to_stored` does, so that staging loses nothing that the corpus would keep.
        samples = np.clip(np.round(audio * FULL_SCALE), -32768, 32767).astype(np.int16)
        tensors: dict[str, npt.NDArray[Any]] = {
            "landmarks": np.ascontiguousarray(landmarks, np.float32),
            "audio": samples,
        }
        if labels is not None:
            tensors["labels"] = np.ascontiguousarray(labels, np.float32)
        _clip_path(self.folder, len(self.clips)).write_bytes(save(tensors))
        self.clips.append({"id": id, "image_size": list(image_size), "checks": checks})

    def add_pictures(self, clip: int, frames: EncodedFrames) -> None:
        """Write the pictures of the clip with a number."""
        lengths = [len(content) for content in frames.encoded]
        arrays: dict[str, list[npt.NDArray[Any]]] = {
            "content": [np.frombuffer(b"".join(frames.encoded), np.uint8)],
            "offsets": [np.cumsum([0, *lengths], dtype=np.int64)],
        }
        write_arrays(_picture_path(self.folder, clip), arrays)

    def reject(self, reason: str, clip: str = "", **details: Any) -> None:
        """Note why a clip is left out; without ``clip``, why there are no clips, or no further ones, of the video."""
        self.rejections.append({"source": self.source, "clip": clip, "reason": reason, **details})


@dataclass(frozen=True)
class StagedClip:
    """A clip as it was staged."""

    id: str
    landmarks: Poses
    audio: npt.NDArray[np.float32]
    image_size: tuple[int, int]
    checks: dict[str, Any]
    frames: EncodedFrames | None
    labels: Labels | None
    label_names: tuple[str, ...]


def record_path(folder: Path) -> Path:
    """Return the path of the file that makes a staged video complete."""
    return folder / _RECORD


def is_staged(folder: Path) -> bool:
    """Return whether the video of a staging folder is complete."""
    return record_path(folder).is_file()


@contextlib.contextmanager
def stage_video(folder: Path, source: str) -> Iterator[StagedVideo]:
    """Yield a staged video to be filled; it appears as ``folder`` if nothing was raised.

    Args:
        folder: where it appears, two levels below the root of the staging area, which must exist.
        source: name of the video.

    Raises:
        OSError: the folder cannot be written, or the staging area is gone.
    """
    # Only one level is made: a late worker must not bring back a staging area that has become a corpus.
    folder.parent.mkdir(exist_ok=True)
    with atomic_folder(folder) as temporary:
        result = StagedVideo(temporary, source)
        yield result
        record = {
            "source": source,
            "clips": result.clips,
            "rejected": result.rejections,
            "labels": result.label_names,
        }
        write_text(record_path(temporary), json.dumps(record, sort_keys=True, allow_nan=False))


def read_record(folder: Path) -> dict[str, Any]:
    """Read the record of a staged video: ``source``, ``clips`` and ``rejected``.

    Raises:
        CorpusError: the record is missing or damaged.
    """
    try:
        return dict(json.loads(read_regular(record_path(folder))))
    except (OSError, ValueError) as error:
        raise _damaged(folder, error) from None


def read_clips(folder: Path) -> Iterator[StagedClip]:
    """Read the clips of a staged video, one after another.

    Raises:
        CorpusError: a file is missing or damaged.
    """
    record = read_record(folder)
    for number, clip in enumerate(record["clips"]):
        try:
            tensors = load_file(_clip_path(folder, number))
            audio = tensors["audio"].astype(np.float32) / FULL_SCALE
            height, width = clip["image_size"]
            yield StagedClip(
                id=clip["id"],
                landmarks=tensors["landmarks"],
                audio=audio,
                image_size=(height, width),
                checks=clip["checks"],
                frames=_read_pictures(_picture_path(folder, number), (height, width)),
                labels=tensors.get("labels"),
                label_names=tuple(record["labels"]),
            )
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise _damaged(folder, error) from None


def _read_pictures(path: Path, size: tuple[int, int]) -> EncodedFrames | None:
    if not path.exists():
        return None
    arrays = map_arrays(path)
    bounds = pairwise(arrays["offsets"].tolist())
    return EncodedFrames([arrays["content"][first:last].tobytes() for first, last in bounds], size)


def _clip_path(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.safetensors"


def _picture_path(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.pictures.safetensors"


def _damaged(folder: Path, error: Exception) -> CorpusError:
    return CorpusError("preparation", "intact staged videos", f"{folder} ({reason_of(error)})", "remove it")
