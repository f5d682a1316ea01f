"""Commands that make models: train."""

from __future__ import annotations

from pathlib import Path

import click

from .options import any_path, check_output, device, options, quiet, show


@click.command()
@click.argument("recipe")
@options(
    click.option("--data", required=True, multiple=True, help="Corpus to train on; may be given several times."),
    click.option("-o", "--output", type=any_path, required=True, help="Folder of the run; gets model.safetensors."),
    click.option("--set", "overrides", multiple=True, metavar="A.B=V", help="Change one value of the recipe."),
    click.option("--resume", is_flag=True, help="Go on from the run's last saved state."),
    device,
    click.option("--seed", type=int, help="Seed of weights, batches and noise.  [default: the recipe's]"),
    quiet,
)
def train(
    recipe: str,
    data: tuple[str, ...],
    output: Path,
    overrides: tuple[str, ...],
    resume: bool,
    device: str,
    seed: int | None,
    quiet: bool,
) -> None:
    """Train a model by RECIPE (a bundled name or a .yaml file)."""
    check_output(output / "model.safetensors")
    from headmotion.training import train as run

    changes = [*overrides, *([] if seed is None else [f"seed={seed}"])]
    show(run(recipe, list(data), output, device=device, overrides=changes, resume=resume, quiet=quiet))
