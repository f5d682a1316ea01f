"""All exceptions that headmotion raises deliberately."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from .short_repr import shorten

_OBEYED = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]")
"""What a terminal obeys instead of showing it: control characters, and those that turn the direction of text."""
_LONG_NUMBER = re.compile("(\\d{20})\\d{20,}(\\.\\.\\.\\d+)?")
MAX_PART = 400
"""Letters of what was expected, and of what was got."""


class HeadmotionError(Exception):
    """A mistake that the caller can correct: the component, what it expected, what it got, and the remedy.

    The command line prints ``str(error)``, which is always one line, and exits with status 2. What was expected and
    got may be of any length: both are shortened here.
    """

    def __init__(self, component: str, expected: str, got: str, remedy: str = "") -> None:
        expected, got = (shorten(_LONG_NUMBER.sub(r"\1...", part), MAX_PART) for part in (expected, got))
        self.component, self.expected, self.got, self.remedy = component, expected, got, remedy
        message = f"{component}: expected {expected}, got {got}"
        super().__init__(one_line(f"{message}; {remedy}" if remedy else message))

    def __reduce__(self) -> tuple[type[HeadmotionError], tuple[str, str, str, str]]:
        # By default an exception is unpickled from its message alone, which fails for one from a worker process.
        return type(self), (self.component, self.expected, self.got, self.remedy)


class SpecError(HeadmotionError):
    """A spec names an unknown type, has an unknown field, or a value out of range."""


class PluginError(HeadmotionError):
    """A plugin cannot be loaded, or breaks the rules of registration."""


class AudioError(HeadmotionError):
    """Audio cannot be read, or has no usable samples."""


class MotionError(HeadmotionError):
    """Motion, a reference pose or a motion file does not fit."""


class ImageError(HeadmotionError):
    """A picture or video cannot be read or written."""


class CheckpointError(HeadmotionError):
    """A checkpoint is damaged, unsafe or too new, or needs a plugin that is not installed."""


class CorpusError(HeadmotionError):
    """Training data is missing, damaged or of another representation."""


class TrainingError(HeadmotionError):
    """A training run cannot start or had to stop."""


class DetectorError(HeadmotionError):
    """No pose was found in a picture, or a detector is not available."""


class OutputError(HeadmotionError):
    """A part returned something else than its interface promises."""


class EvaluationError(HeadmotionError):
    """An evaluation cannot run, or reports cannot be read or compared."""


class ServingError(HeadmotionError):
    """A server refuses a message or a request, or a client cannot reach or understand its server."""


def printable(text: str) -> str:
    """Return text whose control characters are written as escapes, so that no terminal obeys them."""
    return _OBEYED.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    """Return text as one line for a terminal: white space becomes single spaces; see also `printable`."""
    return printable(" ".join(text.split()))


def describe(error: BaseException) -> str:
    """Return type and message of any exception as one line of at most 500 characters; it never fails."""
    name = type(error).__name__
    try:
        text = str(error)
    except BaseException as second:  # a plugin's exception may do anything
        return f"{name}, whose message cannot be read ({type(second).__name__})"
    return shorten(one_line(f"{name}: {text}"), 500)


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return a remedy for a name that is not known: those most like it, or ``otherwise`` if none is."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else otherwise
