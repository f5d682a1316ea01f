"""Write docs/idle.md: what the bundled models do in ten minutes of silence.

    python benchmarks/idle.py SHARED_DATA

The sound is a room's noise at -70 dB. Spread and speed of pitch, yaw and roll are those of ``benchmarks/head.py`` (root
mean squares in windows of three seconds, below 5 Hz), of the ten minutes and of the same model in five minutes of
speech (unseen sentences of GRID's speaker 1, one after another). *Recorded* are people who talk, the clips that
``benchmarks/head.py`` compares, the mean over speakers; no recording of people who are silent is there. *From the
reference* is the largest distance of a 10-second mean of the three angles from the reference, in the first and in the
last five minutes: a head that leaves would have a larger one in the latter. The opening is that of the mouth over the
distance of the outer eye corners, with the control `close_silence` in parentheses. Blinks are counted by the metric
`blink`, without a control and with `blink_at_pauses` at 15 per minute.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import head  # pyright: ignore[reportMissingImports]
import models  # pyright: ignore[reportMissingImports]
import numpy as np
import torch

import headmotion as hm
from headmotion.controls.control import ControlContext
from headmotion.controls.head_pose import HeadModel
from headmotion.core.interfaces.metric import MetricInput
from headmotion.core.interfaces.specs import BuildContext
from headmotion.data.corpus import open_corpus
from headmotion.metrics.mouth_opening import opening_curve
from headmotion.metrics.pose_curves import head_curves
from headmotion.metrics.signals import Signal, windowed_stats
from headmotion.metrics.specs import BlinkSpec

PAGE = Path(__file__).parent.parent / "docs" / "idle.md"
MODELS, MINUTES, NOISE_DB, PER_MINUTE = ("causal-flow", "ms-sync"), 10, -70, 15
ANGLES, MEAN_FRAMES = ("pitch", "yaw", "roll"), 250


def angles(pipe: hm.Pipeline, motion: hm.Motion) -> Signal:
    """Return pitch, yaw and roll from the reference in degrees, ``[T, 3]``."""
    assert motion.reference is not None
    model = HeadModel(ControlContext(pipe.representation, motion.reference, motion.fps), "idle benchmark")
    return np.degrees(head_curves(model, motion.values, 1.0)[:, :3])


def spread_and_speed(curves: Signal) -> list[str]:
    """Return spread (degrees) and speed (degrees per second) of each angle."""
    stats = windowed_stats(head.smooth(curves))
    return [f"{spread:.1f} / {speed * head.FPS:.1f}" for spread, speed in zip(stats.std, stats.speed, strict=True)]


def recorded(pipe: hm.Pipeline, shared: Path) -> list[str]:
    """Return spread and speed of people who talk."""
    clips, per_second = list(head.compared(pipe, shared)), np.degrees(1) * head.FPS
    spread, speed = ([head.by_speaker(clips, k, name)[:, 0].mean() for k in range(3)] for name in ("std", "speed"))
    return [f"{np.degrees(a):.1f} / {per_second * b:.1f}" for a, b in zip(spread, speed, strict=True)]


def blinks(pipe: hm.Pipeline, motion: hm.Motion) -> float:
    """Return blinks per minute."""
    metric = BlinkSpec().build(BuildContext(pipe.representation, 0))
    return metric.figures([metric.observe(MetricInput("idle", motion))]).values["blinks_per_minute"]


def row(pipe: hm.Pipeline, silence: np.ndarray, speech: np.ndarray) -> tuple[list[str], list[str]]:
    """Return the cells of a model: its head in silence and in speech, and what else it does in silence."""
    idle = pipe.generate((silence, head.RATE))
    curves = angles(pipe, idle)
    kernel = np.ones(MEAN_FRAMES) / MEAN_FRAMES
    means = np.stack([np.convolve(curve, kernel, "valid") for curve in curves.T], axis=1)
    furthest = [np.linalg.norm(half, axis=1).max() for half in np.array_split(means, 2)]
    controls = [hm.controls.close_silence(), hm.controls.blink_at_pauses(PER_MINUTE)]
    controlled = pipe.generate((silence, head.RATE), controls=controls)
    opening = [opening_curve(pipe.representation, motion.values)[50:].mean() for motion in (idle, controlled)]
    heads = [*spread_and_speed(curves), *spread_and_speed(angles(pipe, pipe.generate((speech, head.RATE))))]
    others = [f"{furthest[0]:.1f} / {furthest[1]:.1f}", f"{opening[0]:.3f} ({opening[1]:.3f})"]
    return heads, [*others, f"{blinks(pipe, idle):.1f}", f"{blinks(pipe, controlled):.1f}"]


READING = """\
## How to read it

- `causal-flow` moves its head in silence about as far and as fast as in speech, and does not leave the reference. It
  blinks by itself about as often as people at rest, so a control's blinks come on top.
- `ms-sync` turns its head to the side and holds it there, without a blink: add blinks, and `hold_pose` while nobody
  speaks.
- Whether people who are silent move as much as people who talk is not measured. `head_amount` and `scale_head` calm
  the head.
"""


def main(shared: Path) -> None:
    """Measure and write the page."""
    pipes = {name: hm.load(name, device="cpu") for name in MODELS}
    noise = np.random.default_rng(0).standard_normal(MINUTES * 60 * head.RATE)
    silence = (10 ** (NOISE_DB / 20) * noise).astype(np.float32)
    speech = np.concatenate([clip.audio for clip in open_corpus(shared / "grid_s1").select(split="val")])
    rows = {name: row(pipe, silence, speech) for name, pipe in pipes.items()}
    lines = ["# Idle motion measured", "", "Made by `python benchmarks/idle.py SHARED_DATA`.", ""]
    titles = [f"{axis}, {sound}" for sound in ("silence", "speech") for axis in ANGLES]
    lines += [f"| spread, degrees / speed, degrees per second | {' | '.join(titles)} |", "|---" * 7 + "|"]
    lines += [f"| `{name}` | {' | '.join(heads)} |" for name, (heads, _) in rows.items()]
    lines += [f"| recorded, people who talk | | | | {' | '.join(recorded(pipes[MODELS[0]], shared))} |", ""]
    others = "from the reference, first / last half, degrees", "mouth", "blinks per minute", "with the control"
    lines += [f"| {MINUTES} minutes of silence | {' | '.join(others)} |", "|---" * 5 + "|"]
    lines += [f"| `{name}` | {' | '.join(cells)} |" for name, (_, cells) in rows.items()]
    lines += ["", READING, "## How it is measured", "", models.protocol(sys.modules[__name__]), ""]
    PAGE.write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    torch.set_num_threads(1)
    main(parser.parse_args().shared)
