# ruff: noqa: RUF001  (IPA has letters that look like others)
"""Speech by espeak-ng with the time of every phoneme.

The library comes from the extra ``espeak`` (package ``espeakng-loader``) or from the system. It is licensed under GPL 3
and runs as a program of its own; what it speaks is not covered by its license.
"""

from __future__ import annotations

import json
import subprocess
import sys
from ctypes.util import find_library
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ....core.errors import CorpusError

REMEDY = "pip install 'headmotion[espeak]', or apt-get install espeak-ng"
PROGRAM = Path(__file__).with_name("espeak_process.py")
TIMEOUT_SECONDS = 60
MIN_AMPLITUDE = 2 / 32768
"""Below this a sample is digital silence."""
MAX_CLOSURE_SECONDS = 0.12
STRESS = "ˈˌ"
STOPS = "ptkbdɡgcɟ"


@dataclass(frozen=True)
class EspeakVoice:
    """A voice of espeak-ng and its parameters."""

    name: str
    """Language and variant, such as ``en-us+f3``."""
    words_per_minute: int = 160
    pitch: int = 50
    """0 to 100."""
    range: int = 50
    """Range of the melody, 0 to 100."""


@dataclass(frozen=True)
class Phoneme:
    """A sound and its time. An empty symbol is a pause."""

    symbol: str
    """In IPA, with its stress mark."""
    start: float
    """Seconds."""
    onset: float
    """Time at which it becomes audible: a stop begins with silence, its closure. ``start`` for most others."""
    end: float


@dataclass(frozen=True, eq=False)
class Utterance:
    """Synthesized speech."""

    samples: npt.NDArray[np.float32]
    """``[S]`` in -1..1."""
    sample_rate: int
    phonemes: tuple[Phoneme, ...]
    version: str
    """Version of espeak-ng."""


def synthesize(text: str, voice: EspeakVoice) -> Utterance:
    """Return spoken text; the same text and voice give the same samples on one machine.

    Raises:
        CorpusError: espeak-ng is not installed, does not know the voice, or fails.
    """
    library, data = _library()
    request = {"library": library, "data": data, "text": text, **asdict(voice)}
    # Isolated and without site packages: the program needs none, and starts faster.
    command = [sys.executable, "-I", "-S", str(PROGRAM)]
    try:
        result = subprocess.run(
            command, input=json.dumps(request).encode(), capture_output=True, timeout=TIMEOUT_SECONDS, check=True
        )
        head, _, sound = result.stdout.partition(b"\n")
        answer = json.loads(head)
    except (OSError, ValueError, subprocess.SubprocessError):
        raise CorpusError("espeak-ng", "speech", f"none: its process failed with {library}", REMEDY) from None
    if "error" in answer:
        remedy = REMEDY if "data" in answer["error"] else "voices are such as en-us, de, fr+f3, cmn"
        raise CorpusError("espeak-ng", f"the voice {voice.name}", answer["error"], remedy)
    samples = np.frombuffer(sound, dtype="<i2").astype(np.float32) / np.float32(32768)
    if not len(samples):
        raise CorpusError("espeak-ng", "speech", f"none for {text!r}")
    return Utterance(samples, answer["rate"], _phonemes(answer["phonemes"], samples, answer["rate"]), answer["version"])


@cache
def _library() -> tuple[str, str | None]:
    """Return the file of the library, and the folder of its data or None for the usual one."""
    try:
        import espeakng_loader  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        library = find_library("espeak-ng") or find_library("libespeak-ng")  # the second on Windows
        if library is None:
            raise CorpusError("espeak-ng", "the speech synthesizer espeak-ng", "none installed", REMEDY) from None
        return library, None
    return str(espeakng_loader.get_library_path()), str(espeakng_loader.get_data_path())


def _phonemes(events: list[tuple[int, str]], samples: npt.NDArray[np.float32], rate: int) -> tuple[Phoneme, ...]:
    """Return events as intervals. A stop is reported at its burst; it begins with the silence before that."""
    onsets = [min(sample, len(samples)) for sample, _ in events]
    starts = list(onsets)
    for k, (_, symbol) in enumerate(events):
        if symbol.strip(STRESS)[:1] in tuple(STOPS):
            earliest = max(onsets[k] - round(MAX_CLOSURE_SECONDS * rate), onsets[k - 1] if k else 0)
            loud = np.flatnonzero(np.abs(samples[earliest : onsets[k]]) > MIN_AMPLITUDE)
            starts[k] = earliest + (int(loud[-1]) + 1 if len(loud) else 0)
    ends = [*starts[1:], len(samples)]
    return tuple(
        Phoneme(symbol, start / rate, onset / rate, end / rate)
        for (_, symbol), start, onset, end in zip(events, starts, onsets, ends, strict=True)
        if end > start
    )
