"""Write docs/systems.md: the bundled models of landmarks compared, on the same clips and by the same protocols.

    python benchmarks/systems.py SHARED_DATA

The mouth and the head are measured as in ``benchmarks/mouth.py`` and ``benchmarks/head.py``. In one recording: the
sentences of GRID's speaker 1, one after another, in one call; the correlation of each sentence is compared with that of
the same sentence alone, because a model may know when the words of its corpus's sentences are spoken. The variety is
the standard deviation of the head's pose over eight seeds at the same time, as a share of its deviation over time.
The speed is that of one thread from a wave to landmarks, in blocks of a second, the best of three.
The gain of the lips and the amount and smoothness of the head of `causal-flow` are settings that were chosen on these
clips, so its amplitude and its ratios of spread and speed are not those of unseen data. A linear regression on the
encoder's features, trained on one speaker, is listed for comparison: it shows how far these features generalize. So is
AT-net of the model `atvg/grid` (plugin headmotion-atvg), which uses cepstra and was trained on two speakers of GRID.
[Synchrony measured](synchrony.md) has AV-Conf, lip error, timing and the heads' Fréchet distance, and [idle
motion](idle.md) what the models do in silence.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import head  # pyright: ignore[reportMissingImports]
import models  # pyright: ignore[reportMissingImports]
import mouth  # pyright: ignore[reportMissingImports]
import numpy as np
import ridge  # pyright: ignore[reportMissingImports]
import torch

import headmotion as hm
from headmotion.controls.control import ControlContext
from headmotion.controls.head_pose import HeadModel
from headmotion.core.plugins import registry
from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus
from headmotion.metrics.mouth_opening import opening_curve
from headmotion.metrics.pose_curves import head_curves

PAGE = Path(__file__).parent.parent / "docs" / "systems.md"
MODELS, RIDGE = ("causal-flow", "ms-sync"), "ridge"
"""Bundled models of landmarks; the protocols need a picture's points."""
LIPS_ONLY = ("atvg/grid",)
"""Models of plugins, if they are installed, whose generators move lips and jaw, and no head."""
SENTENCES, SEEDS = 40, 8
MEASURES = {"model": "opening", "width": "width", "amplitude": "amplitude", "shuffled": "another clip's audio"}


def measure(name: str, part: str, shared: Path) -> dict[str, Any]:
    """Return one part of what is measured of a model, or of the linear regression, which only has a mouth."""
    clips = mouth.unseen(shared)
    if name == RIDGE:
        regression = ridge.Ridge(shared)
        return {title: regression.figures(corpus) for title, corpus in clips.items()}
    pipe = hm.load(name, device="cpu")
    if part == "rest":
        return columns(pipe, shared)
    return {title: mouth.figures(pipe, corpus) for title, corpus in clips.items()}


def measured(name: str, part: str, shared: Path, cache: Path) -> dict[str, Any]:
    """Return what was measured before of the same file, or else measure it now."""
    source = Path(ridge.__file__) if name == RIDGE else registry().models[name]
    path = cache / f"{name.replace('/', '-')}-{part}-{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}.json"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(measure(name, part, shared), indent=1), "utf-8")
    values: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return values


def mouth_table(rows: dict[str, dict[str, Any]]) -> list[str]:
    """Return the table of the mouth, with the linear regression at the end of each set of clips."""
    lines = [f"| clips | n | model | {' | '.join(MEASURES.values())} |", "|---" * (3 + len(MEASURES)) + "|"]
    for title in rows[RIDGE]:
        for name, of_clips in rows.items():
            values = of_clips[title]
            cells = " | ".join(models.with_interval(values[key], "mean") for key in MEASURES)
            lines.append(f"| {title} | {values['clips']} | `{name}` | {cells} |")
    return lines


def joined(pipe: hm.Pipeline, clips: list[Clip]) -> tuple[float, float]:
    """Return the mean correlation of sentences one by one, and in one recording."""
    speech = np.concatenate([clip.audio for clip in clips])
    whole = opening_curve(pipe.representation, pipe.generate((speech, head.RATE), clips[0].landmarks[:1]).values)
    scores, start = [], 0
    for clip in clips:
        recorded = opening_curve(pipe.representation, torch.from_numpy(clip.landmarks))
        single = pipe.generate((clip.audio, head.RATE), clip.landmarks[:1]).values
        curves = opening_curve(pipe.representation, single), whole[start : start + len(recorded)]
        count = min(map(len, (*curves, recorded)))
        scores.append([mouth.band_correlation(curve[:count], recorded[:count]) for curve in curves])
        start += len(recorded)
    single, together = np.mean(scores, axis=0)
    return float(single), float(together)


def variety(pipe: hm.Pipeline, clip: Clip) -> float:
    """Return how much the head differs between seeds, over how much it moves: mean over rotations and shifts."""
    reference = torch.from_numpy(clip.landmarks[:1, :, : pipe.representation.dims])
    model = HeadModel(ControlContext(pipe.representation, reference[0], Fraction(25)), "systems benchmark")
    motions = [pipe.generate((clip.audio, head.RATE), reference, seed=seed).values for seed in range(SEEDS)]
    poses = np.stack([head_curves(model, motion, 1.0) for motion in motions])
    return float((poses.std(0).mean(0) / poses.std(1).mean(0)).mean())


def times_real_time(pipe: hm.Pipeline, speech: np.ndarray) -> float:
    """Return seconds of speech per second of one thread."""
    spent = []
    for _ in range(3):
        start = time.process_time()
        pipe.generate((speech, head.RATE))
        spent.append(time.process_time() - start)
    return len(speech) / head.RATE / min(spent)


def columns(pipe: hm.Pipeline, shared: Path) -> dict[str, str]:
    """Return what else is measured of a model, by the name of its row."""
    values = head.figures(pipe, shared)
    clips = list(open_corpus(shared / "grid_s1").select(split="val"))[:SENTENCES]
    speech = np.concatenate([clip.audio for clip in clips[:10]])
    single, together = joined(pipe, clips)
    rows = {f"sentences one by one / in one recording ({len(clips)})": f"{single:.2f} / {together:.2f}"}
    for measure, title in (("std", "spread"), ("speed", "speed")):
        for axis in ("pitch", "yaw", "roll", "shift"):
            rows[f"head {title}, {axis}, over real"] = models.with_interval(values[f"{measure} {axis}"], "ratio")
    rows["jitter over that of detected landmarks"] = models.with_interval(values["jitter"], "ratio")
    for axis in ("pitch", "yaw", "roll"):
        rows[f"drift over a minute, {axis}"] = f"{values['drift'][axis]:.2f}"
    return rows | {
        "mouth opening in silence, of the eye distance": f"{values['rest']:.3f}",
        "variety over seeds": f"{variety(pipe, clips[0]):.2f}",
        "times real time, one thread": f"{times_real_time(pipe, speech):.0f}",
        "look-ahead": f"{pipe.lookahead_ms():.0f} ms",
    }


def main(shared: Path, cache: Path) -> None:
    """Measure what was not measured before, and write the page."""
    lips_only = [name for name in LIPS_ONLY if name in registry().models]
    mouths = {name: measured(name, "mouth", shared, cache) for name in (*MODELS, *lips_only, RIDGE)}
    rows = {name: measured(name, "rest", shared, cache) for name in MODELS}
    lines = ["# Systems compared", "", "Made by `python benchmarks/systems.py SHARED_DATA`.", "", "## Mouth", ""]
    lines += [*mouth_table(mouths), "", "## Head, time and speed", ""]
    lines += [f"| | {' | '.join(f'`{name}`' for name in MODELS)} |", "|---" * (1 + len(MODELS)) + "|"]
    for title in rows[MODELS[0]]:
        lines.append(f"| {title} | {' | '.join(rows[name][title] for name in MODELS)} |")
    lines.append("")
    for name in MODELS:
        lines += models.card(name, registry().models[name])
    lines += ["## How it is measured", "", models.protocol(sys.modules[__name__]), "", "### Mouth", ""]
    lines += [models.protocol(mouth), "", "### Ridge", "", models.protocol(ridge), ""]
    lines += ["### Head", "", models.protocol(head), ""]
    PAGE.write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("runs/systems"), help="folder of what was measured before")
    parser.add_argument("--only", nargs=2, metavar=("NAME", "PART"), help="measure mouth or rest of one, write no page")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.only:
        name, part = arguments.only
        measured(name, part, arguments.shared, arguments.cache)
    else:
        main(arguments.shared, arguments.cache)
