"""The clips of a corpus that are evaluated, and those that baselines are fitted to; one in memory at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import EvaluationError, HeadmotionError
from ..core.interfaces.representation import Representation
from ..data.corpus import list_corpus
from ..data.corpus_files import LocalFiles
from ..data.index_entry import IndexEntry
from .eval_clip import EvalClip

MAX_TRAINING_CLIPS = 500
"""Clips that a baseline is fitted to, evenly spaced, where the training split has more."""


@dataclass(frozen=True)
class EvalSplit:
    """A split of a corpus in one representation."""

    folder: Path
    split: str
    representation: Representation
    entries: Sequence[IndexEntry]
    """The evaluated clips."""
    training_entries: Sequence[IndexEntry]
    """The clips that baselines are fitted to."""
    training_split: str
    """Their split: ``train``, or the evaluated split itself where there is no training split."""
    damaged: Sequence[tuple[str, str]]
    """Clips of the index that cannot be used, with the reason."""

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> EvalClip:
        """Read a clip from the corpus.

        Raises:
            CorpusError: it is damaged, or of another representation.
        """
        return EvalClip.from_clip(self.entries[index].read(), index, self.representation)

    def by_id(self, clip_id: str) -> EvalClip:
        """Read the clip with an id.

        Raises:
            CorpusError: it is damaged, or of another representation.
        """
        return self[next(index for index, entry in enumerate(self.entries) if entry.id == clip_id)]

    def training_clips(self) -> Iterator[EvalClip]:
        """Read the clips that baselines are fitted to; damaged ones are left out."""
        for index, entry in enumerate(self.training_entries):
            try:
                yield EvalClip.from_clip(entry.read(), index, self.representation)
            # A damaged training clip should not stop an evaluation of other clips.
            except HeadmotionError:
                continue


def open_split(
    path: str | os.PathLike[str], representation: Representation, split: str, limit: int | None = None
) -> EvalSplit:
    """Open a split of a corpus.

    Args:
        path: the corpus.
        representation: what motion is measured in.
        split: name of the split.
        limit: how many clips, from the first; None for all.

    Raises:
        CorpusError: no corpus, or one that cannot be read.
        EvaluationError: no such split.
    """
    folder = Path(path)
    corpus, rejected = list_corpus(LocalFiles(folder))
    selected = corpus.select(split).entries
    if not selected:
        splits = ", ".join(sorted(corpus.splits)) or "(none)"
        remedy = "choose one of these with --split, or prepare with a larger share of speakers in 'val' (--val)"
        raise EvaluationError("evaluation", f"a split of {folder} with clips: {splits}", repr(split), remedy)
    # Where ``train`` itself is evaluated, baselines see the evaluated clips as the model did.
    train = corpus.select("train").entries if split != "train" else ()
    training: Sequence[IndexEntry] = train or selected
    if len(training) > MAX_TRAINING_CLIPS:
        # Evenly spaced, because neighbors in the index are often of one speaker.
        training = [training[k * len(training) // MAX_TRAINING_CLIPS] for k in range(MAX_TRAINING_CLIPS)]
    return EvalSplit(
        folder=folder,
        split=split,
        representation=representation,
        entries=selected[:limit],
        training_entries=training,
        training_split="train" if train else split,
        damaged=[(clip.clip, clip.reason) for clip in rejected],
    )
