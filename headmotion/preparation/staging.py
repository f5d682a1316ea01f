"""Results of single videos on disk until all are there: each appears whole or not at all, and is kept on a restart."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from ..core.errors import CorpusError
from ..core.files import atomic_folder
from ..data.clip import FULL_SCALE
from ..media.audio import Wave
from .face_tracks import Poses

_RECORD = "video.json"


@dataclass
class StagedVideo:
    """The clips of one video, and what is refused of it, as they are found; `staged` writes the record at the end."""

    folder: Path
    source: str
    clips: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)

    def add(self, id: str, landmarks: Poses, audio: Wave, image_size: tuple[int, int], checks: dict[str, Any]) -> None:
        """Write one clip: landmarks ``[T, P, D]`` and its wave ``[640 * T]``."""
        samples = np.clip(np.round(audio * FULL_SCALE), -32768, 32767).astype(np.int16)
        content = save({"landmarks": np.ascontiguousarray(landmarks, np.float32), "audio": samples})
        (self.folder / f"{len(self.clips):06d}.safetensors").write_bytes(content)
        self.clips.append({"id": id, "image_size": list(image_size), "checks": checks})

    def refuse(self, reason: str, clip: str = "", **figures: Any) -> None:
        """Note why there is no clip; without ``clip``, why there is nothing (more) of the video."""
        self.refused.append({"source": self.source, "clip": clip, "reason": reason, **figures})


@dataclass(frozen=True)
class StagedClip:
    """A clip as it was staged."""

    id: str
    landmarks: Poses
    audio: npt.NDArray[np.float32]
    image_size: tuple[int, int]
    checks: dict[str, Any]


def is_staged(folder: Path) -> bool:
    """Whether a result is there."""
    return (folder / _RECORD).is_file()


@contextlib.contextmanager
def staged(folder: Path, source: str) -> Iterator[StagedVideo]:
    """A result to be filled, which appears as ``folder`` when all went well."""
    with atomic_folder(folder) as temporary:
        result = StagedVideo(temporary, source)
        yield result
        record = {"source": source, "clips": result.clips, "refused": result.refused}
        (temporary / _RECORD).write_text(json.dumps(record, sort_keys=True, allow_nan=False), "utf-8")


def read_record(folder: Path) -> dict[str, Any]:
    """What a result says of its clips and of what was refused.

    Raises:
        CorpusError: it is damaged.
    """
    try:
        return dict(json.loads((folder / _RECORD).read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise _damaged(folder, error) from None


def read_clips(folder: Path) -> Iterator[StagedClip]:
    """The clips of a result, one after another.

    Raises:
        CorpusError: it is damaged.
    """
    for number, clip in enumerate(read_record(folder)["clips"]):
        try:
            tensors = load_file(folder / f"{number:06d}.safetensors")
            audio = tensors["audio"].astype(np.float32) / FULL_SCALE
            height, width = clip["image_size"]
            yield StagedClip(clip["id"], tensors["landmarks"], audio, (height, width), clip["checks"])
        except (OSError, SafetensorError, KeyError) as error:
            raise _damaged(folder, error) from None


def _damaged(folder: Path, error: Exception) -> CorpusError:
    return CorpusError("preparation", "whole staged results", f"{type(error).__name__} in {folder}", "remove it")
