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
"""Steps that are averaged into one point."""
PANELS: dict[str, tuple[str, str | tuple[str, ...]]] = {
    "syncers: fraction of windows whose own audio is nearest": ("syncers", "top1_"),
    "syncers: contrastive loss": ("syncers", "level"),
    "generator: its losses, weighted": ("generator", ("sync", "lips", "shape", "mouth_opening", "spread")),
    "discriminators: hinge losses": ("generator", "d_"),
}


def series(runs: list[Path]) -> dict[str, dict[str, tuple[list[int], list[float]]]]:
    """Return steps and values of everything that was logged, by phase and name."""
    result: dict[str, dict[str, tuple[list[int], list[float]]]] = {}
    for row in (json.loads(line) for run in runs for line in (run / "log.jsonl").read_text("utf-8").splitlines()):
        for name, value in row.items():
            if "phase" in row and "step" in row and name not in ("phase", "step") and isinstance(value, float | int):
                steps, values = result.setdefault(row["phase"], {}).setdefault(name, ([], []))
                steps.append(row["step"])
                values.append(value)
    return result


def draw(runs: list[Path], target: Path) -> None:
    """Draw four panels as one SVG whose bytes depend on the logs alone."""
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "headmotion", "svg.fonttype": "none", "font.size": 8})
    from matplotlib import pyplot

    logged = series(runs)
    figure, axes = pyplot.subplots(2, 2, figsize=(9, 5.5), layout="constrained")
    for panel, (title, (phase, names)) in zip(axes.flat, PANELS.items(), strict=True):
        for name, (steps, values) in sorted(logged.get(phase, {}).items()):
            if name in names if isinstance(names, tuple) else name.startswith(names):
                count = len(values) // WINDOW * WINDOW
                means = np.reshape(values[:count], (-1, WINDOW)).mean(1)
                panel.plot(np.array(steps[:count:WINDOW]) + WINDOW / 2, means, label=name, linewidth=1)
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
