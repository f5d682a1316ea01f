"""The command train."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from .command import command
from .console import echo, show
from .option_rules import Rule, option_rules
from .options import any_path, brief_waits, check_folder, check_output, device, existing_file, options, quiet

RULES = (Rule(("output", "syncers", "resume"), "a training, not for --dry-run", lambda args: not args["dry_run"]),)


@command()
@click.argument("recipe")
@options(
    click.option("--data", required=True, multiple=True, help="Corpus to train on; may be given several times."),
    click.option("-o", "--output", type=any_path, help="Folder of the run; gets model.safetensors."),
    click.option("--set", "overrides", multiple=True, metavar="A.B=V", help="Change one value of the recipe."),
    click.option("--from", "start", metavar="MODEL", help="Bundled model or checkpoint that the training starts from."),
    click.option("--syncers", type=existing_file, help="syncers.safetensors of another run, instead of training them."),
    click.option("--resume", is_flag=True, help="Continue from the run's last saved state."),
    click.option("--dry-run", is_flag=True, help="Print the recipe, sizes, time and memory; train nothing."),
    device,
    click.option("--seed", type=int, help="Seed of weights, batches and noise.  [default: the recipe's]"),
    quiet,
)
@option_rules(*RULES)
def train(
    recipe: str,
    data: tuple[str, ...],
    output: Path | None,
    overrides: tuple[str, ...],
    start: str | None,
    syncers: Path | None,
    resume: bool,
    dry_run: bool,
    device: str,
    seed: int | None,
    quiet: bool,
) -> None:
    """Train a model by RECIPE (a bundled name or a .yaml file)."""
    brief_waits()
    changes = [*overrides, *([] if seed is None else [f"seed={seed}"])]
    is_first = os.environ.get("RANK", "0") == "0"  # of several processes that torchrun starts, one prints
    if output is not None:
        check_folder(output)
        check_output(output / "model.safetensors")
    elif not dry_run:
        raise click.MissingParameter(param_type="option", param_hint="'-o' / '--output'")
    if is_first and not quiet:
        _print_feature_folder(recipe, changes)
    if output is None:
        from headmotion.training.dry_run import dry_run as measure

        estimate = measure(recipe, list(data), device, changes, start)
        if is_first:
            echo(str(estimate).rstrip("\n"))
        return
    from headmotion.training import train as run_training

    optional: dict[str, Any] = {"syncers": syncers, "start": start}
    try:
        model = run_training(recipe, list(data), output, device, changes, resume=resume, quiet=quiet, **optional)
    except KeyboardInterrupt:
        if is_first:
            _print_how_to_go_on(output)
        raise
    if is_first:
        if not quiet and (output / "log.jsonl").exists():
            _print_last_values(output / "log.jsonl")
        if not quiet:
            _print_license(model)
        show(model)


def _print_how_to_go_on(run: Path) -> None:
    """Print on standard error what becomes of a training that is interrupted."""
    if (run / "state.safetensors").exists():
        echo("note: the same command with --resume goes on from the last saved step", err=True)
    else:
        echo("note: nothing is saved yet; the same command starts anew", err=True)


def _print_feature_folder(recipe: str, changes: Sequence[str]) -> None:
    """Print on standard error where a bundled recipe keeps features, which is not in the folder of the run."""
    from headmotion.core.plugins import registry
    from headmotion.training.recipe import load_recipe

    folder = load_recipe(recipe, changes).data.feature_cache
    if folder is None or recipe not in registry().recipes:
        return
    if not any(change.startswith("data.feature_cache=") for change in changes):
        remedy = "--set data.feature_cache=FOLDER names another one, null keeps none"
        echo(
            f"note: features of the clips are kept in {Path(folder).absolute()}, for all trainings; {remedy}", err=True
        )


def _print_license(model: Path) -> None:
    """Print on standard error if what was trained may not be given away: nobody would look for it in the card."""
    from headmotion.core.checkpoint import read_header

    if not read_header(model).card.get("distribute"):
        text = "not all of the clips allow that weights trained on them are given away, and the model's card says so"
        echo(f"note: {text}; --set data.distributable_only=true uses only those that do", err=True)


def _print_last_values(log: Path) -> None:
    """Print the values of the last step of each phase on standard error."""
    last: dict[str, dict[str, Any]] = {}
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            if "warning" not in entry:
                last[str(entry["phase"])] = entry
    for phase, entry in last.items():
        values = (f"{name} {value:.4g}" for name, value in entry.items() if isinstance(value, float))
        echo(f"{phase}, step {entry['step']}: {', '.join(values)}", err=True)
