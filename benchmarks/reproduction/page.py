"""The page of results: every number, interval and verdict on it is made here from the figures of the runs."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headmotion.core.checkpoint import read_header
from headmotion.core.files import atomic_output

from . import page_text as prose
from . import plots
from .corpora import CAUSES
from .intervals import Interval, interval
from .measuring import MetricValues, measured, place, recorded
from .plots import LEVEL_MS, Measured
from .proving import MINUTES
from .running import Workshop
from .scales import SCALES
from .synchrony import FIGURES
from .table import SWAP, Experiment, Size

SAID = {1: "**ahead**", -1: "**behind**", 0: "no difference seen"}


def given_judges(experiments: Sequence[Experiment]) -> list[str]:
    """What is known of syncers that were not trained here."""
    every = {judge for experiment in experiments for run in experiment.runs for judge in (run.guide, run.metric)}
    lines = []
    for judge in sorted(every, key=lambda each: each.name):
        if judge.given is None:
            continue
        header = read_header(judge.given)
        lines.append(f"- `{judge.name}` had been trained before, {header.step} steps, sha256 `{header.sha256[:16]}...`")
    return [*lines, ""] if lines else []


class Page:
    """Lines of Markdown, and the pictures beside them."""

    def __init__(self, target: Path, shop: Workshop, size: Size) -> None:
        self.target, self.shop, self.size = target, shop, size
        self.lines: list[str] = []
        self.short: list[str] = []
        self.used: dict[str, MetricValues] = {}

    def write(self, experiments: Sequence[Experiment], command: str) -> None:
        """Everything that has been measured; what has not is named."""
        writers = {
            "ablation-": self._ablation,
            "branches-": self._branches,
            "length": self._length,
            "weights": self._weights,
            "swap": self._swap,
        }
        for experiment in experiments:
            found = self._found(experiment)
            seeds = len(next(iter(found.values())))
            self.say(f"## {prose.TITLES[experiment.name]}", "", prose.SETTINGS[experiment.name], "")
            self.say(f"Seeds of each variant: {seeds}." if seeds else prose.MISSING, "")
            if seeds:
                (write,) = (writer for name, writer in writers.items() if experiment.name.startswith(name))
                write(experiment, found, recorded(self.shop, experiment, self.size))
        short = ["## In short", "", *self.short, ""] if self.short else []
        head = [*self._head(command), *given_judges(experiments), *short]
        text = "\n".join([*head, *self.lines, prose.PROTOCOL, ""])
        with atomic_output(self.target) as temporary:
            temporary.write_text(text, "utf-8")

    def say(self, *lines: str) -> None:
        """Add lines."""
        self.lines += lines

    def _found(self, experiment: Experiment) -> Measured:
        """The runs of each variant, of those seeds that all variants have been measured with."""
        minutes = experiment.name == MINUTES
        done = {run for run in experiment.runs if place(self.shop, run, self.size, minutes).exists()}
        seeds = set.intersection(*({run.seed for run in runs if run in done} for runs in experiment.variants.values()))
        found = {
            name: [(run, measured(self.shop, run, self.size, minutes)) for run in runs if run.seed in seeds]
            for name, runs in experiment.variants.items()
        }
        self.used |= {run.key: figures for runs in found.values() for run, figures in runs}
        return found

    def _head(self, command: str) -> list[str]:
        cards = [each.values for each in self.used.values()]
        seconds = sorted(card["training_seconds"] for card in cards)
        commits = ", ".join(f"`{commit[:12]}`" for commit in sorted({card["commit"] for card in cards}))
        machines = "; ".join(sorted({card["machine"] for card in cards}))
        made = [f"Made by `{command}`: {len(cards)} runs, trained by commit {commits} on {machines}, one thread each."]
        if seconds:
            middle = statistics.median(seconds)
            made.append(f"A run took {seconds[0]} to {seconds[-1]} seconds by the clock, {middle:.0f} in the middle.")
        return ["# Results", "", *made, "", prose.INTRODUCTION.format(size=self.size, steps=self.size.marks[-1]), ""]

    def _picture(self, name: str, title: str) -> Path:
        self.say(f"![{title}](images/{name}.svg)", "")
        folder = self.target.parent / "images"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.svg"

    def _table(self, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.say(f"| {' | '.join(head)} |", "|---" * len(head) + "|")
        self.say(*(f"| {' | '.join(map(str, row))} |" for row in rows), "")

    def _ablation(self, experiment: Experiment, found: Measured, recordings: MetricValues) -> None:
        plots.levels(self._picture(experiment.name, "Synchrony over the steps of training"), found, recordings)
        self._synchrony(FIGURES, experiment, found, recordings)
        if (self.shop.corpus(experiment.corpus) / CAUSES).exists():
            self.say("### What really caused the motion", "", prose.CAUSES, "")
            plots.causes(self._picture(f"{experiment.name}-causes", "Correlation with the causes"), found, recordings)
            self._causes(found, recordings)

    def _branches(self, experiment: Experiment, found: Measured, recordings: MetricValues) -> None:
        self._synchrony(list(prose.COMPARED), experiment, found, recordings)

    def _synchrony(
        self, names: Sequence[str], experiment: Experiment, found: Measured, recordings: MetricValues
    ) -> None:
        """Figures by level, of those that can be compared also the differences, and the sizes of the generators."""
        for name in names:
            self._levels(name, found, recordings)
            if name in prose.COMPARED:
                self._differences(prose.TITLES[experiment.name], name, found)
        self._parameters(found)

    def _levels(self, name: str, found: Measured, recordings: MetricValues) -> None:
        """One figure of synchrony at the end of training, by level."""
        number = FIGURES.index(name)
        truth, wrong = recordings.table("synchrony")[-1][:, :, number], recordings.table("wrong")[:, :, number]
        rows = [
            [variant, *(interval(level) for level in _by_level(_last(runs), number))] for variant, runs in found.items()
        ]
        rows += [
            [label, *map(_plain, values.mean(0))]
            for label, values in (("recordings", truth), ("recordings, other speech", wrong))
        ]
        titles = [f"level {level} ({LEVEL_MS[level]} ms)" for level in range(truth.shape[1])]
        self._table([prose.NAMES[name], *titles], rows)

    def _differences(self, title: str, name: str, found: Measured) -> None:
        """How much better each variant is than those after it, clip by clip."""
        number, better = FIGURES.index(name), prose.COMPARED[name]
        rows = []
        for one, other in itertools.combinations(found, 2):
            apart = _by_level(better * (_last(found[one]) - _last(found[other])), number)
            intervals = [interval(level) for level in apart]
            rows.append([f"{one} over {other}", *map(_said, intervals)])
            if name == "confidence" and (one, other) in prose.CLAIMS:
                self._tell(f"{title}: {prose.NAMES[name]} of `{one}` beside `{other}`", "level {}", intervals)
                self._claim((one, other), intervals[1:])
        titles = [f"level {level}" for level in range(len(rows[0]) - 1)]
        self._table([f"better by {prose.NAMES[name]}", *titles], rows)

    def _claim(self, pair: tuple[str, str], coarser: Sequence[Interval]) -> None:
        """Whether what the paper expects of the coarser levels came out."""
        ahead = [f"level {level}" for level, each in enumerate(coarser, start=1) if each.sign > 0]
        if len(ahead) == len(coarser):
            outcome = "holds at all coarser levels"
        else:
            outcome = f"is seen at {', '.join(ahead)} alone" if ahead else "is not seen at any coarser level"
        self.short.append(f"    - {prose.CLAIMS[pair]}: this **{outcome}**.")

    def _tell(self, what: str, where: str, found: Sequence[Interval], names: Sequence[str] = ()) -> None:
        """One line of the summary: where an interval lies on which side of 0."""
        places = [where.format(name) for name in names or range(len(found))]
        told: dict[str, list[str]] = {}
        for where, each in zip(places, found, strict=True):
            told.setdefault(SAID[each.sign], []).append(where)
        parts = (f"{said} at {', '.join(at)}" for said, at in told.items())
        self.short.append(f"- {what}: {'; '.join(parts)}.")

    def _parameters(self, found: Measured) -> None:
        counts = ", ".join(f"{variant} {runs[0][1].values['parameters']:,}" for variant, runs in found.items())
        self.say(f"Numbers in the generators: {counts}.", "")

    def _causes(self, found: Measured, recordings: MetricValues) -> None:
        own = {variant: np.array([each.table("followed") for _, each in runs]) for variant, runs in found.items()}
        other = {v: np.array([each.table("followed_wrong") for _, each in runs]) for v, runs in found.items()}
        by_scale = {v: [interval(table[:, :, k]) for k in range(len(SCALES))] for v, table in own.items()}
        rows = [[variant, *intervals] for variant, intervals in by_scale.items()]
        for variant, intervals in by_scale.items():
            followed = [scale for scale, each in zip(SCALES, intervals, strict=True) if each.sign > 0]
            seen = f"seen to follow those of {', '.join(followed)}" if followed else "**not seen to follow any**"
            self.short.append(f"- Known causes: the motion of `{variant}` is {seen}.")
        rows += [
            [f"{variant}, seed by seed", *(" / ".join(map(_plain, by_seed)) for by_seed in table.mean(1).T)]
            for variant, table in own.items()
        ]
        rows += [
            [f"{variant}, another clip's causes", *map(_plain, table.mean((0, 1)))] for variant, table in other.items()
        ]
        rows.append(["recordings", *map(_plain, recordings.table("followed").mean(0))])
        for one, two in itertools.combinations(found, 2):
            apart = [interval((own[one] - own[two])[:, :, k]) for k in range(len(SCALES))]
            rows.append([f"{one} over {two}", *map(_said, apart)])
            self._tell(f"Known causes: correlation of `{one}` beside `{two}`", "{}", apart, SCALES)
        self._table(["correlation", "lips (0.1 s)", "nods (0.3 s)", "posture (1 to 2 s)"], rows)

    def _length(self, experiment: Experiment, found: Measured, recordings: MetricValues) -> None:
        plots.wandering(self._picture("length", "Distance of poses from recordings over a minute"), found)
        rows = []
        for variant, runs in found.items():
            curves = np.array([each.values["drift"]["generated"] for _, each in runs])
            parts = (curves[:, :1], curves[:, 1:5], curves[:, -5:], curves[:, -5:] / curves[:, :1])
            rows.append([variant, *(_span(part.mean(1)) for part in parts)])
            self.short.append(
                f"- A minute of speech, {variant}: poses are {parts[3].mean():.1f} times as far from recordings in the "
                "last 15 seconds as in the first 3."
            )
        floor = np.array(runs[0][1].values["drift"]["recorded"])
        parts = (floor[:1], floor[1:5], floor[-5:], floor[-5:] / floor[:1])
        rows.append(["recordings of others", *(_plain(part.mean()) for part in parts)])
        self._table(["distance, %", "first 3 s", "3 to 15 s", "last 15 s", "last over first"], rows)

    def _weights(self, experiment: Experiment, found: Measured, recordings: MetricValues) -> None:
        plots.shares(self._picture("weights", "Synchrony and motion by weight of the sync loss"), found, recordings)
        self._levels("confidence", found, recordings)
        rows = []
        for variant, runs in found.items():
            moved = np.array([each.table("moved") for _, each in runs])
            rows.append([variant, *(f"{np.median(moved[:, :, k]):.2f}" for k in range(2))])
        best = [max(found, key=lambda v: _last(found[v])[:, :, k, 0].mean()) for k in range(len(LEVEL_MS))]
        self.short.append(f"- Weight of the sync loss with the highest AV-Conf, from level 0 on: {', '.join(best)}.")
        self._table(["weight", "spread over that of recordings", "jitter over that of recordings"], rows)

    def _swap(self, experiment: Experiment, found: Measured, recordings: MetricValues) -> None:
        self.say("```diff", " pipeline:", "-  representation: landmarks68", f"+  representation: {SWAP}", "```", "")
        self._levels("confidence", found, recordings)
        runs = [each for runs in found.values() for _, each in runs]
        number = FIGURES.index("confidence")
        wrong = np.array([each.table("wrong") for each in runs])
        apart = np.array([each.table("synchrony")[-1] for each in runs]) - wrong
        levels = [interval(level) for level in _by_level(apart, number)]
        rows = [["own speech less another clip's", *map(_said, levels)]]
        self._tell("Swapped representation: AV-Conf with its own speech beside another clip's", "level {}", levels)
        self._table(["difference of confidence", *(f"level {k}" for k in range(apart.shape[2]))], rows)


def _last(runs: Sequence[tuple[Any, MetricValues]]) -> Any:
    """Figures ``[seeds, clips, levels, figures]`` at the end of training."""
    return np.array([each.table("synchrony")[-1] for _, each in runs])


def _by_level(table: Any, figure: int) -> list[Any]:
    """``[seeds, clips]`` of one figure, level by level."""
    return [table[:, :, level, figure] for level in range(table.shape[2])]


def _said(found: Interval) -> str:
    return f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f}), {SAID[found.sign]}"


def _span(values: Any) -> str:
    return f"{values.mean():.2f} ({values.min():.2f} to {values.max():.2f})"


def _plain(value: float) -> str:
    return f"{value:.3f}"
