"""Sentences for synthetic speakers, from word lists that were written for this package (``sentences.json``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from ....core.errors import CorpusError
from ....core.short_repr import short_repr


@dataclass(frozen=True)
class Language:
    """A language that synthetic speakers may have."""

    voices: tuple[str, ...]
    """Voices of espeak-ng that speak it."""
    words: Mapping[str, tuple[str, ...]]
    """Words by slot. The slot ``patterns`` holds sentences with slots in braces; ``{number}`` is 0 to 9999."""


def _load_languages() -> dict[str, Language]:
    text = (files(__package__) / "sentences.json").read_text("utf-8")
    return {
        code: Language(tuple(values["voices"]), {slot: tuple(words) for slot, words in values["words"].items()})
        for code, values in json.loads(text).items()
    }


LANGUAGES: Mapping[str, Language] = _load_languages()
"""Languages by their codes."""


def write_sentence(rng: np.random.Generator, language: str) -> str:
    """Return a random sentence; it is grammatical more often than sensible.

    Raises:
        CorpusError: no words of that language.
    """
    if language not in LANGUAGES:
        raise CorpusError("synthetic speech", f"a language out of {', '.join(LANGUAGES)}", short_repr(language))
    words = LANGUAGES[language].words
    # Texts alternate with slots.
    parts = str(rng.choice(words["patterns"])).replace("}", "{").split("{")
    for k in range(1, len(parts), 2):
        # Drawn for every slot, so that the random stream does not depend on the slots.
        digits = int(rng.integers(1, 5))
        number = str(int(rng.integers(10**digits)))
        parts[k] = number if parts[k] == "number" else str(rng.choice(words[parts[k]]))
    sentence = "".join(parts)
    return sentence if sentence.endswith("?") else f"{sentence}."
