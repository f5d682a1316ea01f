"""Audio-visual offsets of a corpus: per clip, and what groups of clips have in common.

A recording chain that delays the sound delays it in all that it records. So clips are grouped by speaker, by the first
letters of the speaker's name (``mead`` of ``mead_M003``), by the folder of their source, and all together.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...core.errors import CorpusError
from ...core.interfaces.representation import Representation
from ..clip import Clip
from .loudness_offset import REACH, Curve, common_offset
from .measure import Examined, Measure

CLEAR = 3.0
"""Strength from which an offset by loudness counts, see `lag.Offset`."""
CONFIDENT = 0.2
"""Confidence from which an offset by syncers counts; right clips that were measured as apart stayed below it."""
LEAST_CLIPS = 5
"""Fewer clips are no group."""
GROUPS = 200
"""At most so many groups are looked at, the largest first."""

Method = Literal["checks", "syncers", "loudness"]


@dataclass(frozen=True)
class GroupOffset:
    """What a group of clips has in common."""

    name: str
    clips: int
    frames: float
    """Negative: the audio is late."""
    strength: float | None
    """See `lag.Offset`; None where each clip was measured by itself."""
    curve: Curve | None


def method_of(clips: Sequence[Examined]) -> Method:
    """Where offsets come from: what preparation noted, trained syncers, or loudness against mouth opening."""
    if any(noted(each) is not None for each in clips):
        return "checks"
    return "syncers" if any(each.measured for each in clips) else "loudness"


def noted(clip: Examined) -> float | None:
    """The offset in frames that preparation noted (``av_offset_ms``, or ``av_offset`` in frames), if it was sure."""
    milliseconds, frames = _number(clip, "av_offset_ms"), _number(clip, "av_offset")
    sure = _number(clip, "av_confidence")
    if sure is not None and sure < CONFIDENT:
        return None
    return frames if milliseconds is None else milliseconds / 1000 * clip.frames / clip.seconds


def clear_offset(clip: Examined, method: Method) -> float | None:
    """The offset of one clip in frames, if it is clear."""
    if method == "checks":
        return noted(clip)
    if method == "syncers":
        return None if clip.measured is None or clip.measured[1] < CONFIDENT else float(clip.measured[0])
    if clip.correlation is None:
        return None
    found = common_offset([clip.correlation])
    return float(found.frames) if found.strength >= CLEAR else None


def group_offsets(clips: Sequence[Examined], offsets: Sequence[float | None], method: Method) -> list[GroupOffset]:
    """Groups whose common offset is clear, the largest first; a group equal to another is told once."""
    result = []
    for name, members in _groups(clips):
        if method == "loudness":
            heard = [curve for k in members if (curve := clips[k].correlation) is not None]
            if len(heard) < LEAST_CLIPS:
                continue
            found = common_offset(heard)
            # The further away, the less likely: a far peak must stand out twice as much.
            if found.strength >= CLEAR * (1 if abs(found.frames) <= REACH // 2 else 2):
                result.append(GroupOffset(name, len(heard), found.frames, found.strength, found.curve))
        else:
            known = sorted(each for k in members if (each := offsets[k]) is not None)
            if len(known) >= LEAST_CLIPS:
                middle = known[len(known) // 2]
                agree = sum(abs(each - middle) <= 1 for each in known)
                if 2 * agree > len(known):
                    result.append(GroupOffset(name, len(known), middle, None, None))
    return result


def by_syncers(path: str | os.PathLike[str], representation: Representation) -> Measure:
    """A measure of clips of a representation by the syncers of a training run, at their finest level.

    Raises:
        CheckpointError: the file is none of syncers.
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


def _groups(clips: Sequence[Examined]) -> list[tuple[str, list[int]]]:
    groups: dict[str, list[int]] = {}
    for k, clip in enumerate(clips):
        for name in _names(clip):
            groups.setdefault(name, []).append(k)
    distinct: dict[tuple[int, ...], str] = {}
    for name, members in groups.items():
        if len(members) >= LEAST_CLIPS:
            distinct.setdefault(tuple(members), name)
    largest = sorted(distinct.items(), key=lambda item: -len(item[0]))[:GROUPS]
    return [(name, list(members)) for members, name in largest]


def _names(clip: Examined) -> list[str]:
    """The groups that a clip is in."""
    names = ["all clips"]
    speaker, source = clip.entry.speaker, clip.entry.source
    if speaker:
        names.append(f"speaker {speaker}")
        if (prefix := re.match(r"[^\W\d_]{2,}(?=[\W\d_])", speaker)) is not None:
            names.append(f"speakers {prefix[0]}*")
    if source:
        names.append(f"source {re.split(r'[/:][^/:]*$', source)[0]}")
    return names


def _number(clip: Examined, name: str) -> float | None:
    value = clip.entry.checks.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
