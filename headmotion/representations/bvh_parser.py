"""The words of a BVH file as a skeleton and numbers, with the line in each error."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NoReturn

import numpy as np

from ..core.errors import MotionError
from ..core.files import read_regular, reason_of
from ..core.limits import TEXT_BYTES, limit
from .bvh_text import Channel, Numbers, Offset, Skeleton

CHANNELS = {f"{axis}{word}": (word[0], k) for k, axis in enumerate("xyz") for word in ("position", "rotation")}
LARGEST = 1e6
"""Larger numbers are refused: no body is a million units long, and single precision would lose its details."""


class WordReader:
    """The words of a file, with the line of the last word for errors."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.line = path, 1
        self._lines = enumerate(text.splitlines(), start=1)
        self._words: Iterator[str] = iter(())

    def word(self) -> str:
        """Return the next word; empty at the end."""
        while (word := next(self._words, None)) is None:
            following = next(self._lines, None)
            if following is None:
                return ""
            self.line, self._words = following[0], iter(following[1].split())
        return word

    def expect(self, *words: str) -> None:
        """Read these words, ignoring case."""
        for word in words:
            if (got := self.word()).lower() != word.lower():
                self.fail(repr(word), repr(got) if got else "the end of the file")

    def number(self) -> float:
        """Read a number."""
        got = self.word()
        value = _as_number(got)
        if value is None:
            self.fail(f"a finite number up to {LARGEST:g}", repr(got) if got else "the end of the file")
        return value

    def remaining_lines(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the numbers and words of all further lines that are not blank."""
        for line, words in chain([(self.line, list(self._words))], ((n, text.split()) for n, text in self._lines)):
            if words:
                yield line, words

    def fail(self, expected: str, got: str) -> NoReturn:
        """Raise the error that the file is refused at this line."""
        raise MotionError("bvh", expected, f"{got} in line {self.line} of {self.path}")


def parse(path: Path) -> tuple[Skeleton, Numbers, str, list[str]]:
    """Return the skeleton, the numbers ``[T, C]``, the Frame Time as it is written, and where the file bends the rules.

    Raises:
        MotionError: no such file, or not BVH, with the line.
    """
    reader = WordReader(path, _text(path))
    skeleton = Skeleton()
    names: dict[str, int] = {}
    reader.expect("HIERARCHY")
    while (word := reader.word()).lower() == "root":
        _tree(reader, skeleton, names)
    if word.lower() != "motion" or not skeleton.names:
        reader.fail("'MOTION'" if skeleton.names else "'ROOT'", repr(word) if word else "the end of the file")
    reader.expect("Frames:")
    frames = reader.number()
    if frames != int(frames) or frames < 0:
        reader.fail("a number of frames", str(frames))
    reader.expect("Frame", "Time:")
    frame_time = reader.word()
    numbers = _numbers(reader, int(frames), sum(map(len, skeleton.channels)))
    oddities = []
    if skeleton.repeated:
        oddities.append(f"{len(skeleton.repeated)} joints have the name of another, such as {skeleton.repeated[0]!r}")
    if len(numbers) != frames:
        oddities.append(f"the header announces {int(frames)} frames, the file has {len(numbers)}, which are read")
    return skeleton, numbers, frame_time, oddities


def _text(path: Path) -> str:
    try:
        content = read_regular(path, limit(TEXT_BYTES))
    except FileNotFoundError:
        raise MotionError("bvh", "an existing file", str(path)) from None
    except OSError as error:
        raise MotionError("bvh", "a text file", f"{path} ({reason_of(error)})") from None
    try:
        return content.decode("utf-8-sig")  # some exporters write a byte order mark
    except UnicodeDecodeError:
        # Only names can hold other letters, and any single-byte encoding keeps them apart.
        return content.decode("latin-1")


def _tree(reader: WordReader, skeleton: Skeleton, names: dict[str, int]) -> None:
    """Read a root and all joints below it; the word ROOT has been read. ``names`` are for `_unique`."""
    open_joints = [_joint(reader, skeleton, -1, names)]
    while open_joints:
        match (word := reader.word()).lower():
            case "joint":
                open_joints.append(_joint(reader, skeleton, open_joints[-1], names))
            case "end":
                reader.expect("Site", "{", "OFFSET")
                skeleton.ends.append((open_joints[-1], _offset(reader)))
                if (word := reader.word()).lower() == "channels":  # of which an end has none; some programs say so
                    reader.expect("0")
                    word = reader.word()
                if word != "}":
                    reader.fail("'}'", repr(word) if word else "the end of the file")
            case "}":
                open_joints.pop()
            case _:
                reader.fail("'JOINT', 'End Site' or '}'", repr(word) if word else "the end of the file")


def _unique(name: str, names: dict[str, int]) -> str:
    """Return a name that no joint has, with a number if need be; the last numbers by name keep that linear."""
    first = name
    while name in names:
        names[first] += 1
        name = f"{first}.{names[first]:03d}"
    names[name] = 0
    return name


def _joint(reader: WordReader, skeleton: Skeleton, parent: int, names: dict[str, int]) -> int:
    words: list[str] = []
    while (word := reader.word()) != "{":
        if not word:
            reader.fail("'{'", "the end of the file")
        words.append(word)
    # Names may contain spaces; only the brace ends them.
    name = " ".join(words)
    if not name:
        reader.fail("a joint's name", "none")
    if name in names:
        skeleton.repeated.append(name)
    reader.expect("OFFSET")
    skeleton.names.append(_unique(name, names))
    skeleton.parents.append(parent)
    skeleton.offsets.append(_offset(reader))
    reader.expect("CHANNELS")
    total = reader.number()
    channels: list[Channel] = []
    while len(channels) < total:
        word = reader.word()
        channel = CHANNELS.get(word.lower())
        if channel is None or (channel[0] == "p" and channel in channels):
            reader.fail(f"{total:g} channels such as Xposition or Zrotation", repr(word))
        channels.append(channel)
    skeleton.channels.append(channels)
    return len(skeleton.names) - 1


def _offset(reader: WordReader) -> Offset:
    return reader.number(), reader.number(), reader.number()


def _numbers(reader: WordReader, frames: int, channels: int) -> Numbers:
    rows: list[Numbers] = []
    total = 0
    for line, words in reader.remaining_lines():
        reader.line = line
        # Line by line: numpy reads a row of words many times faster than a loop over words.
        try:
            row = np.array(words, dtype=np.float64)
            valid = bool((np.abs(row) <= LARGEST).all())
        except ValueError:
            valid = False
        if not valid:
            invalid = next(word for word in words if _as_number(word) is None)
            reader.fail(f"a finite number up to {LARGEST:g}", repr(invalid))
        total += len(row)
        rows.append(row)
    # Without channels there is nothing to count. Programs disagree on the number of frames in the header, so the lines
    # decide; but a frame that is not whole means that the file was cut short.
    if total % channels if channels else total:
        reader.fail(f"{frames} frames of {channels} numbers", str(total))
    return np.concatenate([np.zeros(0), *rows]).reshape(total // channels if channels else frames, channels)


def _as_number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if abs(value) <= LARGEST else None
