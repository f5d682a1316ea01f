"""Write docs/odd-inputs.md: what the mouths of the bundled models do when the sound is not one clean voice.

    python benchmarks/odd_inputs.py SHARED_DATA

The voice is that of ten held-back sentences of GRID's speaker 1, from their first frames. Whisper: the same spectrum,
smoothed over 400 Hz, of noise. Shout: 20 dB louder and clipped, 17 % higher. Telephone: 300 to 3400 Hz at 8 kHz. Two
voices: with another sentence, as loud. Noise: white, as loud as the voice. Music: three chords of six partials, with a
beat. The correlation is that of the opening with the recorded one, as in ``benchmarks/mouth.py``; motion
is the standard deviation of the opening, and opening its mean, over those in the clean voice of the same model.

[What the mouth does](mouths.md) shows frames.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import models  # pyright: ignore[reportMissingImports]
import mouth  # pyright: ignore[reportMissingImports]
import numpy as np
import soxr  # type: ignore[import-untyped]
import torch
from scipy.signal import butter, istft, sosfiltfilt, stft

import headmotion as hm
from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus
from headmotion.media.audio import Wave
from headmotion.metrics.mouth_opening import opening_curve
from headmotion.metrics.signals import Signal

PAGE = Path(__file__).parent.parent / "docs" / "odd-inputs.md"
MODELS, SENTENCES, RATE = ("causal-flow", "ms-sync"), 10, 16_000
Sound = tuple[Wave, int]
"""Samples and their rate."""


def whispered(wave: Wave) -> Sound:
    """Return noise with the spectrum of a voice, so that nothing is voiced."""
    _, _, spectrum = stft(wave, RATE, nperseg=400, noverlap=300)
    bins = 10  # of 40 Hz
    smooth = np.apply_along_axis(np.convolve, 0, np.abs(spectrum), np.ones(bins) / bins, "same")
    phase = np.random.default_rng(0).uniform(-np.pi, np.pi, smooth.shape)
    return istft(smooth * np.exp(1j * phase), RATE, nperseg=400, noverlap=300)[1][: len(wave)].astype(np.float32), RATE


def shouted(wave: Wave) -> Sound:
    """Return a loud, clipped and higher voice; it takes as long as the original, frame by frame."""
    _, _, spectrum = stft(wave, RATE, nperseg=400, noverlap=300)
    sources = np.minimum(np.arange(len(spectrum)) * 6 // 7, len(spectrum) - 1)
    higher = istft(spectrum[sources], RATE, nperseg=400, noverlap=300)[1][: len(wave)]
    return np.clip(10 * higher, -1, 1).astype(np.float32), RATE


def telephoned(wave: Wave) -> Sound:
    """Return what a telephone of 8 kHz passes."""
    band = sosfiltfilt(butter(4, (300, 3400), "bandpass", fs=RATE, output="sos"), wave)
    return np.asarray(soxr.resample(band, RATE, 8000), np.float32), 8000


def noisy(wave: Wave) -> Sound:
    """Return a voice in white noise of its own level."""
    noise = np.random.default_rng(1).standard_normal(len(wave)) * wave.std()
    return (wave + noise).astype(np.float32), RATE


def music(samples: int) -> Sound:
    """Return chords with a beat."""
    time = np.arange(samples) / RATE
    chords = np.array([(220, 277, 330), (196, 247, 294), (175, 220, 262)])[(time // 2).astype(int) % 3]
    tones = sum(np.sin(2 * np.pi * k * chords.T * time) / k for k in range(1, 7)).sum(0)
    beat = np.exp(-12 * (time % 0.5)) * np.random.default_rng(2).standard_normal(samples)
    return (0.04 * tones + 0.1 * beat).astype(np.float32), RATE


def inputs(clips: list[Clip]) -> Iterator[tuple[str, Callable[[int], Sound], bool]]:
    """Yield the name of each input, what gives it for a sentence, and whether it is that sentence's voice."""
    waves = [clip.audio for clip in clips]
    yield "clean voice", lambda k: (waves[k], RATE), True
    yield "whisper", lambda k: whispered(waves[k]), True
    yield "shout", lambda k: shouted(waves[k]), True
    yield "telephone", lambda k: telephoned(waves[k]), True
    yield "30 dB quieter", lambda k: (waves[k] * np.float32(10**-1.5), RATE), True
    yield "noise", lambda k: noisy(waves[k]), True
    yield "two voices", lambda k: (waves[k] + np.resize(waves[k - 1], len(waves[k])), RATE), True
    yield "music", lambda k: music(len(waves[k])), False
    yield "silence", lambda k: (np.zeros(len(waves[k]), np.float32), RATE), False


def openings(pipe: hm.Pipeline, clip: Clip, sound: Sound) -> Signal:
    """Return the generated opening ``[T]``, as long as the clip."""
    motion = pipe.generate(sound, clip.landmarks[:1])
    return opening_curve(pipe.representation, motion.values)[: len(clip.landmarks)]


def table(pipes: dict[str, hm.Pipeline], clips: list[Clip]) -> list[str]:
    """Return the table of all inputs and models."""
    head = "".join(f" `{name}`: correlation | motion | opening |" for name in pipes)
    lines, clean = [f"| input |{head}", "|---" * (1 + 3 * len(pipes)) + "|"], dict[str, Signal]()
    for title, sound, is_voice in inputs(clips):
        cells = []
        for name, pipe in pipes.items():
            curves = [openings(pipe, clip, sound(k)) for k, clip in enumerate(clips)]
            amounts = np.array([[curve.std(), curve.mean()] for curve in curves]).mean(0)
            motion, opening = amounts / clean.setdefault(name, amounts)
            cells.append(f"{_correlation(pipe, clips, curves) if is_voice else ''} | {motion:.2f} | {opening:.2f}")
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return lines


def _correlation(pipe: hm.Pipeline, clips: list[Clip], curves: list[Signal]) -> str:
    recorded = [opening_curve(pipe.representation, torch.from_numpy(clip.landmarks)) for clip in clips]
    scores = [mouth.band_correlation(curve, truth[: len(curve)]) for curve, truth in zip(curves, recorded, strict=True)]
    return models.with_interval(mouth.interval(scores), "mean")


def main(shared: Path) -> None:
    """Measure the models and write the page."""
    clips = list(open_corpus(shared / "grid_s1").select(split="val"))[:SENTENCES]
    pipes = {name: hm.load(name, device="cpu") for name in MODELS}
    lines = ["# Odd inputs", "", "Made by `python benchmarks/odd_inputs.py SHARED_DATA`.", "", *table(pipes, clips)]
    lines += ["", "## How it is measured", "", models.protocol(sys.modules[__name__]), ""]
    PAGE.write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    torch.set_num_threads(1)
    main(parser.parse_args().shared)
