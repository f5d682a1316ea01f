"""Write docs/models.md: the card of the bundled model `ms-sync`, and how its mouth follows speech and its head moves.

    python benchmarks/models.py SHARED_DATA RUN...

RUN is the folder of the run that made the model; the page also shows its curves and its syncers. A run whose syncers it
used (``--syncers``) comes first.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import curves  # pyright: ignore[reportMissingImports]
import head  # pyright: ignore[reportMissingImports]
import mouth  # pyright: ignore[reportMissingImports]
import syncers  # pyright: ignore[reportMissingImports]
import torch
from safetensors import safe_open

import headmotion as hm
from headmotion.core.checkpoint import read_header
from headmotion.core.plugins import registry

COMMANDS = [
    "```",
    "python tools/bundled_corpus.py SHARED_DATA runs/corpus",
    "headmotion train small-cpu --data runs/corpus -o runs/bundled",
    "```",
]
PAGE = Path(__file__).parent.parent / "docs" / "models.md"


def minutes_of(runs: list[Path]) -> float:
    """Return the minutes that the runs took, by their states."""
    seconds = 0.0
    for run in runs:
        with safe_open(run / "state.safetensors", "numpy") as stored:
            seconds += json.loads(stored.metadata()["headmotion"])["seconds"]
    return seconds / 60


def card(name: str, path: Path, minutes: float | None = None) -> list[str]:
    """Return what the file says about itself, and the minutes of its training if they are known."""
    header = read_header(path)
    facts = dict(header.card)
    recipe = facts.pop("recipe", {})
    # Voices of synthetic speakers are left to the file.
    sources = sorted({re.sub(r"; espeak-ng [^;]*", "", source) for source in facts["sources"]})
    trained = ", ".join(f"`{source}`" for source in sources)
    took = "" if minutes is None else f", {minutes:.0f} minutes on a CPU"
    return [
        f"## `{name}`",
        "",
        f"- {path.stat().st_size / 1e6:.1f} MB, {header.parameters:,} numbers, sha256 `{header.sha256[:16]}...`",
        f"- trained on {facts['clips']} clips of {facts['speakers']} speakers, {facts['hours']:.2f} hours: {trained}",
        f"- recipe `{recipe.get('name', '')}`: {steps_of(recipe)}{took}",
        f"- by commit `{facts['commit'][:12]}`",
        "",
    ]


def steps_of(recipe: dict[str, Any]) -> str:
    """Return the steps of each phase of a recipe; older cards have no mapping of phases."""
    phases = recipe.get("phases", recipe)
    steps = {name: phase["steps"] for name, phase in phases.items() if isinstance(phase, dict) and "steps" in phase}
    return ", ".join(f"{count} steps of the {name}" for name, count in steps.items())


def table(name: str, shared: Path) -> list[str]:
    """Return the table of the mouth on unseen clips."""
    pipe = hm.load(name, device="cpu")
    lines = ["| clips | n | model | audio loudness | another clip's audio | amplitude |", "|---|---|---|---|---|---|"]
    for title, corpus in mouth.unseen(shared).items():
        values = mouth.figures(pipe, corpus)
        cells = (
            f"{values[key]['mean']:.2f} ({values[key]['low']:.2f} to {values[key]['high']:.2f})"  # type: ignore[index]
            for key in ("model", "loudness", "shuffled", "amplitude")
        )
        lines.append(f"| {title} | {values['clips']} | {' | '.join(cells)} |")
    return lines


def head_table(pipe: hm.Pipeline, shared: Path) -> list[str]:
    """Return the table of the head, compared with recorded heads that move."""
    values = head.figures(pipe, shared)
    lines = ["| generated over real | spread | speed | drift over a minute |", "|---|---|---|---|"]
    for axis in (*head.AXES, "shift"):
        cells = (with_interval(values[f"{kind} {axis}"], "ratio") for kind in ("std", "speed"))  # type: ignore[arg-type]
        drift = f"{values['drift'][axis]:.2f}" if axis in head.AXES else ""  # type: ignore[index]
        lines.append(f"| {axis} | {' | '.join(cells)} | {drift} |")
    return [
        *lines,
        "",
        f"{values['clips']} clips of {values['speakers']} speakers that are not in the training data. Jitter over that "
        f"of detected landmarks: {with_interval(values['jitter'], 'ratio')}. Mouth opening in silence: "  # type: ignore[arg-type]
        f"{values['rest']:.3f} of the eye distance.",
        "",
    ]


def syncer_table(run: Path, shared: Path) -> list[str]:
    """Return the table of the run's syncers."""
    values = syncers.figures(run / "syncers.safetensors", shared)
    levels = len(next(iter(values.values())))
    lines = [
        f"| top-1 of {syncers.GROUP} | {' | '.join(f'level {k}' for k in range(levels))} |",
        "|---" * (levels + 1) + "|",
    ]
    for title, figures in values.items():
        lines.append(f"| {title} | {' | '.join(with_interval(figure, 'mean') for figure in figures)} |")
    return [*lines, ""]


def with_interval(figure: dict[str, float], name: str) -> str:
    """Return a value and its interval as text."""
    return f"{figure[name]:.2f} ({figure['low']:.2f} to {figure['high']:.2f})"


def protocol(module: object) -> str:
    """Return a benchmark's description of how it measures, from its docstring."""
    return (module.__doc__ or "").split("\n\n", 2)[2].strip()


def main(shared: Path, runs: list[Path]) -> None:
    """Measure the model and write the page; ``benchmarks/systems.py`` compares it with others."""
    lines = ["# Models", "", "Made by `python benchmarks/models.py SHARED_DATA RUN...`.", ""]
    for name, path in [("ms-sync", registry().models["ms-sync"])]:
        pipe = hm.load(name, device="cpu")
        if "mouth" not in pipe.representation.openings:
            lines += [f"## `{name}`", "", "See [Blend shapes](blendshapes.md), made by its own benchmark.", ""]
            continue
        lines += [
            *card(name, path, minutes_of(runs)),
            "### Mouth",
            "",
            *table(name, shared),
            "",
            "### Head",
            "",
            *head_table(pipe, shared),
        ]
    curves.draw(runs, PAGE.parent / "images" / "training.svg")
    lines += ["### Its syncers", "", *syncer_table(runs[-1], shared)]
    lines += ["### Training", "", "![Curves of the training](images/training.svg)", "", *COMMANDS, ""]
    lines += ["## Protocols", ""]
    for title, module in (("Mouth", mouth), ("Head", head), ("Syncers", syncers)):
        lines += [f"### {title}: how it is measured", "", protocol(module), ""]
    PAGE.write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    main(arguments.shared, arguments.runs)
