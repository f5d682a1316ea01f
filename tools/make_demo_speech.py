"""Make the bundled speech headmotion/assets/speech.flac with the synthesizer espeak-ng (Debian package espeak-ng)."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

SENTENCES = (
    "Hello, I am a single still picture.",
    "My voice moves the lips and the head.",
    "When I pause, the mouth stays closed.",
)
VOICE = ("-v", "en-us+f3", "-s", "160", "-g", "2")
"""American English, third female variant, 160 words per minute, 20 ms more between words."""
LEAD_SECONDS, PAUSE_SECONDS, TAIL_SECONDS = 0.25, 0.6, 0.6
PEAK = 0.6
TARGET = Path(__file__).parents[1] / "headmotion/assets/speech.flac"


def synthesize(sentence: str) -> tuple[np.ndarray, int]:
    """Return a sentence as samples and their rate, without the silence around it."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as wave:
        subprocess.run(["espeak-ng", *VOICE, "-w", wave.name, sentence], check=True)
        samples, rate = soundfile.read(wave.name)
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    return samples[loud[0] : loud[-1] + 1], rate


def main() -> None:
    """Write the sentences with silence before, between and after them, as 16-bit mono FLAC."""
    utterances = [synthesize(sentence) for sentence in SENTENCES]
    rate = utterances[0][1]
    silences = [LEAD_SECONDS, *[PAUSE_SECONDS] * (len(utterances) - 1), TAIL_SECONDS]
    parts = [np.zeros(round(silences[0] * rate))]
    for (samples, _), seconds in zip(utterances, silences[1:], strict=True):
        parts += [samples, np.zeros(round(seconds * rate))]
    speech = np.concatenate(parts)
    soundfile.write(TARGET, speech * (PEAK / np.abs(speech).max()), rate, subtype="PCM_16")
    print(f"{TARGET} ({len(speech) / rate:.2f} s, {rate} Hz)")


if __name__ == "__main__":
    main()
