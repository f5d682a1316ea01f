"""Tables of an ablation: means over clips and seeds, and what each change does, clip by clip and seed by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.talking_heads.measures import Values
from benchmarks.talking_heads.tables import differences, interval

BySeed = Sequence[Sequence[Values]]
"""Values of the clips, for each seed."""


def mean_over_seeds(by_seed: BySeed) -> list[Values]:
    """Return the values of each clip, the mean over the seeds that have them."""
    clips = []
    for of_clip in zip(*by_seed, strict=True):
        columns = [column for column in of_clip[0] if all(column in values for values in of_clip)]
        clips.append({column: sum(values[column] for values in of_clip) / len(of_clip) for column in columns})
    return clips


def value_table(variants: Mapping[str, BySeed], columns: Sequence[str]) -> list[str]:
    """Return the lines of means over clips and seeds, with intervals over clips."""
    lines = [f"| | {' | '.join(columns)} |", "|" + "---|" * (len(columns) + 1)]
    for name, by_seed in variants.items():
        means = mean_over_seeds(by_seed)
        cells = [interval([clip[column] for clip in means if column in clip]) for column in columns]
        lines.append(f"| {name} | {' | '.join('-' if cell is None else str(cell) for cell in cells)} |")
    return [*lines, ""]


def difference_table(variants: Mapping[str, BySeed], base: BySeed, columns: Sequence[str]) -> list[str]:
    """Return the lines of differences from the base of the same clip and seed."""
    lines = [f"| | {' | '.join(columns)} |", "|" + "---|" * (len(columns) + 1)]
    for name, by_seed in variants.items():
        changed = [differences(clips, before) for clips, before in zip(by_seed, base, strict=True)]
        lines.append(f"| {name} | {' | '.join(_cell(changed, column) for column in columns)} |")
    return [*lines, ""]


def _cell(changed: BySeed, column: str) -> str:
    """Return a mean difference, its interval over clips, and that of each seed; bold if all of them agree."""
    over_clips = interval([clip[column] for clip in mean_over_seeds(changed) if column in clip])
    seeds = [interval([clip[column] for clip in clips if column in clip]) for clips in changed]
    if over_clips is None:
        return "-"
    means = [seed.mean for seed in seeds if seed is not None]
    agree = (over_clips.low > 0 and min(means) > 0) or (over_clips.high < 0 and max(means) < 0)
    mean = f"**{over_clips.mean:+.3g}**" if agree else f"{over_clips.mean:+.3g}"
    return f"{mean} ({over_clips.low:+.3g} to {over_clips.high:+.3g}); {', '.join(f'{value:+.3g}' for value in means)}"
