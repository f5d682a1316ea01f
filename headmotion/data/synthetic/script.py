"""The script of a synthetic utterance: phones, phrases and prosody, all random and all known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .curves import STEPS_PER_SECOND, Curve, smooth


@dataclass(frozen=True)
class Phone:
    """How a sound is produced, and what lips do for it."""

    name: str
    kind: str
    """``vowel``, ``stop``, ``fricative``, ``sonorant`` or ``silence``."""
    formants: tuple[float, float, float] = (500, 1500, 2500)
    """First three formants of an average man in Hz; vowels as measured by Peterson and Barney (1952)."""
    seconds: float = 0.07
    voice: float = 1.0
    """Amplitude of the glottal source."""
    noise: float = 0.0
    """Amplitude of friction or of the burst."""
    noise_hz: float = 3000
    noise_width_hz: float = 1500
    opening: float = 0.25
    """Lip opening, 1 for the widest vowel."""
    spread: float = 0.0
    """Mouth width relative to rest: positive spread, negative rounded."""
    hold: float = 0.4
    """How strongly the lips follow this phone rather than its neighbors (dominance of Cohen and Massaro 1993)."""
    closes: bool = False
    """Whether the lips must touch."""


PHONES = {
    phone.name: phone
    for phone in (
        Phone("sil", "silence", voice=0.0, opening=0.0, hold=1.0),
        Phone("iy", "vowel", (270, 2290, 3010), 0.11, opening=0.45, spread=0.13, hold=0.9),
        Phone("ih", "vowel", (390, 1990, 2550), 0.08, opening=0.55, spread=0.07, hold=0.7),
        Phone("eh", "vowel", (530, 1840, 2480), 0.10, opening=0.75, spread=0.06, hold=0.9),
        Phone("ae", "vowel", (660, 1720, 2410), 0.13, opening=0.95, spread=0.06, hold=1.0),
        Phone("ah", "vowel", (640, 1190, 2390), 0.08, opening=0.70, hold=0.7),
        Phone("aa", "vowel", (730, 1090, 2440), 0.13, opening=1.00, hold=1.0),
        Phone("ao", "vowel", (570, 840, 2410), 0.13, opening=0.75, spread=-0.12, hold=1.0),
        Phone("uh", "vowel", (440, 1020, 2240), 0.08, opening=0.45, spread=-0.10, hold=0.8),
        Phone("uw", "vowel", (300, 870, 2240), 0.11, opening=0.28, spread=-0.22, hold=1.0),
        Phone("er", "vowel", (490, 1350, 1690), 0.11, opening=0.45, spread=-0.08, hold=0.8),
        Phone("p", "stop", (300, 900, 2200), 0.10, 0.0, 0.5, 900, 900, 0.0, hold=1.2, closes=True),
        Phone("b", "stop", (250, 900, 2200), 0.08, 0.12, 0.3, 700, 700, 0.0, hold=1.2, closes=True),
        Phone("m", "sonorant", (250, 1000, 2200), 0.08, 0.35, opening=0.0, hold=1.2, closes=True),
        Phone("t", "stop", (300, 1800, 2700), 0.09, 0.0, 0.6, 4500, 1500, 0.30),
        Phone("d", "stop", (250, 1800, 2700), 0.07, 0.12, 0.35, 4000, 1500, 0.35),
        Phone("k", "stop", (300, 2000, 2400), 0.09, 0.0, 0.5, 2000, 700, 0.40, hold=0.3),
        Phone("g", "stop", (250, 2000, 2400), 0.07, 0.12, 0.3, 1900, 700, 0.40, hold=0.3),
        Phone("n", "sonorant", (280, 1700, 2600), 0.07, 0.35, opening=0.35, hold=0.3),
        Phone("l", "sonorant", (360, 1300, 2700), 0.06, 0.6, opening=0.45, hold=0.3),
        Phone("r", "sonorant", (310, 1060, 1380), 0.07, 0.6, opening=0.35, spread=-0.10, hold=0.6),
        Phone("w", "sonorant", (290, 610, 2150), 0.07, 0.5, opening=0.15, spread=-0.24, hold=1.1),
        Phone("f", "fricative", (300, 1100, 2100), 0.09, 0.0, 0.12, 5000, 3500, 0.06, hold=1.1),
        Phone("v", "fricative", (260, 1100, 2100), 0.07, 0.3, 0.06, 5000, 3500, 0.06, hold=1.0),
        Phone("s", "fricative", (300, 1700, 2600), 0.11, 0.0, 0.35, 6200, 1300, 0.25, 0.05, hold=0.6),
        Phone("z", "fricative", (260, 1700, 2600), 0.08, 0.25, 0.2, 6200, 1300, 0.25, 0.05, hold=0.6),
        Phone("sh", "fricative", (300, 1800, 2500), 0.11, 0.0, 0.4, 3200, 900, 0.30, -0.14, hold=0.9),
        Phone("h", "fricative", (500, 1500, 2500), 0.06, 0.0, 0.08, 1800, 1500, 0.45, hold=0.1),
    )
}

VOWELS = tuple(name for name, phone in PHONES.items() if phone.kind == "vowel")
CONSONANTS = tuple(name for name, phone in PHONES.items() if phone.kind not in ("vowel", "silence"))
FREQUENCY = np.array([6.0 if name in "tdnslrk" else 3.0 if name in "mbpwfvz" else 1.5 for name in CONSONANTS])


@dataclass(frozen=True)
class PhoneSegment:
    """One phone in time."""

    phone: Phone
    start: float
    """Seconds."""
    end: float
    """Seconds."""
    stress: float = 0.0
    """0..1; above 0 in accented syllables."""
    phrase: int = -1
    """Number of the phrase; -1 in silence."""


@dataclass(frozen=True, eq=False)
class Script:
    """Segments that fill an utterance, and the curves ``[N]`` (200 steps per second) that follow from them."""

    segments: tuple[PhoneSegment, ...]
    seconds: float
    index: npt.NDArray[np.intp]
    """Number of the segment at each step."""
    accent: Curve
    """Bumps of height ``stress`` on accented vowels, about 0.3 s wide."""
    phrase: Curve
    """Falls from 1 to -1 through each phrase, 0 between phrases; smooth over about 0.3 s."""
    pitch: Curve
    """Semitones above the speaker's base: declination, accents, final fall or rise."""

    def steps(self, values: list[float]) -> Curve:
        """Return a curve ``[N]`` that holds one value per segment."""
        return np.asarray(values, dtype=np.float64)[self.index]


def write_script(rng: np.random.Generator, seconds: float, syllables_per_second: float) -> Script:
    """Return random phrases of 0.8 to 2.4 s with pauses between, and silence at both ends.

    Args:
        rng: source of randomness.
        seconds: duration of the utterance.
        syllables_per_second: mean rate of speech.
    """
    margin = min(0.5, 0.25 * seconds)
    segments: list[PhoneSegment] = [PhoneSegment(PHONES["sil"], 0.0, rng.uniform(0.15, margin))]
    end = seconds - rng.uniform(0.15, margin)
    phrase = 0
    # Less than 0.3 s has no room for a syllable and a pause.
    while end - segments[-1].end > 0.3:
        # The last phrase takes what is left, if that is too short for another one.
        stop = segments[-1].end + rng.uniform(0.8, 2.4)
        segments += _phrase(rng, segments[-1].end, end if end - stop < 0.7 else stop, phrase, syllables_per_second)
        segments.append(PhoneSegment(PHONES["sil"], segments[-1].end, segments[-1].end + rng.uniform(0.15, 0.6)))
        phrase += 1
    segments[-1] = PhoneSegment(PHONES["sil"], segments[-1].start, seconds)
    return _with_curves(rng, tuple(segments), seconds)


def _phrase(rng: np.random.Generator, start: float, stop: float, phrase: int, rate: float) -> list[PhoneSegment]:
    """Return random syllables that fill a phrase, stretched to its duration."""
    phones: list[tuple[str, float, float]] = []
    begin = start
    while not phones or begin < stop - 0.6 / rate:
        stress = float(rng.uniform(0.5, 1.0)) if not phones or rng.random() < 0.3 else 0.0
        for name in _syllable(rng):
            vowel = PHONES[name].kind == "vowel"
            # The durations of `PHONES` are those at 4.5 syllables per second; accented vowels are longer.
            length = PHONES[name].seconds * rng.uniform(0.8, 1.2) * (1 + 0.5 * stress * vowel) * 4.5 / rate
            phones.append((name, length, stress * vowel))
            begin += length
    stretch = (stop - start) / sum(length for _, length, _ in phones)
    result = []
    begin = start
    for name, length, stress in phones:
        result.append(PhoneSegment(PHONES[name], begin, begin + length * stretch, stress, phrase))
        begin += length * stretch
    return result


def _syllable(rng: np.random.Generator) -> list[str]:
    frequency = FREQUENCY / FREQUENCY.sum()
    # Mostly one consonant before the vowel, and about every second syllable is open.
    onset = rng.choice(CONSONANTS, size=rng.choice(3, p=(0.1, 0.7, 0.2)), replace=False, p=frequency)
    coda = rng.choice(CONSONANTS, size=rng.choice(2, p=(0.55, 0.45)), p=frequency)
    return [*map(str, onset), str(rng.choice(VOWELS)), *map(str, coda)]


def _with_curves(rng: np.random.Generator, segments: tuple[PhoneSegment, ...], seconds: float) -> Script:
    time = np.arange(round(seconds * STEPS_PER_SECOND)) / STEPS_PER_SECOND
    index = np.searchsorted([segment.end for segment in segments[:-1]], time, side="right")
    accent, pitch_accent, phrase = np.zeros_like(time), np.zeros_like(time), np.zeros_like(time)
    for segment in segments:
        if segment.stress:
            middle = (segment.start + segment.end) / 2
            accent += segment.stress * np.exp(-0.5 * ((time - middle) / 0.11) ** 2)
            pitch_accent += segment.stress * rng.uniform(2, 6) * np.exp(-0.5 * ((time - middle) / 0.07) ** 2)
    # Most phrases end low, as statements do, and some rise.
    phrase_end = np.zeros_like(time)
    for number in range(segments[-2].phrase + 1):
        start = min(segment.start for segment in segments if segment.phrase == number)
        end = max(segment.end for segment in segments if segment.phrase == number)
        inside = (time >= start) & (time < end)
        phrase[inside] = 1 - 2 * (time[inside] - start) / (end - start)
        tone = -2.0 if rng.random() < 0.8 else 5.0
        phrase_end[inside] = tone * np.clip(1 - (end - time[inside]) / 0.25, 0, 1)
    pitch = 2.5 * phrase + pitch_accent + phrase_end
    return Script(segments, seconds, index, accent, smooth(phrase, 0.12), smooth(pitch, 0.015))
