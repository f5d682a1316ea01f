"""Commands that look at training data: doctor."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .options import any_path, check_output, existing_file, options, quiet, show


@click.command()
@click.argument("corpus", type=any_path)
@options(
    click.option("-o", "--output", type=any_path, help="HTML file to write instead of printing JSON."),
    click.option("--syncers", type=existing_file, help="syncers.safetensors of a run: measures how far sound is off."),
    quiet,
)
@click.pass_context
def inspect_corpus(
    context: click.Context, corpus: Path, output: Path | None, syncers: Path | None, quiet: bool
) -> None:
    """Examine CORPUS before training; exit status 1 if something in it is damaged."""
    if output is not None:
        check_output(output)
    from headmotion.data.inspection import inspect_corpus as examine

    report = examine(corpus, output, syncers=syncers, quiet=quiet)
    if output is None:
        click.echo(json.dumps(report.summary(), indent=2))
    else:
        show(output)
    context.exit(0 if report.is_intact else 1)
