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
    click.option(
        "--kind",
        type=click.Choice(["spoken", "faces", "gestures", "keypoints"]),
        default="spoken",
        show_default=True,
        help="Words and faces, or made-up phones with faces, bodies that gesticulate, or keypoints of faces.",
    ),
    click.option("--clips", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="Number of clips."),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of words, voices, faces."),
    click.option("--languages", callback=_names, metavar="A,B", help="Languages out of en, de, fr, es, it.  [all]"),
    click.option("--voices", callback=_names, metavar="A,B", help="Variants of espeak-ng's voices, such as m1,f1."),
    quiet,
)
def synthesize(output: Path, kind: str, quiet: bool, **choices: Any) -> None:
    """Make a corpus of synthetic speakers; those of the kind `spoken` have words, which espeak-ng speaks."""
    given = {name: value for name, value in choices.items() if value is not None}
    if kind != "spoken" and (words := sorted({"languages", "voices"} & set(given))):
        raise click.BadParameter("only the kind 'spoken' has words.", param_hint=f"--{words[0]}")
    check_output(output, may_be_folder=True)
    if kind != "spoken":
        from headmotion.data.synthetic.kinds import write_synthetic_shards

        show(write_synthetic_shards(output, kind, **given))
        return
    from headmotion.data.synthetic.espeak.spoken_clips import write_spoken

    show(write_spoken(output, quiet=quiet, **given))
