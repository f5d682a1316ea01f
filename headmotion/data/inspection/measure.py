"""What is measured of every clip, and which clips and files of a corpus are damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ...core.errors import CorpusError, HeadmotionError
from ...core.interfaces.representation import Representation
from ...core.interfaces.specs import resolve_spec
from ..array_file import file_digest
from ..clip import Clip
from ..corpus_files import CorpusFiles
from ..index_entry import IndexEntry
from ..infer_representation import infer_representation
from ..rejected import RejectedClip
from ..shard_header import COPY_AGAIN, HEADER, CorpusHeader, read_header
from .audio_stats import AudioStats, audio_stats
from .loudness_offset import Curve, band_level_db, correlate_changes
from .motion_stats import MotionStats, motion_stats, opening_widths

PICTURES_AT_ONCE = 100
"""Pictures that are in memory, at most."""

OffsetMeasure = Callable[[Clip], tuple[int, float] | None]
"""Returns a clip's offset in frames (negative: the audio is late) and confidence, by trained syncers, or None."""


@dataclass(frozen=True, eq=False)
class MeasuredClip:
    """One clip with its statistics."""

    entry: IndexEntry
    seconds: float
    frames: int
    motion: MotionStats
    audio: AudioStats
    correlation: Curve | None
    """Of loudness and mouth opening, see `correlate_changes`; None without a mouth or anything to correlate."""
    measured_offset: tuple[int, float] | None
    """Offset in frames and confidence by trained syncers."""


def measure_clips(
    entries: Iterable[IndexEntry], representation: Representation, measure_offset: OffsetMeasure | None = None
) -> Iterator[MeasuredClip | RejectedClip]:
    """Measure one clip after another; a damaged clip gives its reason.

    Args:
        entries: entries of a corpus.
        representation: what the landmarks are in.
        measure_offset: measures the offset of audio and motion.
    """
    for entry in entries:
        try:
            yield _measure_clip(entry, entry.read(), representation, measure_offset)
        except HeadmotionError as error:
            yield RejectedClip(entry.id, error, entry.folder)


def _measure_clip(
    entry: IndexEntry, clip: Clip, representation: Representation, measure_offset: OffsetMeasure | None
) -> MeasuredClip:
    landmarks = clip.landmarks
    if landmarks.shape[1] != representation.points or landmarks.shape[2] < representation.dims:
        expected = f"landmarks [T, {representation.points}, {representation.dims} or more], as in the other clips"
        raise CorpusError(f"clip {clip.id}", expected, f"the shape {list(landmarks.shape)}")
    _check_pictures(clip)
    # Depth that the representation does not have is left out, as in training.
    landmarks = landmarks[..., : representation.dims]
    mouth = opening_widths(landmarks, representation).get("mouth")
    return MeasuredClip(
        entry=entry,
        seconds=clip.seconds,
        frames=len(landmarks),
        motion=motion_stats(landmarks, representation, float(clip.fps)),
        audio=audio_stats(clip.audio),
        correlation=None
        if mouth is None
        else correlate_changes(mouth, band_level_db(clip.audio, len(landmarks), clip.fps)),
        measured_offset=None if measure_offset is None else measure_offset(clip),
    )


def _check_pictures(clip: Clip) -> None:
    """Decode all pictures of a clip, some at a time."""
    for first in range(0, len(clip.frames or ()), PICTURES_AT_ONCE):
        assert clip.frames is not None
        clip.frames.read(first, min(PICTURES_AT_ONCE, len(clip.frames) - first))


def resolve_representation(files: CorpusFiles, entries: Iterable[IndexEntry]) -> Representation:
    """Build the representation that the header names, or else the likely one of the first clip that can be read.

    Raises:
        CorpusError: no clip can be read, or nothing fits.
        SpecError: the representation's plugin is not installed.
    """
    if files.exists(HEADER):
        return resolve_spec("representation", read_header(files).representation).build(None)
    reason = ""
    for entry in entries:
        try:
            return infer_representation(entry.read().landmarks.shape).build(None)
        except HeadmotionError as error:
            reason = reason or str(error)
    raise CorpusError(f"corpus {files.name}", "at least one clip that can be read", reason or "none")


def find_damaged_files(files: CorpusFiles) -> Iterator[RejectedClip]:
    """Find the index or shards that are missing, cut short, or differ from their SHA-256."""
    if not files.exists(HEADER):
        return
    header = read_header(files)
    index = {header.index.name: header.index} if isinstance(header, CorpusHeader) else {}
    for name, info in {**index, **header.shard_files()}.items():
        try:
            if file_digest(files.path(name, info)) != info.sha256:
                raise CorpusError(
                    f"corpus {files.name}", f"{name} with the sha256 of its header", "another", COPY_AGAIN
                )
        except HeadmotionError as error:
            yield RejectedClip(name, error, files.name)
        except OSError as error:
            yield RejectedClip(name, CorpusError(files.name, name, str(error)), files.name)
