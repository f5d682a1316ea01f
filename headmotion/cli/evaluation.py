"""Commands that measure: evaluate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from .options import any_path, check_output, device, one_thread, options, quiet, seed, show


def _metrics(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> list[str | dict[str, Any]] | None:
    """Types, or specs as JSON."""
    try:
        found = [json.loads(value) if value.lstrip().startswith("{") else value for value in values]
    except ValueError:
        raise click.BadParameter('a metric is a type, or JSON such as {"type": "lmd"}.') from None
    return found or None


@click.command()
@click.argument("subject", metavar="MODEL|MOTIONS")
@options(
    click.option("--data", required=True, type=any_path, help="Corpus folder."),
    click.option("-o", "--output", type=any_path, required=True, help="Folder for the report, new or empty."),
    click.option("--split", default="val", show_default=True, help="Which clips of the corpus."),
    click.option("--limit", type=click.IntRange(1), help="The first so many clips only."),
    click.option(
        "--metric",
        "metrics",
        multiple=True,
        callback=_metrics,
        help="A metric's type or its spec as JSON; may be given several times.  [default: all that fit]",
    ),
    click.option(
        "--baseline",
        "baselines",
        multiple=True,
        help="A baseline's name, or none; may be given several times.  [default: all]",
    ),
    click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Motions per clip to compare."),
    click.option("--rank", metavar="METRIC.FIGURE", help="What the best and worst clips on the page are chosen by."),
    seed,
    device,
    quiet,
)
def evaluate(subject: str, output: Path, baselines: tuple[str, ...], **choices: Any) -> None:
    """Measure a model (a bundled name or a checkpoint), or a folder of motion files, on the clips of a corpus."""
    one_thread()
    check_output(output, may_be_folder=True)
    from headmotion.evaluation import evaluate as run
    from headmotion.evaluation.baselines import BASELINES

    named = tuple(name for name in baselines if name != "none") if baselines else tuple(BASELINES)
    run(subject, output=output, baselines=named, **choices)
    show(output)
