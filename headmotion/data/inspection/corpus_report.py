"""The report of an inspection: statistics of the whole corpus, and findings. As JSON values or as one HTML file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...core.files import atomic_output, write_text
from ...reports.page import check_installed, page
from ..rejected import RejectedClip
from .av_offsets import GroupOffset, OffsetMethod
from .corpus_plots import corpus_plots
from .findings import Finding
from .measure import MeasuredClip

MAX_NAMED_CLIPS = 50
"""Clips of a finding that the page names; the others are counted."""


@dataclass(frozen=True)
class CorpusReport:
    """The result of inspecting a corpus."""

    corpus: str
    representation: Mapping[str, Any]
    findings: tuple[Finding, ...]
    """Errors first, then warnings, then notes."""
    clips: Sequence[MeasuredClip] = field(repr=False)
    damaged: Sequence[RejectedClip] = field(repr=False)
    method: OffsetMethod
    """Source of the offsets of audio and motion."""
    offsets: Sequence[float | None] = field(repr=False)
    """Per clip, in frames, negative if the audio is late; None if not clear."""
    groups: Sequence[GroupOffset] = field(repr=False)

    @property
    def is_intact(self) -> bool:
        """Whether nothing is damaged."""
        return not any(finding.level == "error" for finding in self.findings)

    def summary(self) -> dict[str, Any]:
        """Return all statistics and findings as JSON values."""
        clips = self.clips
        return {
            "corpus": self.corpus,
            "representation": dict(self.representation),
            "clips": len(clips),
            "damaged": len(self.damaged),
            "hours": round(sum(clip.seconds for clip in clips) / 3600, 4),
            "seconds_per_clip": _percentiles([clip.seconds for clip in clips]),
            "speakers": len({clip.entry.speaker for clip in clips}),
            "splits": self.by("split"),
            "licenses": self.by("license"),
            "distributable": self.by("distribute"),
            "motion": {name: _percentiles(values) for name, values in self.motion().items()},
            "openings": {name: _percentiles(values) for name, values in self.openings().items()},
            "level_db": _percentiles([clip.audio.level_db for clip in clips]),
            "silence": _percentiles([clip.audio.silence for clip in clips]),
            "av_offset": self._offset_summary(),
            "findings": [asdict(finding) for finding in self.findings],
        }

    def by(self, attribute: Literal["speaker", "split", "license", "distribute"]) -> dict[str, dict[str, float]]:
        """Return clips, speakers and hours for each value of an attribute of the index, the most hours first."""
        seconds: Counter[str] = Counter()
        count: Counter[str] = Counter()
        speakers: dict[str, set[str]] = {}
        for clip in self.clips:
            value = _to_word(getattr(clip.entry, attribute))
            seconds[value] += clip.seconds  # type: ignore[assignment]
            count[value] += 1
            speakers.setdefault(value, set()).add(clip.entry.speaker)
        return {
            value: {"clips": count[value], "speakers": len(speakers[value]), "hours": round(total / 3600, 4)}
            for value, total in seconds.most_common()
        }

    def motion(self) -> dict[str, list[float]]:
        """Return the energy of each clip, per group; the first group is the head as a rigid body."""
        result = {"head": [clip.motion.head_speed for clip in self.clips]}
        for clip in self.clips:
            for name, value in clip.motion.energy.items():
                result.setdefault(name, []).append(value)
        return result

    def openings(self) -> dict[str, list[float]]:
        """Return the spread of each opening in each clip."""
        result: dict[str, list[float]] = {}
        for clip in self.clips:
            for name, value in clip.motion.spreads.items():
                result.setdefault(name, []).append(value)
        return result

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the report as one HTML file that needs no other.

        Raises:
            HeadmotionError: the packages of ``headmotion[report]`` are not installed.
        """
        check_installed()
        plots = list(corpus_plots(self))
        values = {"report": self, "summary": self.summary(), "plots": plots, "max_named": MAX_NAMED_CLIPS}
        text = page(__package__, "corpus_report.html", **values)
        with atomic_output(path) as temporary:
            write_text(temporary, text)
        return Path(path)

    def _offset_summary(self) -> dict[str, Any]:
        clear = [offset for offset in self.offsets if offset is not None]
        histogram = Counter(round(offset) for offset in clear)
        return {
            "method": self.method,
            "unit": "frames; negative: the audio is late",
            "clear_clips": len(clear),
            "histogram": {str(frames): histogram[frames] for frames in sorted(histogram)},
            "groups": [
                {
                    "name": group.name,
                    "clips": group.clips,
                    "frames": group.frames,
                    "strength": None if group.strength is None else round(group.strength, 1),
                }
                for group in self.groups
            ],
        }


def _to_word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) or "(none)"


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    percentiles = np.percentile(values, (0, 5, 50, 95, 100))
    names = ("least", "p5", "median", "p95", "most")
    return {name: round(float(value), 4) for name, value in zip(names, percentiles, strict=True)}
