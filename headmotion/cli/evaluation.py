"""Commands that evaluate: evaluate and compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from headmotion.core.errors import printable

from .command import command
from .console import echo, show
from .option_rules import Arguments, Rule, option_rules
from .options import (
    any_path,
    check_folder,
    check_output,
    check_page,
    device,
    one_thread,
    options,
    quiet,
    seed,
    spec_fields,
)

if TYPE_CHECKING:
    from headmotion.evaluation.comparison import Comparison
    from headmotion.evaluation.tables import Table as Values

FILE_COLUMNS = 1000
"""Width of tables that do not go to a terminal: whoever reads a file can scroll, but not guess a name that is cut."""


def _is_model(args: Arguments) -> bool:
    return not Path(args["subject"]).is_dir()


def _metrics(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> list[dict[str, Any]] | None:
    """Parse metrics given by type or as JSON specs."""
    return [spec_fields(value, '{"type": "lmd"}') for value in values] or None


@command()
@click.argument("subject", metavar="MODEL|MOTIONS")
@options(
    click.option("--data", required=True, type=any_path, help="Corpus folder."),
    click.option("-o", "--output", type=any_path, required=True, help="Folder for the report, new or empty."),
    click.option("--split", default="val", show_default=True, help="Split of the corpus."),
    click.option("--limit", type=click.IntRange(1), help="Number of clips.  [default: all]"),
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
    click.option(
        "--seeds", type=click.IntRange(1), default=3, show_default=True, help="Motions per clip, from different seeds."
    ),
    click.option("--rank", metavar="METRIC.VALUE", help="Value that ranks the best and worst clips on the page."),
    click.option(
        "--workers",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        metavar="N",
        help="Processes that generate the model's motion; 0 does all in one.",
    ),
    seed,
    device,
    quiet,
)
@option_rules(Rule(("workers", "seeds"), "a model, not for motion files", _is_model))
def evaluate(subject: str, output: Path, baselines: tuple[str, ...], **choices: Any) -> None:
    """Evaluate a model (a bundled name or a checkpoint) or a folder of motion files on the clips of a corpus."""
    one_thread()
    check_folder(output)
    check_output(output, may_be_folder=True)
    if "none" in baselines and len(baselines) > 1:
        raise click.BadParameter("'none' stands alone.", param_hint="--baseline")
    from headmotion.evaluation import evaluate as run_evaluation
    from headmotion.evaluation.baselines import BASELINES
    from headmotion.evaluation.tables import source_table

    named = tuple(name for name in baselines if name != "none") if baselines else tuple(BASELINES)
    report = run_evaluation(subject, output=output, baselines=named, **choices)
    if not choices["quiet"]:
        for name, metric in report.metrics.items():
            _print_table(name, source_table(metric), err=True)
        for name, reason in (report.metrics_left_out | report.baselines_left_out).items():
            echo(f"{name} is left out: {reason}", err=True)
    show(output)


@command()
@click.argument("reports", nargs=-1, required=True, type=any_path, metavar="REPORT...")
@click.option("-o", "--output", type=any_path, help="HTML file to write instead of printing tables.")
def compare(reports: tuple[Path, ...], output: Path | None) -> None:
    """Compare reports of evaluate (folders or their report.json); their protocols must be the same."""
    if output is not None:
        check_page(output)
    from headmotion.evaluation import compare as compare_reports

    comparison = compare_reports(reports)
    if output is None:
        _print_comparison(comparison)
    else:
        show(comparison.save(output))


def _print_comparison(comparison: Comparison) -> None:
    """Print one table per metric, with its notes."""
    for metric in comparison.metrics:
        _print_table(metric.metric, metric.table, err=False)
        if metric.differences.rows:
            _print_table(f"{metric.metric}: difference from {comparison.columns[0]}", metric.differences, err=False)
        for sources, note in metric.notes:
            echo(f"{sources}: {note}")
    for title, names in comparison.unshared.items():
        echo(f"Only {title} has: {', '.join(names)}")


def _print_table(title: str, values: Values, err: bool) -> None:
    """Print the values of a metric; ``err``: on standard error."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    def text(value: str) -> str:
        return escape(printable(value))

    table = Table(title=text(title), title_justify="left")
    table.add_column(overflow="fold")
    for column in values.columns:
        table.add_column(text(column), justify="right", overflow="fold")
    for row in values.rows:
        cells = (text(f"{cell.value} ({cell.interval})" if cell.interval else cell.value) for cell in row.cells)
        table.add_row(text(f"{row.name} {row.arrow}"), *cells)
    console = Console(highlight=False, stderr=err)
    if not console.is_terminal:
        console.width = FILE_COLUMNS
    console.print(table)
