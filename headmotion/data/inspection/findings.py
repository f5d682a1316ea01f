"""What is, or may be, wrong with a corpus, each with the clips that it concerns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..rejected import RejectedClip
from .av_offsets import GroupOffset, Method
from .measure import Examined

Level = Literal["error", "warning", "note"]

FROZEN = 0.1
"""Share of frames without any motion."""
STILL_MOUTH = 0.01
"""Spread of the mouth's opening (units of the scale pair)."""
SILENT_DB, SILENT = -60.0, 0.9
"""Level (dB of full scale) and share of silence."""
CLIPPED = 0.005
"""Share of samples at full scale."""
SMALL_PX = 20.0
"""Distance of the scale pair, such as the outer eye corners."""
SHORT_SECONDS = 1.0
LOST = 0.1
"""Share of frames in which preparation found no face."""
APART = 2
"""Frames. Lips part a little before the voice, and one frame is heard by nobody."""
OUTLIER = 6.0
"""Deviations from the median, where a deviation is 1.48 times the median absolute one."""
ENOUGH = 20
"""Fewer clips have no outliers."""


@dataclass(frozen=True)
class Finding:
    """One thing to know before training, and the clips that it concerns, each with a reason."""

    level: Level
    title: str
    advice: str
    clips: tuple[tuple[str, str], ...] = ()


def damage(files: Sequence[RejectedClip], clips: Sequence[RejectedClip]) -> Iterator[Finding]:
    """Files and clips that cannot be used."""
    if files:
        advice = "Copy these files anew, or write the corpus anew."
        yield Finding("error", "damaged files", advice, tuple((each.clip, each.reason) for each in files))
    if clips:
        advice = "Training stops when it meets one. Repair or remove them; headmotion prepare leaves them out."
        yield Finding("error", "damaged clips", advice, tuple((each.clip, each.reason) for each in clips))


def in_the_index(clips: Sequence[Examined]) -> Iterator[Finding]:
    """What the index alone tells: speakers, splits, licenses."""
    splits: dict[str, set[str]] = {}
    spoken: dict[str, float] = {}
    for each in clips:
        splits.setdefault(each.entry.speaker, set()).add(each.entry.split)
        spoken[each.entry.speaker] = spoken.get(each.entry.speaker, 0.0) + each.seconds
    both = tuple((name or "(unknown)", ", ".join(sorted(where))) for name, where in splits.items() if len(where) > 1)
    if both:
        advice = "Figures on the held-out split say nothing about new people. Split by speaker: split_by_speaker."
        yield Finding("warning", "speakers in several splits", advice, both)
    unknown = sum(not each.entry.speaker for each in clips)
    if unknown:
        advice = "Neither splits nor weights can tell people apart where nobody says who speaks."
        yield Finding("note", f"{unknown} clips of unknown speakers", advice)
    if not any(each.entry.split == "train" for each in clips):
        yield Finding("warning", "no clip in the split train", "Training takes the clips of this split.")
    name, most = max(spoken.items(), key=lambda item: item[1])
    if len(spoken) > 1 and most > 0.5 * sum(spoken.values()):
        advice = "Without balance (the recipe's data.speaker_balance) the model becomes a portrait of this person."
        yield Finding("note", f"more than half of the speech is by {name or 'unknown speakers'}", advice)
    unlicensed = sum(not each.entry.license for each in clips)
    if unlicensed:
        yield Finding("note", f"{unlicensed} clips without a license", "Know it before you give a model away.")


def in_the_clips(clips: Sequence[Examined]) -> Iterator[Finding]:
    """What the figures of single clips tell."""
    for title, advice, reason, level in CLIP_CHECKS:
        found = tuple((each.entry.id, why) for each in clips if (why := reason(each)))
        if found:
            yield Finding(level, title, advice, found)


def in_the_offsets(groups: Sequence[GroupOffset], method: Method, fps: float) -> Iterator[Finding]:
    """Groups in which speech and mouth are apart by the same time."""
    apart = [each for each in groups if abs(each.frames) >= APART]
    if not apart:
        return
    ways = {
        "checks": "as noted in preparation",
        "syncers": "by trained syncers",
        "loudness": "by loudness against mouth opening, which is a rough measure",
    }
    advice = (
        f"Shift the sound of these clips, or leave them out: a syncer learns what it is given. Found {ways[method]}."
    )
    clips = tuple(
        (
            each.name,
            f"audio {abs(each.frames) / fps * 1000:.0f} ms {'late' if each.frames < 0 else 'early'} "
            f"({each.frames:+g} frames, {each.clips} clips)",
        )
        for each in apart
    )
    yield Finding("warning", "audio and motion apart", advice, clips)


def outliers(clips: Sequence[Examined]) -> Iterator[Finding]:
    """Clips that differ from all others in some figure, on a logarithmic scale where it is one of size."""
    if len(clips) < ENOUGH:
        return
    figures: dict[str, Callable[[Examined], float]] = {
        "seconds": lambda c: np.log(c.seconds),
        "face size": lambda c: np.log(c.face.size_px),
        "head speed": lambda c: np.log(c.face.head_speed + 1e-3),
        "level": lambda c: c.sound.level_db,
    }
    for name in clips[0].face.energy:
        figures[f"motion of {name}"] = lambda c, name=name: np.log(c.face.energy[name] + 1e-3)  # type: ignore[misc]
    reasons: dict[str, list[str]] = {}
    for name, figure in figures.items():
        values = np.array([figure(each) for each in clips])
        off = values - np.median(values)
        deviation = max(1.4826 * float(np.median(np.abs(off))), 0.05)
        for k in map(int, np.flatnonzero(np.abs(off) > OUTLIER * deviation)):
            much = "high" if off[k] > 0 else "low"
            reasons.setdefault(clips[k].entry.id, []).append(f"{name} {much} ({off[k] / deviation:+.1f} deviations)")
    if reasons:
        advice = "Look at these first; nothing need be wrong with them."
        yield Finding("note", "outliers", advice, tuple((id, "; ".join(why)) for id, why in reasons.items()))


def _frozen(clip: Examined) -> str:
    return f"{clip.face.frozen:.0%} of frames do not move" if clip.face.frozen > FROZEN else ""


def _jumps(clip: Examined) -> str:
    times = ", ".join(f"{k / clip.frames * clip.seconds:.2f} s" for k in clip.face.jumps[:5])
    return f"at {times}" if times else ""


def _still_mouth(clip: Examined) -> str:
    spread = clip.face.spreads.get("mouth", 1.0)
    return f"spread {spread:.4f}" if spread < STILL_MOUTH else ""


def _silence(clip: Examined) -> str:
    if clip.sound.level_db < SILENT_DB:
        return f"level {clip.sound.level_db:.0f} dB"
    return f"{clip.sound.silence:.0%} silence" if clip.sound.silence > SILENT else ""


def _clipped(clip: Examined) -> str:
    return f"{clip.sound.clipped:.1%} of samples" if clip.sound.clipped > CLIPPED else ""


def _lost(clip: Examined) -> str:
    lost = clip.entry.checks.get("bridged_frames", clip.entry.checks.get("lost_frames", 0))
    share = lost / clip.frames if isinstance(lost, int | float) else 0.0
    return f"{share:.0%} of frames" if share > LOST else ""


def _small(clip: Examined) -> str:
    return f"{clip.face.size_px:.0f} pixels" if clip.face.size_px < SMALL_PX else ""


def _short(clip: Examined) -> str:
    return f"{clip.seconds:.2f} s" if clip.seconds < SHORT_SECONDS else ""


CLIP_CHECKS: tuple[tuple[str, str, Callable[[Examined], str], Level], ...] = (
    (
        "frozen faces",
        "Copied frames teach a face to stop. Prepare the video anew at its own frame rate.",
        _frozen,
        "warning",
    ),
    (
        "jumps",
        "The face leaps from one frame to the next: a cut, or a detector that found another face. Cut the clip there.",
        _jumps,
        "warning",
    ),
    (
        "mouths that hardly open",
        "Nobody speaks, somebody else speaks, or the lips are not tracked.",
        _still_mouth,
        "warning",
    ),
    ("silent clips", "They teach that sound means nothing.", _silence, "warning"),
    ("overdriven sound", "Samples at full scale are distorted.", _clipped, "warning"),
    ("faces that preparation lost", "What was filled in between is a guess.", _lost, "warning"),
    ("small faces", "Landmarks of a small face tremble.", _small, "note"),
    ("short clips", "Training leaves out clips that are shorter than its windows.", _short, "note"),
)
"""Title, advice, the reason to name a clip (or nothing), level."""
