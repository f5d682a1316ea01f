# ruff: noqa: RUF001  (IPA has letters that look like others)
"""Visemes: what lips and jaw aim at in each sound, and IPA symbols as segments of visemes."""

from __future__ import annotations

from dataclasses import dataclass

from .espeak_speech import STRESS, Phoneme


@dataclass(frozen=True)
class Viseme:
    """The target of the mouth for one class of sounds."""

    name: str
    opening: float
    """Distance of the lips, 1 for the widest vowel."""
    width: float = 0.0
    """Mouth width relative to rest: positive spread, negative narrow."""
    protrusion: float = 0.0
    """0 at rest, 1 as far forward as in u."""
    jaw: float = 0.0
    """How low the jaw is, 1 for the widest vowel."""
    strength: float = 1.0
    """Peak of the dominance over opening and jaw: how little neighbors show."""
    grip: float = 0.2
    """The same for width and protrusion, which most consonants leave to their neighbors."""
    contact: str = ""
    """``lips`` where the lips must meet, ``teeth`` where the lower lip touches the upper teeth."""


SILENCE = Viseme("silence", 0.0, jaw=0.0, strength=0.9)

CONSONANTS = {
    "p b m": Viseme("bilabial", 0.0, jaw=0.15, strength=0.8, contact="lips"),
    "β": Viseme("bilabial approximant", 0.1, jaw=0.2, strength=0.8),
    "f v ʋ ɱ": Viseme("labiodental", 0.1, jaw=0.1, strength=1.0, contact="teeth"),
    "w ʍ ɥ": Viseme("labial-velar", 0.15, -0.22, 1.0, 0.2, 1.0, 1.0),
    "ʃ ʒ ɕ ʑ": Viseme("postalveolar", 0.28, -0.1, 0.75, 0.12, 0.9, 0.8),
    "s z": Viseme("sibilant", 0.2, 0.05, 0.0, 0.05, 0.7),
    "θ ð": Viseme("dental", 0.32, 0.02, 0.0, 0.2, 0.6),
    "t d n l ɾ ɫ ɬ ɖ ʈ ɳ": Viseme("alveolar", 0.3, 0.02, 0.0, 0.2, 0.4),
    "r": Viseme("trill", 0.35, 0.0, 0.0, 0.25, 0.4),
    "ɹ ɻ": Viseme("rhotic", 0.3, -0.08, 0.45, 0.2, 0.6, 0.5),
    "j ɲ ʝ ç ʎ ʲ c ɟ": Viseme("palatal", 0.32, 0.07, 0.0, 0.25, 0.4),
    "k g ɡ ŋ x ɣ ʁ ʀ χ q": Viseme("velar", 0.4, 0.0, 0.0, 0.35, 0.25),
    "h ɦ ʔ": Viseme("glottal", 0.45, 0.0, 0.0, 0.4, 0.08, 0.05),
}

VOWELS = {
    "i": (0.38, 0.13, 0.0),
    "ɪ": (0.48, 0.08, 0.0),
    "e": (0.55, 0.1, 0.0),
    "ɛ": (0.7, 0.07, 0.0),
    "æ": (0.92, 0.07, 0.0),
    "a": (0.95, 0.03, 0.0),
    "ɐ": (0.7, 0.02, 0.0),
    "ɑ": (1.0, 0.0, 0.0),
    "ʌ": (0.75, 0.0, 0.0),
    "ə": (0.45, 0.0, 0.0),
    "ɜ": (0.55, -0.02, 0.1),
    "ɝ": (0.5, -0.05, 0.3),
    "ɚ": (0.45, -0.05, 0.3),
    "ɒ": (0.8, -0.09, 0.4),
    "ɔ": (0.7, -0.12, 0.6),
    "o": (0.5, -0.17, 0.8),
    "ʊ": (0.42, -0.12, 0.6),
    "u": (0.28, -0.22, 1.0),
    "ʉ": (0.3, -0.18, 0.8),
    "ɯ": (0.35, 0.05, 0.0),
    "y": (0.28, -0.18, 0.9),
    "ʏ": (0.38, -0.13, 0.7),
    "ø": (0.45, -0.15, 0.8),
    "œ": (0.6, -0.1, 0.6),
    "ɤ": (0.5, 0.0, 0.0),
}
"""Opening, width and protrusion."""

VISEMES = {symbol: viseme for symbols, viseme in CONSONANTS.items() for symbol in symbols.split()} | {
    symbol: Viseme(f"vowel {symbol}", opening, width, protrusion, 0.9 * opening, 1.0, 1.0)
    for symbol, (opening, width, protrusion) in VOWELS.items()
}
UNKNOWN = Viseme("unknown", 0.35, jaw=0.25, strength=0.2, grip=0.1)
MARKS = "ː:̩̯̃̊͡-ˑ'"
"""Length, nasality and other marks that lips do not show."""
STRESSED, UNSTRESSED = 1.12, 0.88
RELEASED = Viseme("release", 0.4, jaw=0.3, strength=0.08, grip=0.05)
"""A stop after its burst: the lips are on their way."""


@dataclass(frozen=True)
class VisemeSegment:
    """A viseme in time."""

    viseme: Viseme
    start: float
    """Seconds."""
    end: float
    """Seconds."""
    emphasis: float = 1.0
    """Factor of opening and jaw: stressed vowels are wider."""


def to_viseme_segments(phonemes: tuple[Phoneme, ...]) -> tuple[VisemeSegment, ...]:
    """Return phonemes as visemes: diphthongs and affricates are divided, stops end at their burst."""
    result: list[VisemeSegment] = []
    for phoneme in phonemes:
        symbols = [symbol for symbol in phoneme.symbol.strip(STRESS) if symbol not in MARKS + STRESS]
        visemes = [VISEMES.get(symbol, UNKNOWN) for symbol in symbols] or [SILENCE]
        start = phoneme.start
        if phoneme.onset > start and symbols and symbols[0] in "ptkc":
            result.append(VisemeSegment(visemes[0], start, phoneme.onset))
            visemes = visemes[1:] or [RELEASED]
            start = phoneme.onset
        emphasis = STRESSED if phoneme.symbol.startswith("ˈ") else UNSTRESSED
        duration = (phoneme.end - start) / len(visemes)
        for k, viseme in enumerate(visemes):
            factor = emphasis if viseme.name.startswith("vowel") else 1.0
            result.append(VisemeSegment(viseme, start + k * duration, start + (k + 1) * duration, factor))
    return tuple(result)
