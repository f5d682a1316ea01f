"""The card of a model: what it was trained on, by which recipe, and what it was made from."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from .build import Training
from .lineage import KEY


def model_card(training: Training, seconds: float) -> dict[str, Any]:
    """Return facts about a training as JSON values.

    ``distribute`` says whether the weights may be given away: only if that is so for all clips, and for the model that
    the training started from.

    Args:
        training: the training.
        seconds: that it took.
    """
    spec, corpus, start = training.recipe, training.corpus, training.start
    all_distributable = len(corpus.select(distributable=True)) == len(corpus)
    card = {
        "name": spec.name,
        "clips": len(corpus),
        "speakers": len(corpus.speakers),
        "hours": round(corpus.seconds / 3600, 3),
        "sources": sorted(corpus.sources),
        "licenses": sorted(corpus.licenses),
        "distribute": all_distributable and (start is None or all(model["distribute"] for model in start.lineage)),
        "training_seconds": round(seconds),
        "commit": _commit(),
        "recipe": spec.model_dump(mode="json"),
        # The metadata of a checkpoint is sorted by key, and phases have an order.
        "phases": list(spec.phases),
    }
    return card if start is None else card | {KEY: list(start.lineage)}


def _commit() -> str:
    """Return the commit of the code if it is a checkout, or else an empty string."""
    checkout = Path(__file__).resolve().parents[2]
    command = ["git", "-C", os.fspath(checkout), "rev-parse", "--show-toplevel", "HEAD"]
    try:
        top, commit = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        # The repository of another project may surround the environment in which headmotion is installed.
        return commit if Path(top).resolve() == checkout else ""
    except (OSError, subprocess.CalledProcessError, ValueError):
        return ""
