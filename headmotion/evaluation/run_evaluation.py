"""`evaluate`: a model or motions, and baselines, through the same metrics, and the report of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..core.errors import EvaluationError
from ..core.files import atomic_folder, write_text
from ..reports.page import check_installed
from .baselines import BASELINES
from .evaluator import evaluation
from .metric_selection import MetricLike
from .page import page
from .report import HTML, JSON, Report
from .request import Wanted


def evaluate(
    subject: str | os.PathLike[str],
    data: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    *,
    split: str = "val",
    metrics: Sequence[MetricLike] | None = None,
    baselines: Sequence[str] = tuple(BASELINES),
    seed: int = 0,
    seeds: int = 3,
    limit: int | None = None,
    rank: str | None = None,
    device: str = "auto",
    quiet: bool = True,
) -> Report:
    """Measure what a model makes of the speech of a corpus, or motions that are there already.

    Every clip's motion begins at the clip's own first pose and hears its own speech. It is compared with the real
    motion, in pixels, at the clip's rate.

    Args:
        subject: a bundled model, a checkpoint, or a folder with ``ID.npz`` or ``ID.json`` (see `Motion.save`).
        data: the corpus folder.
        output: folder for ``report.json`` and ``report.html``, new or empty; None writes nothing. The page needs
            ``pip install 'headmotion[report]'``.
        split: which clips.
        metrics: specs, types or dicts with a type; None means all that need no choice and fit the representation.
        baselines: names out of `BASELINES`.
        seed: the only source of chance: of the model (clip ``k`` gets ``seed + k``) and of the intervals.
        seeds: motions per clip, for metrics that compare them.
        limit: the first so many clips only.
        rank: ``METRIC.FIGURE`` by which the page shows the best and the worst clips.
        device: where to compute.
        quiet: no progress bar.

    Raises:
        EvaluationError: no such split, no clip that could be measured, an unknown baseline or rank, an output that is
            there.
        CheckpointError: no such model.
        CorpusError: no corpus.
        SpecError: a metric that is unknown, or that does not fit the representation.
    """
    wanted = Wanted(subject, data, split, baselines, seed, seeds, limit, rank)
    if output is not None:
        check_output(Path(output))
    found = evaluation(wanted, metrics, device, quiet)
    if output is not None:
        text = page(found)
        with atomic_folder(output) as folder:
            found.report.save(folder / JSON)
            write_text(folder / HTML, text)
    return found.report


def check_output(folder: Path) -> None:
    """Refuse a folder into which a report cannot be put, before any work is done for it.

    Raises:
        EvaluationError: it is there and no empty folder.
        HeadmotionError: a package that the page needs is missing.
    """
    check_installed()
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise EvaluationError("evaluation", "a new or empty folder for the report", str(folder), "choose another name")
