"""Splits of a corpus in which no speaker is on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import blake2b
from typing import TypeVar

from ..core.errors import CorpusError
from .clip import Clip
from .index_entry import IndexEntry

Item = TypeVar("Item", Clip, IndexEntry)


def split_of(speaker: str, val: float = 0.1, test: float = 0.0, seed: int = 0) -> str:
    """Return the split of a speaker, ``train``, ``val`` or ``test``, which depends on a hash of the name only.

    It does not change when speakers are added or removed. Few speakers may by chance all fall into one split. Clips of
    an unknown speaker (an empty name) are for training, because they may show anybody.

    Args:
        speaker: name of the speaker.
        val: share of speakers in ``val``, 0 to 1.
        test: share of speakers in ``test``, 0 to 1.
        seed: another seed gives another split.

    Raises:
        CorpusError: shares below 0, or more than 1 together.
    """
    if not (val >= 0 and test >= 0 and val + test <= 1):
        raise CorpusError("split", "shares from 0 that are at most 1 together", f"val {val:g} and test {test:g}")
    # A speaker's name may be a path whose bytes were not UTF-8: surrogates must not fail.
    digest = blake2b(f"{seed}\0{speaker}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    position = int.from_bytes(digest, "big") / 2**64
    if not speaker:
        return "train"
    # From opposite ends, so that a change of one share moves no speaker of the other.
    return "val" if position < val else "test" if position >= 1 - test else "train"


def split_by_speaker(items: Iterable[Item], val: float = 0.1, test: float = 0.0, seed: int = 0) -> Iterator[Item]:
    """Return clips or entries with the split of their speaker; see `split_of`.

    Raises:
        CorpusError: shares below 0, or more than 1 together.
    """
    return (replace(item, split=split_of(item.speaker, val, test, seed)) for item in items)
