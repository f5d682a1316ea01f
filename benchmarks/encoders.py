"""Write docs/encoders.md: each generator with each audio encoder, trained on one corpus and measured on unseen clips.

    python benchmarks/encoders.py SHARED_DATA CORPUS
    python benchmarks/encoders.py SHARED_DATA CORPUS --longer RUN

The mouth is measured as in ``benchmarks/mouth.py``, syncers as in ``benchmarks/syncers.py``, and synchrony as in
``benchmarks/synchrony.py``, by two judges, so that no model is judged only by syncers on its own features. The syncers
on whisper are those that guided MS-Sync on whisper, and no other model. Where several seeds were trained, a cell has
the mean over them, and their least and greatest value behind it; where there is one, the interval over clips. Training
and measuring continue where they were stopped; `CORPUS` is that of ``tools/bundled_corpus.py``. Causal flow on whisper
is the bundled model, which was trained without ``condition_dropout``, and further seeds. MS-Sync on log-mel is the
bundled model, which the recipe `small-cpu` made of an earlier state of this corpus; on whisper it got a third of that
recipe's steps of syncers (1500), and three fifths of its steps of the generator (900).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import models  # pyright: ignore[reportMissingImports]
import mouth  # pyright: ignore[reportMissingImports]
import numpy as np
import ridge  # pyright: ignore[reportMissingImports]
import synchrony  # pyright: ignore[reportMissingImports]
import torch
from talking_heads.pages import read_block, replace_block  # pyright: ignore[reportMissingImports]

import headmotion as hm
from headmotion.core.checkpoint import read_header
from headmotion.core.interfaces.specs import BuildContext
from headmotion.core.plugins import registry
from headmotion.metrics.specs import AVSyncSpec
from headmotion.training import train

PAGE = Path(__file__).parent.parent / "docs" / "encoders.md"
MEASURES = {"model": "opening", "width": "width", "amplitude": "amplitude"}

READING = """\
## How to read it

- The encoder matters most. The same generator by the same recipe follows the mouth worse in every set on log-mel, and
  seeds differ far less than encoders do.
- On whisper a linear regression of one speaker follows the mouths of other people as well as `causal-flow`: the limit
  is what the features contain and how few the speakers are, not the generator.
- MS-Sync on whisper is a little ahead of MS-Sync on log-mel for all unseen speakers and in Arabic, hardly beyond the
  intervals, and behind it on the few near frontal clips and in the width of the mouth of the speaker that both know. It
  had fewer steps, and its mouth moves less.
- Trained longer, with all steps of the syncers, MS-Sync on whisper is ahead of MS-Sync on log-mel in the width of the
  mouth of unseen speakers; in openings the intervals overlap. Its syncers recognize matching pairs of unseen speakers
  no better than those of the shorter run: what they lack is speakers, not steps.
- On other speakers each judge is biased: `metric-syncers` prefers models on log-mel, and syncers on whisper prefer
  models on whisper, of which MS-Sync was guided by them. Models are above the recordings there, so a higher confidence
  does not mean better motion.
- The syncers of this shorter training recognize matching pairs of unseen speakers hardly better than those on log-mel;
  [windows of syncers](sync-windows.md) has what longer windows bring.
"""


@dataclass(frozen=True)
class Pair:
    """A generator with an encoder, and how it is trained."""

    generator: str
    encoder: str
    recipe: str = ""
    """Name of the recipe, if runs are needed."""
    changes: tuple[str, ...] = ()
    """Changes of the recipe."""
    seeds: tuple[int, ...] = (0,)
    """Seeds of runs."""
    bundled: bool = False
    """Whether the bundled model is one more of them."""

    def runs(self, folder: Path) -> list[Path]:
        """Return a folder per seed."""
        return [folder / f"{self.generator}-{self.encoder}-{seed}" for seed in self.seeds]


LONGER = "longer run"
"""Name of the marks on the page between which the section of a longer run is."""
SHORTER = ("phases.syncers.steps=1500", "phases.generator.steps=900")
"""Steps of MS-Sync on whisper: a third and three fifths of its recipe's, which takes two hours of a core."""
PAIRS = (
    Pair("causal-flow", "whisper", "causal-flow", seeds=(1, 2), bundled=True),
    Pair(
        "causal-flow",
        "log-mel",
        "causal-flow",
        ("pipeline.audio_encoder=log-mel", "pipeline.steps_per_frame=4"),
        seeds=(0, 1, 2),
    ),
    Pair("ms-sync", "whisper", "small-whisper", ("data.feature_cache=runs/features", *SHORTER)),
    Pair("ms-sync", "log-mel", seeds=(), bundled=True),
)


def trained(pair: Pair, corpus: Path, folder: Path) -> list[Path]:
    """Return the models of a pair, one per seed, trained if they are not there."""
    paths = [registry().models[pair.generator]] if pair.bundled else []
    for seed, run in zip(pair.seeds, pair.runs(folder), strict=True):
        if not (run / "model.safetensors").exists():
            changes = [*pair.changes, f"seed={seed}", "preview_every=0"]
            train(pair.recipe, [corpus], run, "cpu", changes, resume=(run / "state.safetensors").exists(), quiet=True)
        paths.append(run / "model.safetensors")
    return paths


def measured(path: Path, shared: Path, cache: Path) -> dict[str, Any]:
    """Return what `mouth.figures` says of a file, from the folder of what was measured before if it is there."""
    cached = cache / f"mouth-{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}.json"
    if not cached.exists():
        pipe = hm.load(path, device="cpu")
        values = {title: mouth.figures(pipe, clips) for title, clips in mouth.unseen(shared).items()}
        cached.write_text(json.dumps(values, indent=1), "utf-8")
    values = json.loads(cached.read_text("utf-8"))
    return values


def cell(values: list[dict[str, float]]) -> str:
    """Return a figure of all seeds as text."""
    if len(values) == 1:
        return models.with_interval(values[0], "mean")
    means = [value["mean"] for value in values]
    return f"{np.mean(means):.2f} [{min(means):.2f} to {max(means):.2f}]"


def main(shared: Path, corpus: Path, folder: Path) -> None:
    """Train what is not there, measure all, and write the page."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = {pair: [measured(path, shared, folder) for path in trained(pair, corpus, folder)] for pair in PAIRS}
    regression = ridge.Ridge(shared)
    linear = {title: regression.figures(clips) for title, clips in mouth.unseen(shared).items()}
    lines = ["# Encoders and generators", "", "Made by `python benchmarks/encoders.py SHARED_DATA CORPUS`.", ""]
    lines += [f"| clips | generator | encoder | seeds | {' | '.join(MEASURES.values())} |", "|---" * 7 + "|"]
    for title, figures in linear.items():
        for pair, seeds in rows.items():
            cells = " | ".join(cell([values[title][key] for values in seeds]) for key in MEASURES)
            lines.append(f"| {title} | `{pair.generator}` | `{pair.encoder}` | {len(seeds)} | {cells} |")
        cells = " | ".join(models.with_interval(figures[key], "mean") for key in MEASURES)
        lines.append(f"| {title} | linear regression, one speaker | `whisper` | 1 | {cells} |")
    (run,) = next(pair for pair in PAIRS if pair.recipe == "small-whisper").runs(folder)
    pipes = {f"`{p.generator}` on `{p.encoder}`": hm.load(trained(p, corpus, folder)[0], device="cpu") for p in PAIRS}
    judges = {
        "`metric-syncers`, on `log-mel`": synchrony.JUDGE,
        "syncers on `whisper`": AVSyncSpec(syncers=str(run / "syncers.safetensors")),
    }
    lines += ["", *judged(pipes, judges, shared), "## Syncers on `whisper`", ""]
    # The section of a longer run has a command of its own.
    lines += [*models.syncer_table(run, shared), "## MS-Sync on `whisper`, trained longer", ""]
    lines += [*read_block(PAGE, LONGER), "", READING, "## How it is measured", ""]
    lines += [models.protocol(sys.modules[__name__])]
    PAGE.write_text("\n".join([*lines, ""]), "utf-8")


def judged(pipes: dict[str, hm.Pipeline], judges: dict[str, AVSyncSpec], shared: Path) -> list[str]:
    """Return tables of AV-Conf and AV-Offset of models, by each judge."""
    context = BuildContext(next(iter(pipes.values())).representation, 0)
    lines = []
    for title in synchrony.SETS:
        clips = list(mouth.unseen(shared)[title])
        sources = synchrony.motions(clips, pipes)
        for name, judge in judges.items():
            lines += [f"## Synchrony by {name}: {title}", ""]
            lines += [*synchrony.synchrony(clips, sources, context, judge), ""]
    return lines


def longer(run: Path, shared: Path, cache: Path) -> list[str]:
    """Return the section of a longer run of MS-Sync on whisper: mouth, AV-Conf by `metric-syncers`, and its syncers."""
    model = run / "model.safetensors"
    steps = models.steps_of(read_header(model).card["recipe"])
    lines = [f"Made by `python benchmarks/encoders.py SHARED_DATA CORPUS --longer RUN`: {steps}.", ""]
    lines += [f"| clips | {' | '.join(MEASURES.values())} |", "|---" * 4 + "|"]
    for title, values in measured(model, shared, cache).items():
        lines.append(f"| {title} | {' | '.join(cell([values[key]]) for key in MEASURES)} |")
    pipes = {"this run": hm.load(model, device="cpu")}
    tables = judged(pipes, {"`metric-syncers`, on `log-mel`": synchrony.JUDGE}, shared)
    lines += ["", *(line.replace("## ", "### ") for line in tables), "### Its syncers", ""]
    return [*lines, *models.syncer_table(run, shared)[:-1]]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument(
        "--runs", type=Path, default=Path("runs/encoders"), help="folder of runs and of what is measured"
    )
    parser.add_argument("--longer", type=Path, metavar="RUN", help="write the section of this run alone")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.longer:
        arguments.runs.mkdir(parents=True, exist_ok=True)
        replace_block(PAGE, LONGER, longer(arguments.longer, arguments.shared, arguments.runs))
    else:
        main(arguments.shared, arguments.corpus, arguments.runs)
