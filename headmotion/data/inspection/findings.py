"""What is, or may be, wrong with a corpus, each with the clips that it concerns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..clip import FINITE_LABELS
from ..pictures import MISSING_PICTURES, OF_SIZE, WHOLE
from ..rejected import RejectedClip
from .av_offsets import GroupOffset, OffsetMethod
from .measure import MeasuredClip

Level = Literal["error", "warning", "note"]

LEVELS: tuple[Level, ...] = ("error", "warning", "note")
"""In the order of a report."""

FROZEN_SHARE = 0.1
"""Share of frames without any motion."""
MIN_MOUTH_SPREAD = 0.01
"""Spread of the mouth's opening (units of the scale pair)."""
SILENT_DB, SILENT_SHARE = -60.0, 0.9
"""Level (dB of full scale), and share of silent windows."""
CLIPPED_SHARE = 0.005
"""Share of samples at full scale."""
SMALL_FACE_PX = 20.0
"""Distance of the scale pair, such as the outer eye corners."""
SHORT_SECONDS = 1.0
NO_FACE_SHARE = 0.1
"""Share of frames in which preparation found no face."""
MAX_OFFSET_FRAMES = 2
"""Lips part a little before the voice, and one frame is not noticeable."""
OUTLIER_DEVIATIONS = 6.0
"""Distance from the median, where a deviation is 1.48 times the median absolute deviation."""
MIN_CLIPS = 20
"""Fewer clips have no outliers."""


DAMAGED_TRACKS = (
    ("damaged pictures", WHOLE),
    ("pictures of another size", OF_SIZE),
    ("pictures that are missing", MISSING_PICTURES),
    ("labels that are not finite", FINITE_LABELS),
)
"""Titles of findings, and what the errors of their clips expected."""


@dataclass(frozen=True)
class Finding:
    """One thing to know before training, and the clips that it concerns, each with a reason."""

    level: Level
    title: str
    advice: str
    clips: tuple[tuple[str, str], ...] = ()


def collect_findings(
    damaged_files: Sequence[RejectedClip],
    damaged_clips: Sequence[RejectedClip],
    clips: Sequence[MeasuredClip],
    groups: Sequence[GroupOffset],
    method: OffsetMethod,
) -> list[Finding]:
    """Return all findings: errors first, then warnings, then notes.

    Args:
        damaged_files: files of the corpus that are damaged.
        damaged_clips: clips that cannot be read.
        clips: all other clips.
        groups: groups with a clear offset.
        method: source of these offsets.
    """
    findings = list(_damage(damaged_files, damaged_clips))
    if clips:
        findings += _index_findings(clips)
        findings += _offset_findings(groups, method, clips[0].frames / clips[0].seconds)
        findings += _clip_findings(clips)
        findings += _outliers(clips)
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def _damage(files: Sequence[RejectedClip], clips: Sequence[RejectedClip]) -> Iterator[Finding]:
    if files:
        advice = "Copy these files again, or write the corpus again."
        yield Finding("error", "damaged files", advice, tuple((file.clip, file.reason) for file in files))
    by_title: dict[str, list[tuple[str, str]]] = {}
    for clip in clips:
        titles = (title for title, expected in DAMAGED_TRACKS if expected in clip.error.expected)
        by_title.setdefault(next(titles, "damaged clips"), []).append((clip.clip, clip.reason))
    for title, concerned in by_title.items():
        advice = "Training stops when it meets one. Repair or remove them; headmotion prepare leaves them out."
        yield Finding("error", title, advice, tuple(concerned))


def _index_findings(clips: Sequence[MeasuredClip]) -> Iterator[Finding]:
    """Yield findings from the index alone: speakers, splits, licenses."""
    splits: dict[str, set[str]] = {}
    seconds: dict[str, float] = {}
    for clip in clips:
        splits.setdefault(clip.entry.speaker, set()).add(clip.entry.split)
        seconds[clip.entry.speaker] = seconds.get(clip.entry.speaker, 0.0) + clip.seconds
    shared = tuple(
        (speaker or "(unknown)", ", ".join(sorted(names))) for speaker, names in splits.items() if len(names) > 1
    )
    if shared:
        advice = "Metrics on the held-out split say nothing about new people. Split by speaker: split_by_speaker."
        yield Finding("warning", "speakers in several splits", advice, shared)
    unknown = sum(not clip.entry.speaker for clip in clips)
    if unknown:
        advice = "Neither splits nor weights can separate people whose names are unknown."
        yield Finding("note", f"{unknown} clips of unknown speakers", advice)
    if not any(clip.entry.split == "train" for clip in clips):
        yield Finding("warning", "no clip in the split train", "Training takes the clips of this split.")
    speaker, most = max(seconds.items(), key=lambda item: item[1])
    if len(seconds) > 1 and most > 0.5 * sum(seconds.values()):
        advice = "Without balance (the recipe's data.speaker_balance) the model becomes a portrait of this person."
        yield Finding("note", f"more than half of the speech is by {speaker or 'unknown speakers'}", advice)
    unlicensed = sum(not clip.entry.license for clip in clips)
    if unlicensed:
        yield Finding("note", f"{unlicensed} clips without a license", "Know it before you give a model away.")


def _clip_findings(clips: Sequence[MeasuredClip]) -> Iterator[Finding]:
    for title, advice, reason_of, level in CLIP_CHECKS:
        concerned = tuple((clip.entry.id, reason) for clip in clips if (reason := reason_of(clip)))
        if concerned:
            yield Finding(level, title, advice, concerned)


def _offset_findings(groups: Sequence[GroupOffset], method: OffsetMethod, fps: float) -> Iterator[Finding]:
    """Yield the groups in which audio and motion are apart by the same time."""
    methods = {
        "checks": "as noted in preparation",
        "syncers": "by trained syncers",
        "loudness": "by loudness against mouth opening, which is a rough measure",
    }
    concerned = tuple(
        (
            group.name,
            f"audio {abs(group.frames) / fps * 1000:.0f} ms {'late' if group.frames < 0 else 'early'} "
            f"({group.frames:+g} frames, {group.clips} clips)",
        )
        for group in groups
        if abs(group.frames) >= MAX_OFFSET_FRAMES
    )
    if concerned:
        advice = (
            f"Shift the sound of these clips, or leave them out: a syncer learns such offsets. Found {methods[method]}."
        )
        yield Finding("warning", "audio and motion apart", advice, concerned)


def _outliers(clips: Sequence[MeasuredClip]) -> Iterator[Finding]:
    """Yield clips that differ from all others in some statistic."""
    if len(clips) < MIN_CLIPS:
        return
    # Sizes and speeds on a logarithmic scale, where twice as much is as far as half as much.
    statistics: dict[str, Callable[[MeasuredClip], float]] = {
        "seconds": lambda clip: np.log(clip.seconds),
        "face size": lambda clip: np.log(clip.motion.size_px),
        "head speed": lambda clip: np.log(clip.motion.head_speed + 1e-3),
        "level": lambda clip: clip.audio.level_db,
    }
    for name in clips[0].motion.energy:
        statistics[f"motion of {name}"] = lambda clip, name=name: np.log(clip.motion.energy[name] + 1e-3)  # type: ignore[misc]
    reasons: dict[str, list[str]] = {}
    for name, statistic in statistics.items():
        values = np.array([statistic(clip) for clip in clips])
        distances = values - np.median(values)
        # The median absolute deviation of a normal distribution times 1.4826 is its standard deviation. The floor keeps
        # nearly equal values from being outliers.
        deviation = max(1.4826 * float(np.median(np.abs(distances))), 0.05)
        for k in map(int, np.flatnonzero(np.abs(distances) > OUTLIER_DEVIATIONS * deviation)):
            direction = "high" if distances[k] > 0 else "low"
            reason = f"{name} {direction} ({distances[k] / deviation:+.1f} deviations)"
            reasons.setdefault(clips[k].entry.id, []).append(reason)
    if reasons:
        advice = "Look at these first; nothing need be wrong with them."
        yield Finding("note", "outliers", advice, tuple((id, "; ".join(lines)) for id, lines in reasons.items()))


def _frozen(clip: MeasuredClip) -> str:
    return f"{clip.motion.frozen:.0%} of frames do not move" if clip.motion.frozen > FROZEN_SHARE else ""


def _jumps(clip: MeasuredClip) -> str:
    times = ", ".join(f"{k / clip.frames * clip.seconds:.2f} s" for k in clip.motion.jumps[:5])
    return f"at {times}" if times else ""


def _still_mouth(clip: MeasuredClip) -> str:
    spread = clip.motion.spreads.get("mouth", 1.0)
    return f"spread {spread:.4f}" if spread < MIN_MOUTH_SPREAD else ""


def _silence(clip: MeasuredClip) -> str:
    if clip.audio.level_db < SILENT_DB:
        return f"level {clip.audio.level_db:.0f} dB"
    return f"{clip.audio.silence:.0%} silence" if clip.audio.silence > SILENT_SHARE else ""


def _clipped(clip: MeasuredClip) -> str:
    return f"{clip.audio.clipped:.1%} of samples" if clip.audio.clipped > CLIPPED_SHARE else ""


def _without_face(clip: MeasuredClip) -> str:
    frames = clip.entry.checks.get("bridged_frames", clip.entry.checks.get("lost_frames", 0))
    share = frames / clip.frames if isinstance(frames, int | float) else 0.0
    return f"{share:.0%} of frames" if share > NO_FACE_SHARE else ""


def _small(clip: MeasuredClip) -> str:
    return f"{clip.motion.size_px:.0f} pixels" if clip.motion.size_px < SMALL_FACE_PX else ""


def _short(clip: MeasuredClip) -> str:
    return f"{clip.seconds:.2f} s" if clip.seconds < SHORT_SECONDS else ""


CLIP_CHECKS: tuple[tuple[str, str, Callable[[MeasuredClip], str], Level], ...] = (
    (
        "frozen faces",
        "Repeated frames teach a face to stop. Prepare the video again at its own frame rate.",
        _frozen,
        "warning",
    ),
    (
        "jumps",
        "The face jumps from one frame to the next: a cut, or a detector that found another face. Cut the clip there.",
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
    ("faces that preparation lost", "Interpolated frames are a guess.", _without_face, "warning"),
    ("small faces", "Landmarks of a small face tremble.", _small, "note"),
    ("short clips", "Training leaves out clips that are shorter than its windows.", _short, "note"),
)
"""Title, advice, function that returns the reason to name a clip (or nothing), level."""
