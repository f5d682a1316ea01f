"""Columns of texts: one after another in an array of bytes, or as numbers in a table of the different ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts ``[N]``, one after another in one array of bytes."""

    content: npt.NDArray[np.uint8]
    """All texts as UTF-8."""
    offsets: npt.NDArray[np.int64]
    """``[N + 1]``: text ``k`` is ``content[offsets[k]:offsets[k + 1]]``."""

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Store texts; they may hold surrogates, as paths do whose bytes are not UTF-8."""
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(text) for text in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets)

    @classmethod
    def join(cls, parts: Sequence[Texts]) -> Self:
        """Return several columns as one, in order."""
        starts = np.cumsum([0, *(int(part.offsets[-1]) for part in parts)])
        offsets = [part.offsets[1:] + start for part, start in zip(parts, starts[:-1], strict=True)]
        return cls(
            np.concatenate([part.content[: int(part.offsets[-1])] for part in parts]),
            np.concatenate([np.zeros(1, np.int64), *offsets]),
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[str]:
        return (self[k] for k in range(len(self)))

    def check(self) -> None:
        """Check that all texts can be read, as a whole.

        Raises:
            ValueError: the offsets are damaged, or the bytes are no UTF-8.
        """
        if self.offsets[0] != 0 or self.offsets[-1] != len(self.content) or (np.diff(self.offsets) < 0).any():
            raise ValueError(f"offsets of texts that do not fit {len(self.content)} bytes")
        self.content.tobytes().decode("utf-8", "surrogatepass")
        # In UTF-8, all bytes of a character but its first begin with the bits 10.
        if ((self.content[self.offsets[:-1][np.diff(self.offsets) > 0]] & 0xC0) == 0x80).any():
            raise ValueError("texts that begin within a character")

    def __getitem__(self, row: int) -> str:
        """Return a text.

        Raises:
            ValueError: the offsets are damaged, or the bytes are no UTF-8.
        """
        first, last = int(self.offsets[row]), int(self.offsets[row + 1])
        if not 0 <= first <= last <= len(self.content):
            raise ValueError(f"offsets {first} and {last} of {len(self.content)} bytes")
        return self.content[first:last].tobytes().decode("utf-8", "surrogatepass")


@dataclass(frozen=True, eq=False)
class Names:
    """A name for each of ``N`` clips, as a number in a table of the names that there are."""

    codes: npt.NDArray[np.int32]
    """``[N]``: row in ``table``."""
    table: Texts
    """The different names."""

    @classmethod
    def of(cls, names: Iterable[str]) -> Self:
        """Store names; the table has them in the order in which they first come."""
        numbers: dict[str, int] = {}
        codes = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int32)
        return cls(codes, Texts.of(numbers))

    @classmethod
    def join(cls, parts: Sequence[Names]) -> Self:
        """Return several columns as one, in order."""
        numbers: dict[str, int] = {}
        codes = [np.zeros(0, np.int32)]
        for part in parts:
            # One look-up per name, not per clip.
            table = np.array([numbers.setdefault(name, len(numbers)) for name in part.table], np.int32)
            codes.append(table[part.codes])
        return cls(np.concatenate(codes), Texts.of(numbers))

    def __getitem__(self, row: int) -> str:
        return self.table[int(self.codes[row])]

    def equal(self, name: str) -> npt.NDArray[np.bool_]:
        """Return ``[N]``: whether a clip has this name."""
        matching = [code for code, other in enumerate(self.table) if other == name]
        return np.isin(self.codes, np.array(matching, np.int32))
