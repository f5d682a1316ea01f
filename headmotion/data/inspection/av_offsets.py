"""Audio-visual offsets of a corpus: per clip, and what groups of clips have in common.

A recording chain that delays the sound delays it in all that it records. So clips are grouped by speaker, by the first
letters of the speaker's name (``mead`` of ``mead_M003``), by the folder of their source, and all together.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...core.arguments import is_finite_number
from ...core.errors import CorpusError
from ...core.interfaces.representation import Representation
from ..clip import Clip
from .loudness_offset import MAX_OFFSET, Curve, common_offset
from .measure import MeasuredClip, OffsetMeasure

MIN_STRENGTH = 3.0
"""Strength from which an offset by loudness counts, see `CommonOffset`."""
MIN_CONFIDENCE = 0.2
"""Confidence from which an offset by syncers counts; clips in sync that were measured as apart stayed below it."""
MIN_CLIPS = 5
"""Fewer clips are no group."""
MAX_GROUPS = 200
"""Number of groups that are measured, the largest first."""

OffsetMethod = Literal["checks", "syncers", "loudness"]
"""Source of the offsets: what preparation noted, trained syncers, or loudness against mouth opening."""


@dataclass(frozen=True)
class GroupOffset:
    """The offset that a group of clips has in common."""

    name: str
    clips: int
    frames: float
    """Negative: the audio is late."""
    strength: float | None
    """See `CommonOffset`; None if each clip was measured by itself."""
    curve: Curve | None


def choose_offset_method(clips: Sequence[MeasuredClip]) -> OffsetMethod:
    """Return the best method that the clips have values for."""
    if any(_noted_offset(clip) is not None for clip in clips):
        return "checks"
    # Notes of preparation come first: they cost nothing, and were measured before cropping.
    return "syncers" if any(clip.measured_offset for clip in clips) else "loudness"


def clear_offset(clip: MeasuredClip, method: OffsetMethod) -> float | None:
    """Return the offset of one clip in frames, or None if it is not clear."""
    if method == "checks":
        return _noted_offset(clip)
    if method == "syncers":
        if clip.measured_offset is None or clip.measured_offset[1] < MIN_CONFIDENCE:
            return None
        return float(clip.measured_offset[0])
    if clip.correlation is None:
        return None
    offset = common_offset([clip.correlation])
    return float(offset.frames) if offset.strength >= MIN_STRENGTH else None


def group_offsets(
    clips: Sequence[MeasuredClip], offsets: Sequence[float | None], method: OffsetMethod
) -> list[GroupOffset]:
    """Return the groups whose common offset is clear, the largest first; of equal groups only one.

    Args:
        clips: all clips.
        offsets: the `clear_offset` of each clip.
        method: source of the offsets.
    """
    groups = _largest_groups(clips)
    if method == "loudness":
        results = (_offset_by_loudness(name, [clips[k].correlation for k in members]) for name, members in groups)
    else:
        results = (_offset_by_majority(name, [offsets[k] for k in members]) for name, members in groups)
    return [result for result in results if result is not None]


def make_offset_measure(path: str | os.PathLike[str], representation: Representation) -> OffsetMeasure:
    """Return a measure by the syncers of a training run, at their finest level.

    Args:
        path: file of syncers.
        representation: what the clips are in.

    Raises:
        CheckpointError: the file does not hold syncers.
        CorpusError: the syncers were trained on another representation.
    """
    from ...sync.trained import load_syncers

    syncers = load_syncers(path)
    known = syncers.representation
    if known.points != representation.points or known.dims > representation.dims:
        expected = f"{known.name} with {known.points} points of {known.dims} numbers, on which the syncers were trained"
        got = f"{representation.name} with {representation.points} of {representation.dims}"
        raise CorpusError("corpus", expected, got, "give other syncers, or none")

    def measure(clip: Clip) -> tuple[int, float] | None:
        levels = syncers.measure(clip.landmarks, clip.audio) if float(clip.fps) == syncers.fps else []
        return (levels[0].offset, levels[0].confidence) if levels else None

    return measure


def _offset_by_loudness(name: str, correlations: Sequence[Curve | None]) -> GroupOffset | None:
    curves = [curve for curve in correlations if curve is not None]
    if len(curves) < MIN_CLIPS:
        return None
    offset = common_offset(curves)
    # Large offsets are unlikely: there a peak must stand out twice as much.
    min_strength = MIN_STRENGTH * (1 if abs(offset.frames) <= MAX_OFFSET // 2 else 2)
    if offset.strength < min_strength:
        return None
    return GroupOffset(name, len(curves), offset.frames, offset.strength, offset.curve)


def _offset_by_majority(name: str, offsets: Sequence[float | None]) -> GroupOffset | None:
    """Return the median offset, if more than half of the clips are within a frame of it."""
    known = sorted(offset for offset in offsets if offset is not None)
    if len(known) < MIN_CLIPS:
        return None
    median = known[len(known) // 2]
    agreeing = sum(abs(offset - median) <= 1 for offset in known)
    return GroupOffset(name, len(known), median, None, None) if 2 * agreeing > len(known) else None


def _noted_offset(clip: MeasuredClip) -> float | None:
    """Return the offset (frames) that preparation noted in ``av_offset_ms`` or ``av_offset``, if it was confident."""
    milliseconds, frames = _number(clip, "av_offset_ms"), _number(clip, "av_offset")
    confidence = _number(clip, "av_confidence")
    if confidence is not None and confidence < MIN_CONFIDENCE:
        return None
    return frames if milliseconds is None else milliseconds / 1000 * clip.frames / clip.seconds


def _largest_groups(clips: Sequence[MeasuredClip]) -> list[tuple[str, list[int]]]:
    groups: dict[str, list[int]] = {}
    for k, clip in enumerate(clips):
        for name in _group_names(clip):
            groups.setdefault(name, []).append(k)
    # One name per set of clips: a corpus of one speaker is one group.
    distinct: dict[tuple[int, ...], str] = {}
    for name, members in groups.items():
        if len(members) >= MIN_CLIPS:
            distinct.setdefault(tuple(members), name)
    largest = sorted(distinct.items(), key=lambda item: -len(item[0]))[:MAX_GROUPS]
    return [(name, list(members)) for members, name in largest]


def _group_names(clip: MeasuredClip) -> list[str]:
    names = ["all clips"]
    speaker, source = clip.entry.speaker, clip.entry.source
    if speaker:
        names.append(f"speaker {speaker}")
        if (prefix := re.match(r"[^\W\d_]{2,}(?=[\W\d_])", speaker)) is not None:
            names.append(f"speakers {prefix[0]}*")
    if source:
        names.append(f"source {re.split(r'[/:][^/:]*$', source)[0]}")
    return names


def _number(clip: MeasuredClip, name: str) -> float | None:
    """Return a finite number among the clip's checks, or None."""
    value = clip.entry.checks.get(name)
    return float(value) if is_finite_number(value) else None
