"""Draw how the bound of trained estimators rises with training and falls with shifts of the speech, for docs/amie.md.

    python plugins/headmotion-amie/benchmarks/estimator_curve.py runs/grid/all landmarks=RUN "lips in pictures=RUN"

Each RUN is the folder of a run with a phase ``amie/estimator``. The bound is measured on clips of the splits ``val``
(sentences that were not trained on) and ``test`` (faces that were not trained on), with their own speech, with that
speech shifted, and with the speech of another clip of the same speaker.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib
import numpy as np
import torch

import headmotion as hm
from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus
from headmotion.media.audio import Audio

ROOT = Path(__file__).parents[3]
PAGE, FIGURE = ROOT / "docs" / "amie.md", ROOT / "docs" / "images" / "amie-shifts.svg"
BEGIN, END = "<!-- estimator -->\n", "<!-- end of estimator -->\n"
SPLITS = {"val": "val: other sentences", "test": "test: other faces"}
WINDOW = 20
"""Steps that are averaged into one point of the curve of training."""
SHIFTS = 15
"""Largest shift (frames)."""


def measured(clip: Clip) -> hm.MetricInput:
    """Return the recording of a clip as if it had been generated."""
    poses = torch.from_numpy(clip.landmarks[..., :2].copy())
    motion, pair = hm.Motion(poses, clip.fps), None
    if clip.frames is not None:
        frames = torch.from_numpy(clip.frames.read())
        pair = hm.PicturePair(frames, frames, poses)
    return hm.MetricInput(clip.id, motion, motion, Audio(torch.from_numpy(clip.audio), 16_000), pictures=pair)


def curves(metric: hm.Metric, clips: Sequence[Clip]) -> tuple[np.ndarray, np.ndarray]:
    """Return the bound of each clip by shift ``[N, 2 * SHIFTS + 1]``, and with the speech of the next clip ``[N]``."""
    matching, mismatched = [], []
    for clip, other in zip(clips, [*clips[1:], clips[0]], strict=True):
        recording = measured(clip)
        matching.append(metric.observe(recording)["bounds"].numpy())
        swapped = replace(recording, audio=measured(other).audio)
        mismatched.append(float(metric.observe(swapped)["bounds"][SHIFTS]))
    return np.array(matching), np.array(mismatched)


def interval(values: np.ndarray) -> str:
    """Return the mean with its 95 % interval by a bootstrap over clips, as text."""
    means = values[np.random.default_rng(0).integers(0, len(values), (2000, len(values)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{values.mean():.3f} ({low:.3f} to {high:.3f})"


def chosen_clips(corpus: Path, count: int) -> dict[str, list[Clip]]:
    """Return clips by split: of one length, in the order of their speakers, spread over the split."""
    result = {}
    for split in SPLITS:
        part = open_corpus(corpus).select(split=split)
        indices = np.unique(np.linspace(0, len(part) - 1, min(count, len(part))).round().astype(int))
        clips = sorted((part[index] for index in indices.tolist()), key=lambda clip: (clip.speaker, clip.id))
        result[split] = [clip for clip in clips if len(clip.landmarks) == len(clips[0].landmarks)]
    return result


def trained_curve(run: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return steps and the bound above that of scores without information, means over `WINDOW` steps."""
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text("utf-8").splitlines()]
    gains = np.array([row["gain"] for row in rows if "gain" in row])
    count = len(gains) // WINDOW * WINDOW
    return np.arange(0, count, WINDOW) + WINDOW / 2, gains[:count].reshape(-1, WINDOW).mean(1)


def draw(runs: Mapping[str, Path], curves_by_name: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]]) -> None:
    """Draw both figures as one SVG whose bytes depend on the values alone."""
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "headmotion", "svg.fonttype": "none", "font.size": 8})
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3), layout="constrained")
    for name, run in runs.items():
        left.plot(*trained_curve(run), label=name, linewidth=1)
        for split, style in zip(SPLITS, ("-", "--"), strict=True):
            shifts = 40 * np.arange(-SHIFTS, SHIFTS + 1)
            right.plot(shifts, curves_by_name[name][split][0].mean(0), style, label=f"{name}, {split}", linewidth=1)
    left.set(title="training: recorded pairs", xlabel="step", ylabel="bound + 2 log 2")
    right.set(title="held-out clips: shifted speech", xlabel="shift of the speech (ms)")
    for panel, location in ((left, "upper left"), (right, "lower center")):
        panel.legend(frameon=False, loc=location)
        panel.grid(alpha=0.3)
    figure.savefig(FIGURE, metadata={"Date": None})


def table(curves_by_name: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]]) -> list[str]:
    """Return the values by estimator and split as lines of a table."""
    lines = [
        "| estimator of | clips | own speech | shifted by 200 to 600 ms | another clip's speech |",
        "|---" * 5 + "|",
    ]
    for name, splits in curves_by_name.items():
        for split, (matching, mismatched) in splits.items():
            far = np.delete(matching, range(SHIFTS - 4, SHIFTS + 5), axis=1).mean(1)
            cells = [interval(values) for values in (matching[:, SHIFTS], far, mismatched)]
            lines.append(f"| {name} | {SPLITS[split]}, {len(matching)} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Measure the estimators that the command line names."""
    parser = argparse.ArgumentParser(description="Measure trained estimators on held-out clips.")
    parser.add_argument("corpus", type=Path, help="corpus with the splits val and test")
    parser.add_argument(
        "runs", nargs="+", metavar="NAME=RUN", help="a name for the estimator, and the folder of its run"
    )
    parser.add_argument("--clips", type=int, default=12, help="clips per split at most")
    arguments = parser.parse_args()
    runs = {name: Path(run) for name, run in (pair.split("=", 1) for pair in arguments.runs)}
    face, clips = (
        hm.resolve_spec("representation", "landmarks68").build(),
        chosen_clips(arguments.corpus, arguments.clips),
    )
    curves_by_name = {}
    for name, run in runs.items():
        spec = {"type": "amie/estimator", "model": str(run / "estimator.safetensors"), "shifts": SHIFTS}
        metric = hm.resolve_spec("metric", spec).build(hm.BuildContext(face, 0))
        curves_by_name[name] = {split: curves(metric, clips[split]) for split in SPLITS}
    draw(runs, curves_by_name)
    before, rest = PAGE.read_text("utf-8").split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(before + BEGIN + "\n" + "\n".join(table(curves_by_name)) + "\n\n" + END + after, "utf-8")


if __name__ == "__main__":
    main()
