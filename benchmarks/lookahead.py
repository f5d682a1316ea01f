"""Write docs/look-ahead.md: models with more or less look-ahead, measured in the same way.

python benchmarks/lookahead.py SHARED_DATA MODEL...
"""

from __future__ import annotations

import argparse
from pathlib import Path

import head  # pyright: ignore[reportMissingImports]
import mouth  # pyright: ignore[reportMissingImports]
import torch
from models import with_interval  # pyright: ignore[reportMissingImports]

import headmotion as hm

PAGE = Path(__file__).parent.parent / "docs" / "look-ahead.md"
INTRODUCTION = """\
# Less look-ahead

Made by `python benchmarks/lookahead.py SHARED_DATA MODEL...`, by the protocols of [Models](models.md).

The look-ahead of MS-Sync comes mostly from its coarser levels, whose convolutions look ahead by `level_lookahead`
steps, which are longer the coarser the level. The recipe is that of the bundled model, with its syncers; another
look-ahead is one setting:

```
headmotion train small-cpu --data runs/corpus --syncers runs/bundled/syncers.safetensors \\
    --set pipeline.generator.level_lookahead=[1,0,0] -o runs/swift
```

"""
READING = """
Where the intervals of mouths overlap, lips do not need speech from further ahead. Differences between the heads may be
random: two seeds of one recipe (`swift`, and `swift-1` with `--set seed=1`) differ as much.
"""


def rows(models: dict[str, hm.Pipeline], shared: Path) -> dict[str, list[str]]:
    """Return a cell for each model, by what was measured."""
    cells: dict[str, list[str]] = {}
    for pipe in models.values():
        level = getattr(pipe.spec.generator, "level_lookahead", None)
        cells.setdefault("`level_lookahead`", []).append(", ".join(map(str, level or ())))
        for rate in (16_000, 48_000):
            lookahead = pipe.lookahead_ms(rate)
            cell = "whole clip" if lookahead is None else f"{lookahead:.0f} ms"
            cells.setdefault(f"look-ahead at {rate // 1000} kHz", []).append(cell)
        for title, corpus in mouth.unseen(shared).items():
            figures = mouth.figures(pipe, corpus)
            for what, key in (("mouth", "model"), ("amplitude", "amplitude")):
                cells.setdefault(f"{what}, {title}", []).append(with_interval(figures[key], "mean"))
        head_figures = head.figures(pipe, shared)
        for axis in ("pitch", "yaw", "roll", "shift"):
            for what, key in (("spread", "std"), ("speed", "speed")):
                cell = with_interval(head_figures[f"{key} {axis}"], "ratio")
                cells.setdefault(f"head, {what} of {axis} over real", []).append(cell)
        cells.setdefault("jitter over detected landmarks", []).append(with_interval(head_figures["jitter"], "ratio"))
    return cells


def main(shared: Path, names: list[str]) -> None:
    """Measure all models and write the page."""
    table = rows({name: hm.load(name, device="cpu") for name in names}, shared)
    shown = [f"`{Path(name).parent.name or name}`" for name in names]
    lines = [f"| | {' | '.join(shown)} |", "|---" * (len(names) + 1) + "|"]
    lines += [f"| {what} | {' | '.join(cells)} |" for what, cells in table.items()]
    PAGE.write_text(INTRODUCTION + "\n".join(lines) + "\n" + READING, "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    main(arguments.shared, arguments.models)
