"""Mouth shapes over time as WebVTT cues, estimated from the motion alone.

The six shapes are those of hand-drawn animation, with the letters of Rhubarb Lip Sync; they are not phonemes. Each
frame takes the shape that is nearest in opening and width of the mouth. Targets are those of the synthetic speakers
(`headmotion.data.synthetic.espeak.visemes`); the widest vowel opens the lips by about a fifth of the distance of the
eyes' outer corners, as in the synthetic speakers and in recorded clips.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.errors import MotionError
from ..core.files import write_text
from ..core.interfaces.representation import Representation
from ..core.motion import Motion

SHAPES = {
    "A": (0.0, 0.0, "closed, as in m, b, p and silence"),
    "B": (0.28, 0.05, "slightly open, as in s, t, k and ee"),
    "C": (0.62, 0.03, "open, as in e"),
    "D": (0.95, 0.03, "wide open, as in a"),
    "E": (0.6, -0.13, "open and rounded, as in o"),
    "F": (0.27, -0.2, "puckered, as in oo and w"),
}
"""Opening (1: the widest vowel), width (relative to rest) and description of each shape."""
WIDEST_OPENING = 0.2
"""Opening of the lips in the widest vowel, in distances of the representation's ``scale_pair``."""
CLOSED_PERCENT = 5.0
"""Percentile of the frames' openings that counts as closed, where the reference's mouth is open further."""
CLOSED = "A"
MIN_CUE_S = Fraction(2, 25)
"""Shortest cue (s): faster changes are invisible, and few programs show them."""
WIDTH_WEIGHT = 2.5
"""Weight of a difference of width relative to one of opening, which has four times its range."""


def write_vtt(motion: Motion, representation: Representation, path: Path) -> None:
    """Write a cue for each run of frames with the same shape, none shorter than `MIN_CUE_S`.

    Raises:
        MotionError: the representation has no mouth with an opening and lips.
    """
    letters = mouth_shapes(motion, representation)
    note = [f"{letter}: {meaning}" for letter, (_, _, meaning) in SHAPES.items()]
    blocks = ["WEBVTT", "\n".join(["NOTE", "Mouth shapes estimated from opening and width of the lips", *note])]
    first = 0
    for letter, frames in cues(letters, math.ceil(MIN_CUE_S * motion.fps)):
        end = first + frames
        blocks.append(f"{clock(first / motion.fps)} --> {clock(end / motion.fps)}\n{letter}")
        first = end
    write_text(path, "\n\n".join(blocks) + "\n")


def cues(letters: Sequence[str], least: int) -> list[tuple[str, int]]:
    """Return runs of one letter as ``(letter, frames)``, none shorter than ``least`` frames if there are as many.

    Short runs that follow each other become one of the letter that most frames have. A closed mouth is kept, because it
    is how m, b and p are recognized: it takes the frames that it lacks from the run that follows.
    """
    runs: list[tuple[str, int]] = []
    short: list[str] = []
    for letter, group in groupby(letters):
        frames = len(list(group))
        if frames < least:
            short += [letter] * frames
            if len(short) >= least:
                runs.append((CLOSED if CLOSED in short else max(short, key=short.count), len(short)))
                short = []
            continue
        missing = least - len(short)
        if CLOSED in short and frames - missing >= least:
            runs.append((CLOSED, least))
            frames -= missing
        elif short and runs:
            runs.append((runs[-1][0], len(short)))
        else:
            frames += len(short)
        short = []
        runs.append((letter, frames))
    if short:
        runs.append((runs[-1][0] if runs else max(short, key=short.count), len(short)))
    return [(letter, sum(frames for _, frames in group)) for letter, group in groupby(runs, key=itemgetter(0))]


def mouth_shapes(motion: Motion, representation: Representation) -> list[str]:
    """Return the letter of each frame.

    Raises:
        MotionError: the representation has no mouth with an opening and lips.
    """
    pairs, lips = representation.openings.get("mouth"), representation.groups.get("lips")
    if not pairs or not lips:
        raise MotionError("vtt export", "a representation with a mouth", f"a motion of {representation.name}")
    scale, corners = representation.scale_pair, _corners(representation, lips)
    opening, width = _measure(representation.to_points2d(motion.values).cpu(), pairs, corners, scale)
    closed_opening, resting_width = 0.0, float(np.median(width))
    if motion.reference is not None:
        reference = representation.to_points2d(motion.reference[None]).cpu()
        closed_opening, resting_width = (float(value[0]) for value in _measure(reference, pairs, corners, scale))
    resting_width = max(resting_width, 1e-9)
    # Who smiles in the reference shows teeth between words, too, so that counts as closed unless frames close further.
    closed_opening = min(closed_opening, float(np.percentile(opening, CLOSED_PERCENT)))
    relative_width = width / resting_width - 1
    measured = np.stack([(opening - closed_opening) / WIDEST_OPENING, WIDTH_WEIGHT * relative_width], axis=-1)
    targets = np.array([(target, WIDTH_WEIGHT * target_width) for target, target_width, _ in SHAPES.values()])
    nearest = np.linalg.norm(measured[:, None] - targets, axis=-1).argmin(axis=1)
    return [list(SHAPES)[k] for k in nearest]


def clock(stamp: Fraction) -> str:
    """Return exact seconds as WebVTT writes them, to the nearest millisecond."""
    seconds, milliseconds = divmod(round(stamp * 1000), 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"


def _corners(representation: Representation, lips: tuple[int, ...]) -> tuple[int, int]:
    """Return the two points of the lips that are farthest apart at rest."""
    points = representation.to_points2d(representation.neutral()).double()[list(lips)]
    left, right = divmod(int(torch.cdist(points, points).argmax()), len(lips))
    return lips[left], lips[right]


def _measure(
    points: Tensor, pairs: tuple[tuple[int, int], ...], corners: tuple[int, int], scale_pair: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return opening and width ``[T]`` of mouths ``[T, P, 2]``, in distances of the scale pair."""

    def distance(a: int, b: int) -> NDArray[np.float64]:
        return np.asarray((points[:, a] - points[:, b]).double().norm(dim=-1).numpy())

    # Relative to the face, so that neither its size nor the units of the motion matter.
    size = np.maximum(distance(*scale_pair), 1e-9)
    return np.mean([distance(*pair) for pair in pairs], axis=0) / size, distance(*corners) / size
