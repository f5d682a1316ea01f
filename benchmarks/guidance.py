"""Write docs/guidance.md: what guidance does to the heads of `causal-flow`.

    python benchmarks/guidance.py SHARED_DATA

Due to speech is the share of the head's turns that is the same for all of 16 seeds, which only the speech can explain:
the variance over time of their mean, less what a mean of independent turns would have, over the variance of each; mean
over 20 unseen sentences of GRID's speaker 1. Spread and speed over recorded ones are means over pitch, yaw and roll, as
in ``benchmarks/head.py``, and the Fréchet distance of head motion is that of ``benchmarks/synchrony.py``.
"""

from __future__ import annotations

import argparse
import sys
from fractions import Fraction
from pathlib import Path

import head  # pyright: ignore[reportMissingImports]
import models  # pyright: ignore[reportMissingImports]
import numpy as np
import synchrony  # pyright: ignore[reportMissingImports]
import torch

import headmotion as hm
from headmotion.controls.control import ControlContext
from headmotion.controls.head_pose import HeadModel
from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus
from headmotion.metrics.pose_curves import head_curves

PAGE = Path(__file__).parent.parent / "docs" / "guidance.md"
GUIDANCE = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
CLIPS, SEEDS = 20, 16
INTRODUCTION = """\
# Guidance

Made by `python benchmarks/guidance.py SHARED_DATA`.

`causal-flow` samples head, brows and eyes from how people move during similar speech. Guidance
(classifier-free, arXiv 2207.12598) changes how much of that is due to the speech: the flow also models how people move
whatever they say, and `guidance` is the factor of the difference.

    pipe = hm.load("causal-flow").with_generator(guidance=2)

Lips and jaw are not sampled, and do not change. Only a small share of a head's rotation is due to the speech. Guidance
above 1 increases it, but heads then move less and less like recorded ones; with 0 they do not depend on the speech.
"""
COLUMNS = ("guidance", "due to speech", "spread over recorded", "speed over recorded", "Fréchet distance")


def due_to_speech(pipe: hm.Pipeline, clips: list[Clip]) -> float:
    """Return the share of the variance of head turns that all seeds have in common, mean over clips and angles."""
    shares = []
    for clip in clips:
        reference = torch.from_numpy(clip.landmarks[:1, :, :2])
        model = HeadModel(ControlContext(pipe.representation, reference[0], Fraction(25)), "guidance benchmark")
        motions = [pipe.generate((clip.audio, head.RATE), reference, seed=seed).values for seed in range(SEEDS)]
        angles = np.stack([head_curves(model, motion, 1.0)[:, :3] for motion in motions])
        per_seed, common = angles.var(1).mean(0), angles.mean(0).var(0)
        # A mean of independent curves has 1/SEEDS of their variance.
        shares.append((common - per_seed / SEEDS) / (per_seed * (1 - 1 / SEEDS)))
    return float(np.mean(shares))


def row(guidance: float, shared: Path, clips: list[Clip]) -> str:
    """Return the line of the table for one setting."""
    pipe = hm.load("causal-flow", device="cpu").with_generator(guidance=guidance)
    compared = list(head.compared(pipe, shared))
    ratios = [
        np.mean([head.ratio(head.by_speaker(compared, axis, measure))["ratio"] for axis in range(3)])
        for measure in ("std", "speed")
    ]
    distance = synchrony.head_distance(compared)
    return f"| {guidance:g} | {due_to_speech(pipe, clips):.2f} | {ratios[0]:.2f} | {ratios[1]:.2f} | {distance:.2f} |"


def main(shared: Path) -> None:
    """Measure and write the page."""
    clips = list(open_corpus(shared / "grid_s1").select(split="val"))[:CLIPS]
    lines = [INTRODUCTION, f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    for guidance in GUIDANCE:
        lines.append(row(guidance, shared, clips))
        print(lines[-1], flush=True)
    lines += ["", "## How it is measured", "", models.protocol(sys.modules[__name__]), ""]
    PAGE.write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("shared", type=Path)
    torch.set_num_threads(1)
    main(parser.parse_args().shared)
