"""Whether a head moves as in the clip whose style was taken: spread and speed, before and after.

    python benchmarks/style.py SHARED_DATA

Every clip of at least five seconds whose head turns (selected by ``tools/head_statistics.py``) is halved. The style is
that of the first half. From the speech and the first frame of the second half, `causal-flow` generates without and with
it. Spread and speed are those of ``benchmarks/head.py``, of the three rotations together; the opening is the standard
deviation of the mouth's. The error is the mean over clips of the absolute logarithm of generated over recorded, as a
factor: 1 is none. The correlation is of the logarithms over clips: about 0 if all heads are moved equally. The other
half of the recording is of the same person; how far it differs from the first is what no style can be better than.
How the style is measured was chosen among four ways on these clips.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import head  # pyright: ignore[reportMissingImports]
import numpy as np
import torch

import headmotion as hm
from headmotion.controls.control import ControlContext
from headmotion.controls.head_pose import HeadModel
from headmotion.data.corpus import open_corpus
from headmotion.metrics.mouth_opening import opening_curve
from headmotion.metrics.pose_curves import head_curves
from headmotion.metrics.signals import windowed_stats

PAGE = Path(__file__).parent.parent / "docs" / "styles.md"
MIN_SECONDS = 5
MEASURES = ("spread", "speed", "opening")


def measures(pipe: hm.Pipeline, frames: torch.Tensor) -> list[float]:
    """Return spread and speed of the rotations (radians), and the deviation of the mouth's opening."""
    model = HeadModel(ControlContext(pipe.representation, frames[0], Fraction(25)), "style benchmark")
    curves = head_curves(model, frames, 1.0)[:, :3]
    stats = windowed_stats(head.smooth(curves))
    opening = opening_curve(pipe.representation, frames)
    return [float(np.linalg.norm(stats.std)), float(np.linalg.norm(stats.speed)), float(opening.std())]


def compared(pipe: hm.Pipeline, shared: Path) -> Iterator[np.ndarray]:
    """Yield the logarithms ``[4, 3]`` of the measures of a clip: both halves, generated without and with the style."""
    speakers = {speaker for speaker, _ in head.moving_speakers(shared / "clips")}
    for number, clip in enumerate(open_corpus(shared / "clips")):
        if clip.speaker not in speakers or len(clip.landmarks) < 25 * MIN_SECONDS:
            continue
        real = torch.from_numpy(clip.landmarks[..., :2])
        half = len(real) // 2
        style = hm.Motion(real[:half], Fraction(25), pipe.representation.spec.model_dump(mode="json"))
        speech = clip.audio[half * head.RATE // 25 :], head.RATE
        generated = [pipe.generate(speech, real[half : half + 1], seed=number, style=s).values for s in (None, style)]
        parts = real[:half], real[half:], *(values[: len(real) - half] for values in generated)
        yield np.log([measures(pipe, part) for part in parts])


def agreement(generated: np.ndarray, recorded: np.ndarray) -> str:
    """Return the error as a factor and the correlation over clips, of logarithms ``[n]``."""
    error = np.exp(np.abs(generated - recorded).mean())
    return f"{error:.2f} / {np.corrcoef(generated, recorded)[0, 1]:.2f}"


def rows(logs: np.ndarray) -> list[str]:
    """Return the rows of the table, from the logarithms ``[clips, 4, 3]``."""
    lines = []
    for column, measure in enumerate(MEASURES):
        for name, index in (("without the style", 2), ("with the style", 3), ("the other half of the recording", 1)):
            others = (0, 1) if index > 1 else (0,)
            cells = [agreement(logs[:, index, column], logs[:, half, column]) for half in others]
            ratio = np.exp((logs[:, index, column] - logs[:, 0, column]).mean())
            lines.append(f"| {measure} | {name} | {ratio:.2f} | {' | '.join([*cells, ''][:2])} |")
    return lines


def main(shared: Path, cache: Path) -> None:
    """Measure and write the page."""
    if not cache.exists():
        pipe = hm.load("causal-flow", device="cpu")
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text(json.dumps([values.tolist() for values in compared(pipe, shared)]), "utf-8")
    logs = np.array(json.loads(cache.read_text("utf-8")))
    lines = ["# Styles measured", "", "Made by `python benchmarks/style.py SHARED_DATA`.", ""]
    lines += [f"{len(logs)} clips. Error as a factor / correlation over clips.", ""]
    lines += [
        "| | compared | over that of the style's half | with the style's half | with the other half |",
        "|---" * 5 + "|",
    ]
    lines += [*rows(logs), "", "## How it is measured", "", (__doc__ or "").split("\n\n", 2)[2].strip()]
    PAGE.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("runs/style.json"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    main(arguments.shared, arguments.cache)
