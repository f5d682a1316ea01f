"""`evaluate`: a model or motions, and baselines, through the same metrics."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..core.arguments import as_list, as_path, as_texts
from ..core.claims import claimed_output
from ..core.errors import EvaluationError
from ..core.files import atomic_folder, write_text
from ..core.interfaces.specs import MetricSpec
from ..core.output_folder import require_free_folder
from ..reports.page import check_installed
from .baselines import BASELINES
from .evaluator import Evaluation, run_request
from .metric_selection import MetricLike, requested_specs
from .page import evaluation_page
from .report import HTML, JSON, Report
from .request import EvaluationRequest


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
    workers: int = 0,
    quiet: bool = True,
) -> Report:
    """Measure a model, or motions from files, on the clips of a corpus, and return the report.

    Every clip's motion starts at the clip's own first pose and follows its own speech. It is compared with the real
    motion, in pixels, at the clip's rate.

    Args:
        subject: a bundled model, a checkpoint, or a folder with ``ID.npz`` or ``ID.json`` (see `Motion.save`).
        data: the corpus folder.
        output: folder for ``report.json`` and ``report.html``, new or empty, or with the report of the same call, which
            is then only checked; None writes nothing. The page needs ``pip install 'headmotion[report]'``.
        split: name of the split.
        metrics: specs, types or dicts with a type; None for all without required fields that fit the representation.
        baselines: names from `BASELINES`.
        seed: of the model (clip ``k`` gets ``seed + k``) and of the intervals.
        seeds: motions per clip, for metrics that compare them.
        limit: how many clips, from the first; None for all.
        rank: ``METRIC.VALUE`` by which the page shows the best and the worst clips.
        device: where to compute.
        workers: processes that generate the model's motion ahead; 0: this process does all. The values are the same.
        quiet: whether to leave out the progress bar.

    Raises:
        EvaluationError: no such split, no clip that could be measured, an unknown baseline or rank, or an output that
            exists.
        HeadmotionError: another process is writing that output.
        CheckpointError: no such model.
        CorpusError: no corpus.
        SpecError: a metric that is unknown, or that does not fit the representation.
    """
    for path in (subject, *([] if output is None else [output])):
        as_path(path, "evaluation", EvaluationError)
    baselines = as_texts(baselines, "baselines", "names")
    if metrics is not None:
        kinds = (str, Mapping, MetricSpec)
        metrics = as_list(metrics, "metrics", "types and specs", lambda each: isinstance(each, kinds))
    request = EvaluationRequest(subject, data, split, baselines, seed, seeds, limit, rank)
    if output is None:
        return run_request(request, metrics, device, quiet, workers).report
    # Before any work, so that a wrong name, or one that another process is using, costs no evaluation.
    with claimed_output(output):
        earlier = _earlier_report(Path(output), request, metrics)
        if earlier is None:
            check_output(Path(output))
        evaluation = run_request(request, metrics, device, quiet, workers)
        if earlier is None:
            _write_report(evaluation, Path(output))
        elif earlier.text() != evaluation.report.text():
            got = f"{output}, which has other values"
            raise EvaluationError("evaluation", "the report that the same call has made", got, "choose another name")
    return evaluation.report


def _write_report(evaluation: Evaluation, output: Path) -> None:
    # The page is made first: if that fails, no folder with half a report is left.
    text = evaluation_page(evaluation)
    with atomic_folder(output) as folder:
        evaluation.report.save(folder / JSON)
        write_text(folder / HTML, text)


def _earlier_report(folder: Path, request: EvaluationRequest, metrics: Sequence[MetricLike] | None) -> Report | None:
    """Return the report of the same call in an output folder, complete; None if there is none.

    A call that was killed after its report had appeared can so be repeated. It is measured again, because clips or
    motions may have changed, and the report stays as it is.
    """
    if not all((folder / name).is_file() for name in (JSON, HTML)):
        return None
    try:
        earlier = Report.load(folder)
    except EvaluationError:
        return None
    specs = None if metrics is None else requested_specs(metrics)
    return earlier if earlier.command == request.command_line(specs, tuple(BASELINES)) else None


def check_output(folder: Path) -> None:
    """Refuse an output folder that cannot take a report, before any work is done.

    Raises:
        EvaluationError: it exists and is not an empty folder.
        HeadmotionError: a package that the page needs is missing.
    """
    check_installed()
    require_free_folder(folder, "evaluation", EvaluationError, replaced=True)
