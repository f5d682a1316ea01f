"""Write docs/synchrony.md: synchrony, lips, timing and heads of the bundled models, and of the recordings.

    python benchmarks/synchrony.py SHARED_DATA

Each clip is generated from its speech and its first frame. AV-Conf and AV-Offset are those of the metric `av-sync` at
its four levels, by `metric-syncers`, which guided no model; *other speech* is the recorded motion with the speech of
another clip, as little as a judge can find. On other speakers the judge itself is weak at the coarser levels
([metric syncers](metric-syncers.md)). The lip error is the metric `lip-vertex-error`, in hundredths of the distance of
the outer eye corners, of heads held still in the pose of the first frame (control `scale_head`); *still* is the first
frame throughout. Means over clips have 95 % intervals (bootstrap).

Lead: by how much the opening of the mouth is ahead of the level of the speech (dB, of the 40 ms from a frame on). Both
are band-passed to 1..8 Hz; their correlation by lag is averaged over clips, and the lead is the vertex of the parabola
through its largest value and the neighbors. In the same way, *late* is by how much the generated opening is later than
the recorded one. On unseen speakers some of the recordings are two frames off themselves.

The Fréchet distance is that between Gaussians of the heads' poses (pitch, yaw, roll around their means in a clip) and
their speeds, generated and recorded, each axis in standard deviations of the recorded one, of the clips that
``benchmarks/head.py`` compares. *Halves* is the distance of one half of the recorded clips from the other half: less
cannot be expected.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import head  # pyright: ignore[reportMissingImports]
import models  # pyright: ignore[reportMissingImports]
import mouth  # pyright: ignore[reportMissingImports]
import numpy as np
import torch

import headmotion as hm
from headmotion.core.interfaces.metric import MetricInput, Observation
from headmotion.core.interfaces.specs import BuildContext
from headmotion.data.clip import Clip
from headmotion.metrics.frechet import Gaussian, frechet_distance
from headmotion.metrics.mouth_opening import opening_curve
from headmotion.metrics.signals import Signal
from headmotion.metrics.specs import AVSyncSpec, LipErrorSpec
from headmotion.sync.av_offset import best_shift

PAGE = Path(__file__).parent.parent / "docs" / "synchrony.md"
MODELS = ("causal-flow", "ms-sync")
SETS = ("GRID speaker 1, unseen sentences", "unseen speakers")
RECORDED, OTHER, STILL = "recordings", "recordings, other speech", "still"
JUDGE = AVSyncSpec()
FPS, FRAME_MS, LAGS = Fraction(25), 40, range(-5, 6)


def motions(clips: list[Clip], pipes: dict[str, hm.Pipeline]) -> dict[str, list[hm.Motion]]:
    """Return the motion of every clip by source, of two dimensions and as long as the recorded one."""
    spec = {"type": "landmarks68", "dims": 2}
    recorded = [hm.Motion(torch.from_numpy(clip.landmarks[..., :2].copy()), FPS, spec) for clip in clips]
    sources = {RECORDED: recorded}
    sources[STILL] = [hm.Motion(m.values[:1].expand(len(m), -1, -1).clone(), FPS, spec) for m in recorded]
    for name, pipe in pipes.items():
        motions = [pipe.generate((clip.audio, head.RATE), clip.landmarks[:1]).values for clip in clips]
        sources[name] = [
            hm.Motion(values[: len(m), :, :2], FPS, spec) for values, m in zip(motions, recorded, strict=True)
        ]
    return sources


def synchrony(
    clips: list[Clip], sources: dict[str, list[hm.Motion]], context: BuildContext, judge: AVSyncSpec = JUDGE
) -> list[str]:
    """Return the table of AV-Conf and AV-Offset by level."""
    metric = judge.build(context)
    titles = [f"level {level} ({ms:g} ms)" for level, ms in enumerate(metric.frame_ms)]
    lines = [f"| confidence / size of offset, frames | {' | '.join(titles)} |", "|---" * (len(titles) + 1) + "|"]
    rows = {name: (sources[name], clips) for name in sources if name != STILL}
    rows[OTHER] = (sources[RECORDED], [*clips[1:], clips[0]])
    for name, (motions, speech) in rows.items():
        pairs = zip(motions, speech, strict=True)
        inputs = [MetricInput(c.id, m, audio=hm.Audio(np.resize(c.audio, 640 * len(m)), head.RATE)) for m, c in pairs]
        observed = metric.observe_batch(inputs)
        lines.append(f"| {name} | {' | '.join(_level(observed, f'level{k}') for k in range(len(titles)))} |")
    return lines


def _level(observed: Sequence[Observation], level: str) -> str:
    shifts = [best_shift(observation[level]) for observation in observed if level in observation]
    confidence, offset = ([float(value) for value in values] for values in list(zip(*shifts, strict=True))[::-2])
    return f"{_mean(confidence)} / {np.abs(offset).mean():.1f}"


def _mean(values: Sequence[float], factor: float = 1.0) -> str:
    return models.with_interval({k: factor * v for k, v in mouth.interval(list(values)).items()}, "mean")


def lip_errors(sources: dict[str, list[hm.Motion]], context: BuildContext) -> list[str]:
    """Return the lip vertex error of every source but the recordings."""
    metric, hold, cells = LipErrorSpec().build(context), hm.controls.ScaleHead(0.0), []
    held = {name: [hold(motion) for motion in motions] for name, motions in sources.items()}
    for name, motions in held.items():
        pairs = zip(motions, held[RECORDED], strict=True)
        errors = [float(metric.observe(MetricInput(name, m, real=real))["error"]) for m, real in pairs]
        if name != RECORDED:
            cells.append(f"{name} {_mean(errors, 100)}")
    return [f"Lip error: {', '.join(cells)}.", ""]


def timing(clips: list[Clip], sources: dict[str, list[hm.Motion]], pipe: hm.Pipeline) -> list[str]:
    """Return the table of how far the mouth is ahead of the sound, and later than the recorded one."""
    lines = ["| | lead over the sound, ms | later than recorded, ms |", "|---|---|---|"]
    levels = [mouth.banded(mouth.loudness(clip)) for clip in clips]
    curves = {
        name: [mouth.banded(opening_curve(pipe.representation, motion.values)) for motion in motions]
        for name, motions in sources.items()
        if name != STILL
    }
    for name, openings in curves.items():
        ahead = [correlations(opening, level) for opening, level in zip(openings, levels, strict=True)]
        late = [correlations(real, opening) for real, opening in zip(curves[RECORDED], openings, strict=True)]
        lines.append(
            f"| {name} | {_bootstrap(lead_ms, ahead)} | {_bootstrap(lead_ms, late) if name in MODELS else ''} |"
        )
    return [*lines, ""]


def correlations(first: Signal, second: Signal) -> Signal:
    """Return the correlation of a signal with another one so many frames later, by lag."""
    count = min(len(first), len(second))
    parts = [(first[max(0, -k) : count - max(0, k)], second[max(0, k) : count - max(0, -k)]) for k in LAGS]
    return np.array([np.corrcoef(left, right)[0, 1] for left, right in parts])


def lead_ms(rows: Signal) -> float:
    """Return the lag (ms) of the largest mean correlation."""
    mean = rows.mean(0)
    top = int(np.clip(np.argmax(mean), 1, len(mean) - 2))
    before, best, after = mean[top - 1 : top + 2]
    return float(FRAME_MS * (LAGS[top] + (before - after) / (2 * (before - 2 * best + after))))


def _bootstrap(figure: Callable[[Signal], float], rows: Sequence[Signal]) -> str:
    values, rng = np.array(rows), np.random.default_rng(0)
    draws = [figure(values[rng.integers(0, len(values), len(values))]) for _ in range(500)]
    low, high = np.percentile(draws, [2.5, 97.5])
    return f"{figure(values):.0f} ({low:.0f} to {high:.0f})"


def head_distances(pipes: dict[str, hm.Pipeline], shared: Path) -> list[str]:
    """Return the Fréchet distances of head motion."""
    cells = []
    for name, pipe in pipes.items():
        clips = list(head.compared(pipe, shared))
        cells.append(f"`{name}` {head_distance(clips):.2f}")
    real = [_head_features(clip.real) for clip in clips]
    cells.append(f"halves of the recordings {_distance(real[::2], real[1::2]):.2f}")
    return [f"{', '.join(cells)}; {len(real)} clips.", ""]


def head_distance(clips: list[head.HeadMotion]) -> float:
    """Return the Fréchet distance of generated head motion from the recorded one."""
    real, generated = ([_head_features(getattr(clip, side)) for clip in clips] for side in ("real", "generated"))
    return _distance(real, generated)


def _head_features(poses: Signal) -> Signal:
    """Return pitch, yaw and roll around their means, and their speeds, ``[T - 1, 6]``."""
    angles = poses[:, :3] - poses[:, :3].mean(0)
    return np.concatenate([angles[1:], np.diff(angles, axis=0)], axis=1)


def _distance(real: list[Signal], generated: list[Signal]) -> float:
    scale = np.concatenate(real).std(0)
    fitted = (Gaussian.fit(torch.from_numpy(np.concatenate(side) / scale)) for side in (real, generated))
    return frechet_distance(*fitted)


READING = """\
## How to read it

- A judge may prefer a model to the recordings. `metric-syncers` was trained on few faces, and on unseen speakers it
  matches the typical motion of a model more easily than that of a person: confidence above that of the recordings does
  not mean better motion, and the order of the two models by confidence is not that by lip error or by
  [correlation](systems.md).
- For the known speaker, both models open the mouth when he does: *late* is about zero, and the lead is his own. A
  frame's level is that of the 40 ms after it, so a lead somewhat below zero means that mouth and sound move together.
- On unseen speakers the recorded mouths lead by more than those of the models. How much of this is due to the speakers
  is not known: the sound of some of these recordings is late by two frames.
- On unseen speakers a mouth that does not move has about the lip error of one that speaks. Much of the error is
  expression, such as a smile that comes and goes, and a mouth that is open in the reference, which models close.
- How far and fast the head of `causal-flow` moves was chosen on these clips, so its Fréchet distance is not that of
  unseen data.
"""


def main(shared: Path) -> None:
    """Measure and write the page."""
    pipes = {name: hm.load(name, device="cpu") for name in MODELS}
    context = BuildContext(pipes[MODELS[0]].representation, 0)
    lines = ["# Synchrony measured", "", "Made by `python benchmarks/synchrony.py SHARED_DATA`.", ""]
    for title in SETS:
        clips = list(mouth.unseen(shared)[title])
        sources = motions(clips, pipes)
        lines += [f"## {title[0].upper()}{title[1:]}", "", f"{len(clips)} clips.", ""]
        lines += [*synchrony(clips, sources, context), "", *lip_errors(sources, context)]
        lines += timing(clips, sources, pipes[MODELS[0]])
    lines += ["## Heads: Fréchet distance", "", *head_distances(pipes, shared)]
    lines += [READING, "## How it is measured", "", models.protocol(sys.modules[__name__]), ""]
    PAGE.write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    torch.set_num_threads(1)
    main(parser.parse_args().shared)
