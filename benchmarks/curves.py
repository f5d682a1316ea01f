"""Draw the curves of training runs for docs/models.md.

python benchmarks/curves.py --output docs/images/training.svg RUN...
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib
import numpy as np

WINDOW = 50
"""Steps that are averaged for one point."""
PANELS: dict[str, tuple[str, str | tuple[str, ...]]] = {
    "syncers: share of windows whose own audio is nearest": ("syncers", "top1_"),
    "syncers: contrastive loss": ("syncers", "level"),
    "generator: its losses, weighted": ("generator", ("sync", "lips", "shape", "mouth_opening", "spread")),
    "discriminators: hinge losses": ("generator", "d_"),
}


def series(runs: list[Path]) -> dict[str, dict[str, tuple[list[int], list[float]]]]:
    """Steps and values of every figure, by phase and name."""
    found: dict[str, dict[str, tuple[list[int], list[float]]]] = {}
    for row in (json.loads(line) for run in runs for line in (run / "log.jsonl").read_text("utf-8").splitlines()):
        for name, value in row.items():
            if "phase" in row and "step" in row and name not in ("phase", "step") and isinstance(value, float | int):
                steps, values = found.setdefault(row["phase"], {}).setdefault(name, ([], []))
                steps.append(row["step"])
                values.append(value)
    return found


def draw(runs: list[Path], target: Path) -> None:
    """Four panels as one SVG whose bytes depend on the logs alone."""
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "headmotion", "svg.fonttype": "none", "font.size": 8})
    from matplotlib import pyplot

    found = series(runs)
    figure, axes = pyplot.subplots(2, 2, figsize=(9, 5.5), layout="constrained")
    for panel, (title, (phase, wanted)) in zip(axes.flat, PANELS.items(), strict=True):
        for name, (steps, values) in sorted(found.get(phase, {}).items()):
            if name in wanted if isinstance(wanted, tuple) else name.startswith(wanted):
                whole = len(values) // WINDOW * WINDOW
                means = np.reshape(values[:whole], (-1, WINDOW)).mean(1)
                panel.plot(np.array(steps[:whole:WINDOW]) + WINDOW / 2, means, label=name, linewidth=1)
        panel.set(title=title, xlabel="step")
        panel.legend(frameon=False)
        panel.grid(alpha=0.3)
    figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    draw(arguments.runs, arguments.output)
