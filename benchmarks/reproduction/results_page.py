"""Write docs/results.md: every value, interval and verdict on it comes from the metrics of the runs."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headmotion.core.checkpoint import read_header
from headmotion.core.files import atomic_output

from . import page_text, plots
from .corpora import CAUSES
from .experiments import KEYPOINTS_SPEC, Experiment, Size
from .motion_metrics import FIGURES, SCALES
from .plots import LEVEL_MS, RunsByVariant
from .run_metrics import Interval, RunValues, interval, recorded_values, run_values, values_path
from .runner import MINUTES
from .workspace import Workspace

VERDICTS = {1: "**ahead**", -1: "**behind**", 0: "no significant difference"}


def pretrained_judges(experiments: Sequence[Experiment]) -> list[str]:
    """Return a line for each pyramid of syncers that was trained before."""
    judges = {judge for experiment in experiments for run in experiment.runs for judge in (run.guide, run.metric)}
    lines = []
    for judge in sorted(judges, key=lambda judge: judge.name):
        if judge.file is None:
            continue
        header = read_header(judge.file)
        lines.append(f"- `{judge.name}` was trained before, {header.step} steps, sha256 `{header.sha256[:16]}...`")
    return [*lines, ""] if lines else []


class ResultsPage:
    """The page as lines of Markdown, and its pictures."""

    def __init__(self, target: Path, workspace: Workspace, size: Size) -> None:
        self.target, self.workspace, self.size = target, workspace, size
        self.lines: list[str] = []
        self.summary: list[str] = []
        self.values: dict[str, RunValues] = {}

    def write(self, experiments: Sequence[Experiment], command: str) -> None:
        """Write everything that has been measured, and name what has not."""
        writers = {
            "ablation-": self._ablation,
            "branches-": self._branches,
            "length": self._length,
            "weights": self._weights,
            "swap": self._swap,
        }
        for experiment in experiments:
            runs = self._measured_runs(experiment)
            seeds = len(next(iter(runs.values())))
            self.add_lines(f"## {page_text.TITLES[experiment.name]}", "", page_text.SETTINGS[experiment.name], "")
            self.add_lines(f"Seeds of each variant: {seeds}." if seeds else page_text.MISSING, "")
            if seeds:
                (write,) = (writer for name, writer in writers.items() if experiment.name.startswith(name))
                write(experiment, runs, recorded_values(self.workspace, experiment, self.size))
        summary = ["## In short", "", *self.summary, ""] if self.summary else []
        head = [*self._head(command), *pretrained_judges(experiments), *summary]
        text = "\n".join([*head, *self.lines, page_text.PROTOCOL, ""])
        with atomic_output(self.target) as temporary:
            temporary.write_text(text, "utf-8")

    def add_lines(self, *lines: str) -> None:
        """Append lines."""
        self.lines += lines

    def _measured_runs(self, experiment: Experiment) -> RunsByVariant:
        """Return the runs of each variant, for the seeds with which all variants have been measured."""
        minutes = experiment.name == MINUTES
        done = {run for run in experiment.runs if values_path(self.workspace, run, self.size, minutes).exists()}
        seeds = set.intersection(*({run.seed for run in runs if run in done} for runs in experiment.variants.values()))
        result = {
            name: [(run, run_values(self.workspace, run, self.size, minutes)) for run in runs if run.seed in seeds]
            for name, runs in experiment.variants.items()
        }
        self.values |= {run.key: figures for runs in result.values() for run, figures in runs}
        return result

    def _head(self, command: str) -> list[str]:
        cards = [run.values for run in self.values.values()]
        seconds = sorted(card["training_seconds"] for card in cards)
        commits = ", ".join(f"`{commit[:12]}`" for commit in sorted({card["commit"] for card in cards}))
        machines = "; ".join(sorted({card["machine"] for card in cards}))
        lines = [f"Made by `{command}`: {len(cards)} runs, trained by commit {commits} on {machines}, one thread each."]
        if seconds:
            median = statistics.median(seconds)
            lines.append(f"A run took {seconds[0]} to {seconds[-1]} seconds, with a median of {median:.0f}.")
        return [
            "# Results",
            "",
            *lines,
            "",
            page_text.INTRODUCTION.format(size=self.size, steps=self.size.marks[-1]),
            "",
        ]

    def _picture(self, name: str, title: str) -> Path:
        self.add_lines(f"![{title}](images/{name}.svg)", "")
        folder = self.target.parent / "images"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.svg"

    def _table(self, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.add_lines(f"| {' | '.join(head)} |", "|---" * len(head) + "|")
        self.add_lines(*(f"| {' | '.join(map(str, row))} |" for row in rows), "")

    def _ablation(self, experiment: Experiment, runs_by_variant: RunsByVariant, recordings: RunValues) -> None:
        plots.synchrony(
            self._picture(experiment.name, "Synchrony over the steps of training"), runs_by_variant, recordings
        )
        self._synchrony(FIGURES, experiment, runs_by_variant, recordings)
        if (self.workspace.corpus(experiment.corpus) / CAUSES).exists():
            self.add_lines("### What caused the motion", "", page_text.CAUSES, "")
            plots.causes(
                self._picture(f"{experiment.name}-causes", "Correlation with the causes"), runs_by_variant, recordings
            )
            self._causes(runs_by_variant, recordings)

    def _branches(self, experiment: Experiment, runs_by_variant: RunsByVariant, recordings: RunValues) -> None:
        self._synchrony(list(page_text.COMPARED), experiment, runs_by_variant, recordings)

    def _synchrony(
        self, names: Sequence[str], experiment: Experiment, runs_by_variant: RunsByVariant, recordings: RunValues
    ) -> None:
        """Add the metrics by level, the differences of those that are compared, and the sizes of the generators."""
        for name in names:
            self._levels(name, runs_by_variant, recordings)
            if name in page_text.COMPARED:
                self._differences(page_text.TITLES[experiment.name], name, runs_by_variant)
        self._parameters(runs_by_variant)

    def _levels(self, name: str, runs_by_variant: RunsByVariant, recordings: RunValues) -> None:
        """Add a metric of synchrony at the end of training, by level."""
        number = FIGURES.index(name)
        recorded, other_speech = (
            recordings.table("synchrony")[-1][:, :, number],
            recordings.table("wrong")[:, :, number],
        )
        rows = [
            [variant, *(interval(level) for level in _by_level(_last(runs), number))]
            for variant, runs in runs_by_variant.items()
        ]
        rows += [
            [label, *map(_format, values.mean(0))]
            for label, values in (("recordings", recorded), ("recordings, other speech", other_speech))
        ]
        titles = [f"level {level} ({LEVEL_MS[level]} ms)" for level in range(recorded.shape[1])]
        self._table([page_text.NAMES[name], *titles], rows)

    def _differences(self, title: str, name: str, runs_by_variant: RunsByVariant) -> None:
        """Add how much better each variant is than those after it, clip by clip."""
        number, better = FIGURES.index(name), page_text.COMPARED[name]
        rows = []
        for left, right in itertools.combinations(runs_by_variant, 2):
            differences = _by_level(better * (_last(runs_by_variant[left]) - _last(runs_by_variant[right])), number)
            intervals = [interval(level) for level in differences]
            rows.append([f"{left} over {right}", *map(_with_verdict, intervals)])
            if name == "confidence" and (left, right) in page_text.CLAIMS:
                self._summarize(
                    f"{title}: {page_text.NAMES[name]} of `{left}` against `{right}`", "level {}", intervals
                )
                self._claim((left, right), intervals[1:])
        titles = [f"level {level}" for level in range(len(rows[0]) - 1)]
        self._table([f"better by {page_text.NAMES[name]}", *titles], rows)

    def _claim(self, pair: tuple[str, str], coarser: Sequence[Interval]) -> None:
        """Add whether what the paper expects of the coarser levels holds."""
        ahead = [f"level {level}" for level, difference in enumerate(coarser, start=1) if difference.sign > 0]
        if len(ahead) == len(coarser):
            outcome = "holds at all coarser levels"
        else:
            outcome = f"holds at {', '.join(ahead)} only" if ahead else "does not hold at any coarser level"
        self.summary.append(f"    - {page_text.CLAIMS[pair]}: this **{outcome}**.")

    def _summarize(self, title: str, place: str, intervals: Sequence[Interval], names: Sequence[str] = ()) -> None:
        """Add one line to the summary: on which side of 0 each interval lies.

        Args:
            title: what is compared.
            place: text with a gap for a name.
            intervals: one per name.
            names: their names; without them they are numbered.
        """
        places = [place.format(name) for name in names or range(len(intervals))]
        by_verdict: dict[str, list[str]] = {}
        for where, difference in zip(places, intervals, strict=True):
            by_verdict.setdefault(VERDICTS[difference.sign], []).append(where)
        parts = (f"{verdict} at {', '.join(where)}" for verdict, where in by_verdict.items())
        self.summary.append(f"- {title}: {'; '.join(parts)}.")

    def _parameters(self, runs_by_variant: RunsByVariant) -> None:
        counts = ", ".join(
            f"{variant} {runs[0][1].values['parameters']:,}" for variant, runs in runs_by_variant.items()
        )
        self.add_lines(f"Parameters of the generators: {counts}.", "")

    def _causes(self, runs_by_variant: RunsByVariant, recordings: RunValues) -> None:
        own, other = (
            {name: np.array([values.table(key) for _, values in runs]) for name, runs in runs_by_variant.items()}
            for key in ("followed", "followed_wrong")
        )
        by_scale = {v: [interval(table[:, :, k]) for k in range(len(SCALES))] for v, table in own.items()}
        rows = [[variant, *intervals] for variant, intervals in by_scale.items()]
        for variant, intervals in by_scale.items():
            followed = [scale for scale, value in zip(SCALES, intervals, strict=True) if value.sign > 0]
            which = f"follows those of {', '.join(followed)}" if followed else "does **not follow any significantly**"
            self.summary.append(f"- Known causes: the motion of `{variant}` {which}.")
        rows += [
            [f"{variant}, seed by seed", *(" / ".join(map(_format, by_seed)) for by_seed in table.mean(1).T)]
            for variant, table in own.items()
        ]
        rows += [
            [f"{variant}, another clip's causes", *map(_format, table.mean((0, 1)))] for variant, table in other.items()
        ]
        rows.append(["recordings", *map(_format, recordings.table("followed").mean(0))])
        for left, right in itertools.combinations(runs_by_variant, 2):
            differences = [interval((own[left] - own[right])[:, :, k]) for k in range(len(SCALES))]
            rows.append([f"{left} over {right}", *map(_with_verdict, differences)])
            self._summarize(f"Known causes: correlation of `{left}` against `{right}`", "{}", differences, SCALES)
        self._table(["correlation", "lips (0.1 s)", "nods (0.3 s)", "posture (1 to 2 s)"], rows)

    def _length(self, experiment: Experiment, runs_by_variant: RunsByVariant, recordings: RunValues) -> None:
        plots.drift(self._picture("length", "Distance of poses from recordings over a minute"), runs_by_variant)
        rows = []
        for variant, runs in runs_by_variant.items():
            curves = np.array([values.values["drift"]["generated"] for _, values in runs])
            parts = (curves[:, :1], curves[:, 1:5], curves[:, -5:], curves[:, -5:] / curves[:, :1])
            rows.append([variant, *(_with_range(part.mean(1)) for part in parts)])
            self.summary.append(
                f"- A minute of speech, {variant}: poses are {parts[3].mean():.1f} times as far from recordings in the "
                "last 15 seconds as in the first 3."
            )
        floor = np.array(runs[0][1].values["drift"]["recorded"])
        parts = (floor[:1], floor[1:5], floor[-5:], floor[-5:] / floor[:1])
        rows.append(["recordings of others", *(_format(part.mean()) for part in parts)])
        self._table(["distance, %", "first 3 s", "3 to 15 s", "last 15 s", "last over first"], rows)

    def _weights(self, experiment: Experiment, runs_by_variant: RunsByVariant, recordings: RunValues) -> None:
        plots.sync_weights(
            self._picture("weights", "Synchrony and motion by weight of the sync loss"), runs_by_variant, recordings
        )
        self._levels("confidence", runs_by_variant, recordings)
        rows = []
        for variant, runs in runs_by_variant.items():
            ratios = np.array([values.table("moved") for _, values in runs])
            rows.append([variant, *(f"{np.median(ratios[:, :, k]):.2f}" for k in range(2))])
        best = [
            max(runs_by_variant, key=lambda v: _last(runs_by_variant[v])[:, :, k, 0].mean())
            for k in range(len(LEVEL_MS))
        ]
        self.summary.append(f"- Weight of the sync loss with the highest AV-Conf, from level 0 on: {', '.join(best)}.")
        self._table(["weight", "spread over that of recordings", "jitter over that of recordings"], rows)

    def _swap(self, experiment: Experiment, runs_by_variant: RunsByVariant, recordings: RunValues) -> None:
        self.add_lines(
            "```diff", " pipeline:", "-  representation: landmarks68", f"+  representation: {KEYPOINTS_SPEC}", "```", ""
        )
        self._levels("confidence", runs_by_variant, recordings)
        values = [run_values for runs in runs_by_variant.values() for _, run_values in runs]
        number = FIGURES.index("confidence")
        wrong = np.array([run.table("wrong") for run in values])
        differences = np.array([run.table("synchrony")[-1] for run in values]) - wrong
        levels = [interval(level) for level in _by_level(differences, number)]
        rows = [["own speech minus another clip's", *map(_with_verdict, levels)]]
        self._summarize("Other representation: AV-Conf with its own speech against another clip's", "level {}", levels)
        self._table(["difference of confidence", *(f"level {k}" for k in range(differences.shape[2]))], rows)


def _last(runs: Sequence[tuple[Any, RunValues]]) -> Any:
    """Return ``[seeds, clips, levels, figures]`` at the end of training."""
    return np.array([values.table("synchrony")[-1] for _, values in runs])


def _by_level(table: Any, figure: int) -> list[Any]:
    """Return ``[seeds, clips]`` of one figure, per level."""
    return [table[:, :, level, figure] for level in range(table.shape[2])]


def _with_verdict(difference: Interval) -> str:
    values = f"{difference.mean:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"
    return f"{values}, {VERDICTS[difference.sign]}"


def _with_range(values: Any) -> str:
    return f"{values.mean():.2f} ({values.min():.2f} to {values.max():.2f})"


def _format(value: float) -> str:
    return f"{value:.3f}"
