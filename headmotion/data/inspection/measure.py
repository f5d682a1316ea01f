"""What is measured of every clip, and which clips and files of a corpus are damaged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import CorpusError, HeadmotionError
from ...core.interfaces.representation import Representation
from ...core.interfaces.specs import resolve_spec
from ..clip import Clip
from ..index_entry import IndexEntry
from ..infer_representation import infer_representation
from ..rejected import RejectedClip
from ..shard_header import COPY_AGAIN, HEADER, SHARDS, check_size, read_header
from .audio_stats import SoundFigures, sound_figures
from .loudness_offset import Curve, correlation, level_db
from .motion_stats import FaceFigures, face_figures, opening_widths

Measure = Callable[[Clip], tuple[int, float] | None]
"""Offset in frames (negative: the audio is late) and confidence of a clip, by trained syncers; None: they cannot."""


@dataclass(frozen=True, eq=False)
class Examined:
    """One clip and its figures."""

    entry: IndexEntry
    seconds: float
    frames: int
    face: FaceFigures
    sound: SoundFigures
    correlation: Curve | None
    """Of loudness and mouth opening, see `lag.correlation`; None where there is no mouth, or nothing to correlate."""
    measured: tuple[int, float] | None
    """Offset and confidence by trained syncers."""


def examine(
    entries: Iterable[IndexEntry], representation: Representation, measure: Measure | None = None
) -> Iterator[Examined | RejectedClip]:
    """Figures of each clip, one clip in memory at a time; a damaged clip gives its reason."""
    for entry in entries:
        try:
            yield _examined(entry, entry.read(), representation, measure)
        except HeadmotionError as error:
            yield RejectedClip(entry.id, error, str(entry.folder))


def _examined(entry: IndexEntry, clip: Clip, representation: Representation, measure: Measure | None) -> Examined:
    landmarks = clip.landmarks
    if landmarks.shape[1] != representation.points or landmarks.shape[2] < representation.dims:
        expected = f"landmarks [T, {representation.points}, {representation.dims} or more], as in the other clips"
        raise CorpusError(f"clip {clip.id}", expected, f"the shape {list(landmarks.shape)}")
    landmarks = landmarks[..., : representation.dims]
    face = face_figures(landmarks, representation, float(clip.fps))
    mouth = opening_widths(landmarks, representation).get("mouth")
    heard = None if mouth is None else correlation(mouth, level_db(clip.audio, len(landmarks), clip.fps))
    measured = None if measure is None else measure(clip)
    return Examined(entry, clip.seconds, len(landmarks), face, sound_figures(clip.audio), heard, measured)


def representation_in(folder: Path, entries: Iterable[IndexEntry]) -> Representation:
    """What the corpus is in: as its header says, else from the shape of the first clip that can be read.

    Raises:
        CorpusError: no clip can be read, or nothing fits.
        SpecError: the representation's plugin is not there.
    """
    if (folder / HEADER).exists():
        return resolve_spec("representation", read_header(folder).representation).build(None)
    reason = "none"
    for entry in entries:
        try:
            return infer_representation(entry.read().landmarks.shape).build(None)
        except HeadmotionError as error:
            reason = str(error) if reason == "none" else reason
    raise CorpusError(f"corpus {folder}", "at least one clip that can be read", reason)


def damaged_files(folder: Path) -> Iterator[RejectedClip]:
    """Shards that are missing, cut short, or differ from their sha256."""
    if not (folder / HEADER).exists():
        return
    for name, info in read_header(folder).shards.items():
        path = f"{SHARDS}/{name}"
        try:
            check_size(folder, path, info)
            with (folder / path).open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            if digest != info.sha256:
                raise CorpusError(f"corpus {folder}", f"{path} with the sha256 of its header", "another", COPY_AGAIN)
        except (HeadmotionError, OSError) as error:
            known = error if isinstance(error, HeadmotionError) else CorpusError(str(folder), path, str(error))
            yield RejectedClip(path, known, str(folder))
