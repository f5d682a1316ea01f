"""The choices of an evaluation, and the command line that repeats it."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from ..core.arguments import SEEDS, as_integer
from ..core.interfaces.specs import MetricSpec
from ..core.limits import INTEGER

NO_BASELINES = "none"
"""Stands for an empty list of baselines on the command line."""


@dataclass(frozen=True)
class EvaluationRequest:
    """The choices of an evaluation; see `evaluate`.

    Raises:
        HeadmotionError: fewer than one seed or clip, or no number of them.
    """

    subject: str | os.PathLike[str]
    data: str | os.PathLike[str]
    split: str
    baselines: Sequence[str]
    seed: int
    seeds: int
    limit: int | None
    rank: str | None = None

    def __post_init__(self) -> None:
        as_integer(self.seed, "seed", below=SEEDS)
        as_integer(self.seeds, "seeds", 1, INTEGER)
        if self.limit is not None:
            as_integer(self.limit, "limit", 1)

    def command_line(self, metrics: Sequence[MetricSpec] | None, all_baselines: Sequence[str]) -> str:
        """Return the command that repeats the evaluation, without its output.

        Args:
            metrics: the requested ones; None for the default list.
            all_baselines: names of all baselines, which are the default.
        """
        words = ["headmotion", "evaluate", os.fspath(self.subject), "--data", os.fspath(self.data)]
        words += ["--split", self.split]
        for spec in metrics or ():
            # A type alone is enough where no field differs from its default.
            changed = spec.model_dump(mode="json", exclude_defaults=True)
            full = {"type": spec.type_name(), **changed}
            words += ["--metric", json.dumps(full) if changed else spec.type_name()]
        # The defaults are left out, so that the command stays short.
        if list(self.baselines) != list(all_baselines):
            for name in self.baselines or (NO_BASELINES,):
                words += ["--baseline", name]
        words += ["--seed", str(self.seed), "--seeds", str(self.seeds)]
        words += [] if self.limit is None else ["--limit", str(self.limit)]
        words += [] if self.rank is None else ["--rank", self.rank]
        # Quoted for a shell, because JSON and paths contain spaces.
        return shlex.join(words)
