"""Draw the diagrams of the documentation: the life of a part, and the way of the data.

python tools/make_diagrams.py docs/images
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

COLORS = {"file": "#fde9c8", "value": "#d9ead3", "object": "#d5e3f5", "result": "#ead9f2"}
"""Fills by what a box stands for; dark text on each is readable in the light and in the dark theme."""


@dataclass(frozen=True)
class Box:
    """A box of a diagram, placed on a grid of columns and rows."""

    column: float
    row: float
    kind: str
    title: str
    detail: str = ""


@dataclass(frozen=True)
class Arrow:
    """An arrow between two boxes, by their titles, with a label at its middle."""

    start: str
    end: str
    label: str = ""


WIDTH, HEIGHT, STEP_X, STEP_Y = 2.1, 0.8, 3.4, 1.45

LIFE = (
    [
        Box(0, 0, "value", "spec", "JSON, YAML, Python"),
        Box(1, 0, "object", "component", "torch module"),
        Box(2, 0, "object", "pipeline", "parts on one device"),
        Box(2, 1, "result", "trained pipeline", "weights moved by phases"),
        Box(1, 1, "file", "checkpoint", ".safetensors: spec, weights"),
        Box(0, 1, "object", "the same pipeline", "on another machine"),
        Box(0, -1, "object", "plugin", "a pip package"),
    ],
    [
        Arrow("plugin", "spec", "headmotion_specs"),
        Arrow("spec", "component", "build(context)"),
        Arrow("component", "pipeline", "hm.build"),
        Arrow("pipeline", "trained pipeline", "train"),
        Arrow("trained pipeline", "checkpoint", "save"),
        Arrow("checkpoint", "the same pipeline", "hm.load"),
    ],
)

DATA = (
    [
        Box(0, 0, "file", "speech", "any rate, any channels"),
        Box(1, 0, "object", "audio encoder", "wave to features"),
        Box(2, 0, "object", "generator", "features to motion"),
        Box(3, 0, "result", "motion", "[T, P, D] at exact fps"),
        Box(4, 0, "file", "files", ".mp4 .bvh .glb .csv"),
        Box(0, 1, "file", "picture", "or poses, or a video"),
        Box(1, 1, "object", "detector", "finds the pose"),
        Box(2, 1, "value", "reference", "poses [R, P, D]"),
        Box(3, 1, "object", "controls", "edits, also live"),
        Box(4, 1, "object", "renderer", "frames [H, W, 3]"),
    ],
    [
        Arrow("speech", "audio encoder"),
        Arrow("audio encoder", "generator"),
        Arrow("generator", "motion"),
        Arrow("motion", "files"),
        Arrow("picture", "detector"),
        Arrow("detector", "reference"),
        Arrow("reference", "generator"),
        Arrow("motion", "controls"),
        Arrow("controls", "renderer"),
        Arrow("renderer", "files"),
    ],
)


def draw(boxes: Sequence[Box], arrows: Sequence[Arrow], path: Path) -> None:
    """Write a diagram as SVG, with a transparent background."""
    columns = [box.column for box in boxes]
    rows = [box.row for box in boxes]
    size = ((max(columns) - min(columns)) * STEP_X + WIDTH, (max(rows) - min(rows)) * STEP_Y + HEIGHT)
    figure = plt.figure(figsize=(size[0] * 0.72, size[1] * 0.72))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(min(columns) * STEP_X - 0.1, max(columns) * STEP_X + WIDTH + 0.1)
    axes.set_ylim(-max(rows) * STEP_Y - 0.1, -min(rows) * STEP_Y + HEIGHT + 0.1)
    axes.axis("off")
    places = {box.title: place(axes, box) for box in boxes}
    for arrow in arrows:
        connect(axes, places[arrow.start], places[arrow.end], arrow.label)
    # Without a date and with fixed ids, the same diagram is the same file.
    plt.rcParams["svg.hashsalt"] = path.name
    figure.savefig(path, transparent=True, metadata={"Date": None})
    plt.close(figure)


def place(axes: Axes, box: Box) -> tuple[float, float]:
    """Draw a box and return its center."""
    x, y = box.column * STEP_X, -box.row * STEP_Y
    shape = FancyBboxPatch(
        (x, y),
        WIDTH,
        HEIGHT,
        boxstyle="round,pad=0,rounding_size=0.12",
        facecolor=COLORS[box.kind],
        edgecolor="#777777",
    )
    axes.add_patch(shape)
    center = (x + WIDTH / 2, y + HEIGHT / 2)
    axes.text(
        center[0], center[1] + 0.14, box.title, ha="center", va="center", fontsize=10, weight="bold", color="#222222"
    )
    axes.text(center[0], center[1] - 0.2, box.detail, ha="center", va="center", fontsize=7, color="#333333")
    return center


def connect(axes: Axes, start: tuple[float, float], end: tuple[float, float], label: str) -> None:
    """Draw an arrow from the edge of one box to the edge of another, horizontally or vertically."""
    horizontal = abs(end[0] - start[0]) > abs(end[1] - start[1])
    reach = WIDTH / 2 if horizontal else HEIGHT / 2
    sign = 1 if (end[0] > start[0] if horizontal else end[1] > start[1]) else -1
    shift = (sign * reach, 0.0) if horizontal else (0.0, sign * reach)
    begin, finish = (start[0] + shift[0], start[1] + shift[1]), (end[0] - shift[0], end[1] - shift[1])
    axes.annotate("", finish, begin, arrowprops={"arrowstyle": "->", "color": "#777777", "linewidth": 1.3})
    if label:
        middle = ((begin[0] + finish[0]) / 2, (begin[1] + finish[1]) / 2)
        offset = (0.0, 0.14) if horizontal else (0.08, 0.0)
        alignment = "center" if horizontal else "left"
        axes.text(middle[0] + offset[0], middle[1] + offset[1], label, ha=alignment, fontsize=7, color="#777777")


def main() -> None:
    """Draw both diagrams into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    draw(*LIFE, folder / "life-of-a-part.svg")
    draw(*DATA, folder / "way-of-the-data.svg")


if __name__ == "__main__":
    main()
