"""The clips of a corpus that are evaluated, and those that baselines learn from; one in memory at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import EvaluationError, HeadmotionError
from ..core.interfaces.representation import Representation
from ..data.corpus import list_corpus
from ..data.index_entry import IndexEntry
from .eval_clip import Case

LEARNED_FROM = 500
"""Clips that a baseline looks at, evenly spaced, where the training split has more."""


@dataclass(frozen=True)
class Clips:
    """A split of a corpus in one representation."""

    folder: Path
    split: str
    representation: Representation
    entries: Sequence[IndexEntry]
    """What is evaluated."""
    lessons: Sequence[IndexEntry]
    """What baselines learn from."""
    lesson_split: str
    """Where that is from: ``train``, or the evaluated split itself where there is no training split."""
    damaged: Sequence[tuple[str, str]]
    """Clips of the index that cannot be used, with the reason."""

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, number: int) -> Case:
        """A clip, read anew.

        Raises:
            CorpusError: it is damaged, or of another representation.
        """
        return Case.of(self.entries[number].read(), number, self.representation)

    def named(self, name: str) -> Case:
        """The clip with an id.

        Raises:
            CorpusError: see above.
        """
        return self[next(number for number, entry in enumerate(self.entries) if entry.id == name)]

    def learned(self) -> Iterator[Case]:
        """The clips to learn from; those that are damaged are left out."""
        for number, entry in enumerate(self.lessons):
            try:
                yield Case.of(entry.read(), number, self.representation)
            except HeadmotionError:
                continue


def open_clips(
    path: str | os.PathLike[str], representation: Representation, split: str, limit: int | None = None
) -> Clips:
    """The first ``limit`` clips of a split, or all.

    Raises:
        CorpusError: no corpus, or one that cannot be read.
        EvaluationError: no such split.
    """
    folder = Path(path)
    entries, refused = list_corpus(folder)
    chosen = [entry for entry in entries if entry.split == split]
    if not chosen:
        known = ", ".join(sorted({entry.split for entry in entries})) or "(none)"
        remedy = f"choose one of these with --split, or move speakers to the split {split!r}"
        raise EvaluationError("evaluation", f"a split of {folder} with clips: {known}", repr(split), remedy)
    train = [entry for entry in entries if entry.split == "train"] if split != "train" else []
    lessons = train or chosen
    spaced = [lessons[k * len(lessons) // LEARNED_FROM] for k in range(LEARNED_FROM)]
    return Clips(
        folder=folder,
        split=split,
        representation=representation,
        entries=chosen[:limit],
        lessons=lessons if len(lessons) <= LEARNED_FROM else spaced,
        lesson_split="train" if train else split,
        damaged=[(each.clip, each.reason) for each in refused],
    )
