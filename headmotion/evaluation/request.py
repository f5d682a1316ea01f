"""What is to be evaluated, and the command that says the same."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from ..core.errors import EvaluationError
from ..core.interfaces.specs import MetricSpec

NONE = "none"
"""The baseline that stands for none on the command line."""


@dataclass(frozen=True)
class Wanted:
    """The choices of an evaluation; see `evaluate`."""

    subject: str | os.PathLike[str]
    data: str | os.PathLike[str]
    split: str
    baselines: Sequence[str]
    seed: int
    seeds: int
    limit: int | None
    rank: str | None = None

    def __post_init__(self) -> None:
        for name in ("seeds", "limit"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise EvaluationError("evaluation", f"{name} of 1 or more", str(value))

    def command(self, metrics: Sequence[MetricSpec] | None, every: Sequence[str]) -> str:
        """The command line without its output.

        Args:
            metrics: those that are asked for; None: the default list.
            every: all baselines that there are.
        """
        words = ["headmotion", "evaluate", os.fspath(self.subject), "--data", os.fspath(self.data)]
        words += ["--split", self.split]
        for spec in metrics or ():
            changed = spec.model_dump(mode="json", exclude_defaults=True)
            brief = {"type": spec.type_name(), **changed}
            words += ["--metric", json.dumps(brief) if changed else spec.type_name()]
        for name in () if list(self.baselines) == list(every) else self.baselines or (NONE,):
            words += ["--baseline", name]
        words += ["--seed", str(self.seed), "--seeds", str(self.seeds)]
        words += [] if self.limit is None else ["--limit", str(self.limit)]
        words += [] if self.rank is None else ["--rank", self.rank]
        return shlex.join(words)
