"""Commands that make synthetic training data: synthesize."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import any_path, check_output, options, quiet, show


def _names(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Names with commas between."""
    return None if value is None else tuple(name.strip() for name in value.split(",") if name.strip())


@click.command()
@options(
    click.option("-o", "--output", type=any_path, required=True, help="Folder of the corpus."),
    click.option("--clips", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="Number of clips."),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of words, voices, faces."),
    click.option("--languages", callback=_names, metavar="A,B", help="Languages out of en, de, fr, es, it.  [all]"),
    click.option("--voices", callback=_names, metavar="A,B", help="Variants of espeak-ng's voices, such as m1,f1."),
    quiet,
)
def synthesize(output: Path, quiet: bool, **choices: Any) -> None:
    """Make a corpus of synthetic speakers, whose words espeak-ng speaks."""
    check_output(output, may_be_folder=True)
    from headmotion.data.spoken.corpus import write_spoken

    given = {name: value for name, value in choices.items() if value is not None}
    show(write_spoken(output, quiet=quiet, **given))
