"""Whether blinks come at ends of phrases: share of blinks near one, against chance.

    python benchmarks/blinks.py SHARED_DATA

Speech is that of the recorded clips of at least five seconds, one after another, without any further pause. A phrase
ends where the level of 10 ms, averaged over 50 ms, falls to 30 dB below the clip's 99th percentile and stays there
for 250 ms; this is decided on the whole clip, not by the detector that the control has. A blink is near if it begins
within 300 ms of an end, before or after. Chance is the share of all time that is near. Means over twenty seeds.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

import headmotion as hm
from headmotion.data.corpus import open_corpus

RATE, FPS, SEEDS, PER_MINUTE = 16_000, 25, 20, 15
MIN_SECONDS, BELOW_DB, PAUSE_S, NEAR_S = 5, 30, 0.25, 0.3
HOP = RATE // 100
PAGE = Path(__file__).parent.parent / "docs" / "blinks.md"


def phrase_ends(wave: np.ndarray) -> np.ndarray:
    """Return the times (s) at which phrases end in a clip."""
    power = np.square(wave[: len(wave) // HOP * HOP].reshape(-1, HOP).astype(np.float64)).mean(1)
    level = 10 * np.log10(np.convolve(power, np.ones(5) / 5, "same") + 1e-12)
    loud = level > np.percentile(level, 99) - BELOW_DB
    pause = round(100 * PAUSE_S)
    ends = [k for k in range(1, len(loud) - pause) if loud[k - 1] and not loud[k : k + pause].any()]
    return np.array(ends) / 100


def blink_times(pipe: hm.Pipeline, motion: hm.Motion) -> np.ndarray:
    """Return the times (s) at which eyes begin to close."""
    eyes = {name: pairs for name, pairs in pipe.representation.openings.items() if name.endswith("eye")}
    upper, lower = zip(*next(iter(eyes.values())), strict=True)
    gap = (motion.values[:, list(upper)] - motion.values[:, list(lower)]).norm(dim=-1).mean(1)
    closing = (gap < 0.999 * gap[0]).numpy()
    return np.flatnonzero(closing[1:] & ~closing[:-1]) / FPS


def main(shared: Path) -> None:
    """Measure and write the page."""
    pipe = hm.load("causal-flow", device="cpu")
    waves = [clip.audio for clip in open_corpus(shared / "clips") if len(clip.audio) >= MIN_SECONDS * RATE]
    starts = np.cumsum([0, *map(len, waves)]) / RATE
    ends = np.concatenate([start + phrase_ends(wave) for start, wave in zip(starts, waves, strict=False)])
    speech = np.concatenate(waves)
    frames = len(speech) * FPS // RATE
    pose = pipe.representation.neutral()
    still = hm.Motion(pose.expand(frames, -1, -1), Fraction(FPS), pipe.representation.spec.model_dump(mode="json"))
    near = np.abs(np.arange(frames)[:, None] / FPS - ends).min(1) <= NEAR_S
    lines = ["# Blinks measured", "", "Made by `python benchmarks/blinks.py SHARED_DATA`.", ""]
    about = f"{starts[-1]:.0f} s of speech of {len(waves)} clips, {len(ends)} ends of phrases"
    lines += [f"{about}; {PER_MINUTE} blinks per minute are asked for.", ""]
    lines += ["| control | near an end of a phrase | chance | blinks per minute |", "|---|---|---|---|"]
    controls = {"blink": hm.controls.Blink, "blink_at_pauses": hm.controls.BlinkAtPauses}
    for name, control in controls.items():
        times = [blink_times(pipe, control(PER_MINUTE, seed)(still, speech, RATE)) for seed in range(SEEDS)]
        share = np.mean([(np.abs(t[:, None] - ends).min(1) <= NEAR_S).mean() for t in times])
        rate = np.mean([len(t) for t in times]) / starts[-1] * 60
        lines.append(f"| `{name}` | {share:.2f} | {near.mean():.2f} | {rate:.1f} |")
    lines += ["", "## How it is measured", "", (__doc__ or "").split("\n\n", 2)[2].strip()]
    PAGE.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("shared", type=Path)
    torch.set_num_threads(1)
    main(parser.parse_args().shared)
