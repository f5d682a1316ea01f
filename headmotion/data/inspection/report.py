"""What the doctor says: figures of the whole corpus, and findings. As JSON values or as one HTML file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...core.files import atomic_output
from ..rejected import RejectedClip
from .av_offsets import GroupOffset, Method
from .findings import Finding
from .measure import Examined


@dataclass(frozen=True)
class Report:
    """A corpus, examined."""

    corpus: str
    representation: Mapping[str, Any]
    findings: tuple[Finding, ...]
    """Errors first, then warnings, then notes."""
    clips: Sequence[Examined] = field(repr=False)
    damaged: Sequence[RejectedClip] = field(repr=False)
    method: Method
    """Where the offsets of audio and motion come from."""
    offsets: Sequence[float | None] = field(repr=False)
    """Per clip, in frames, negative where the audio is late; None where it is not clear."""
    groups: Sequence[GroupOffset] = field(repr=False)

    @property
    def sound(self) -> bool:
        """Whether nothing is damaged."""
        return not any(each.level == "error" for each in self.findings)

    @property
    def frames_per_second(self) -> float:
        """Of the first clip."""
        return self.clips[0].frames / self.clips[0].seconds if self.clips else 25.0

    def summary(self) -> dict[str, Any]:
        """All figures and findings as JSON values."""
        clips = self.clips
        return {
            "corpus": self.corpus,
            "representation": dict(self.representation),
            "clips": len(clips),
            "damaged": len(self.damaged),
            "hours": round(sum(each.seconds for each in clips) / 3600, 4),
            "seconds_per_clip": _spread([each.seconds for each in clips]),
            "speakers": len({each.entry.speaker for each in clips}),
            "splits": self.by("split"),
            "licenses": self.by("license"),
            "distributable": self.by("distribute"),
            "motion": {name: _spread(values) for name, values in self.motion().items()},
            "openings": {name: _spread(values) for name, values in self.openings().items()},
            "level_db": _spread([each.sound.level_db for each in clips]),
            "silence": _spread([each.sound.silence for each in clips]),
            "av_offset": self._offset_figures(),
            "findings": [asdict(each) for each in self.findings],
        }

    def by(self, attribute: str) -> dict[str, dict[str, float]]:
        """Clips, speakers and hours for each value that the index has, the most hours first."""
        seconds: Counter[str] = Counter()
        count: Counter[str] = Counter()
        speakers: dict[str, set[str]] = {}
        for each in self.clips:
            value = _word(getattr(each.entry, attribute))
            seconds[value] += each.seconds  # type: ignore[assignment]
            count[value] += 1
            speakers.setdefault(value, set()).add(each.entry.speaker)
        return {
            value: {"clips": count[value], "speakers": len(speakers[value]), "hours": round(total / 3600, 4)}
            for value, total in seconds.most_common()
        }

    def motion(self) -> dict[str, list[float]]:
        """Per group, the energy of each clip: the head as a rigid body first."""
        result = {"head": [each.face.head_speed for each in self.clips]}
        for each in self.clips:
            for name, value in each.face.energy.items():
                result.setdefault(name, []).append(value)
        return result

    def openings(self) -> dict[str, list[float]]:
        """Per opening, its spread in each clip."""
        result: dict[str, list[float]] = {}
        for each in self.clips:
            for name, value in each.face.spreads.items():
                result.setdefault(name, []).append(value)
        return result

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the report as one HTML file that needs no other.

        Raises:
            HeadmotionError: the packages of ``headmotion[report]`` are not installed.
        """
        from .page import page

        text = page(self)
        with atomic_output(path) as temporary:
            temporary.write_text(text, "utf-8")
        return Path(path)

    def _offset_figures(self) -> dict[str, Any]:
        clear = [each for each in self.offsets if each is not None]
        histogram = Counter(round(each) for each in clear)
        return {
            "method": self.method,
            "unit": "frames; negative: the audio is late",
            "clear_clips": len(clear),
            "histogram": {str(frames): histogram[frames] for frames in sorted(histogram)},
            "groups": [
                {"name": each.name, "clips": each.clips, "frames": each.frames, "strength": _rounded(each.strength)}
                for each in self.groups
            ],
        }


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) or "(none)"


def _spread(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    names = ("least", "p5", "median", "p95", "most")
    return {name: round(float(v), 4) for name, v in zip(names, np.percentile(values, (0, 5, 50, 95, 100)), strict=True)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
