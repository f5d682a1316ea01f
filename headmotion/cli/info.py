"""Commands that print information: licenses, schema and inspect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from .command import command
from .console import echo, show
from .option_rules import Arguments, Rule, option_rules
from .options import any_path, check_output, existing_file
from .source_groups import short_card


@command()
def licenses() -> None:
    """List bundled and optional data with its license and source."""
    from headmotion.core.plugins import registry

    echo("headmotion  Apache-2.0")
    for plugin, assets in registry().assets.items():
        for asset in assets:
            echo(f"{asset.name}  {asset.license}  {'bundled' if asset.bundled else 'optional'}, by {plugin}")
            for line in filter(None, (asset.source, asset.note)):
                echo(f"    {line}")


@command()
@click.argument("what", type=click.Choice(["pipeline", "recipe"]), default="pipeline")
@click.option("-o", "--output", type=any_path, help="File to write instead of printing.")
def schema(what: str, output: Path | None) -> None:
    """Print the JSON schema of a pipeline spec, or of a recipe, with every installed plugin's types."""
    if output is not None:
        check_output(output)
    from headmotion.core.pipeline_spec import PipelineSpec
    from headmotion.training.recipe import RecipeSpec

    described = PipelineSpec if what == "pipeline" else RecipeSpec
    text = json.dumps(described.model_json_schema(), indent=2)
    if output is None:
        echo(text)
        return
    from headmotion.core.files import atomic_output, write_text

    with atomic_output(output) as temporary:
        write_text(temporary, text + "\n")
    show(output)


def _model_or_file(context: click.Context, parameter: click.Parameter, value: str) -> Path:
    """Return the file of a bundled model, or the existing file itself."""
    from headmotion.core.plugins import registry

    bundled = registry().models.get(value)
    if not bundled and (hint := _what_to_inspect(Path(value))):
        raise click.BadParameter(f"{value!r} is a folder: {hint}.", param_hint="FILE")
    return Path(bundled or existing_file.convert(value, parameter, context))


def _what_to_inspect(folder: Path) -> str:
    """Return how a corpus, or the folder of a run, is inspected; nothing of anything else."""
    if any((folder / name).is_file() for name in ("corpus.json", "index.csv")):
        return "headmotion inspect-corpus takes a corpus"
    model = folder / "model.safetensors"
    return f"give {model}" if model.is_file() else ""


def _is_model(args: Arguments) -> bool:
    return bool(args["file"].suffix == ".safetensors")


@command()
@click.argument("file", callback=_model_or_file)
@click.option("--all", "in_full", is_flag=True, help="List all sources of a model's training data.")
@option_rules(Rule(("in_full",), "a model", _is_model))
def inspect(file: Path, in_full: bool) -> None:
    """Print the metadata of FILE; nothing in it is executed.

    FILE is a model (.safetensors, or the name of a bundled one) or a motion file (.npz, .json, .csv, .bvh).
    """
    echo(json.dumps(_metadata(file, in_full), indent=2, sort_keys=True))


def _metadata(file: Path, in_full: bool) -> dict[str, Any]:
    from headmotion.core.plugins import registry

    if file.suffix.lower() in registry().motion_suffixes:
        from headmotion.core.motion import Motion

        return Motion.load(file).summary()
    from headmotion.core.checkpoint import read_header
    from headmotion.core.errors import CheckpointError

    try:
        summary = read_header(file).summary()
        return summary if in_full else summary | {"card": short_card(summary["card"])}
    except CheckpointError:
        if file.suffix == ".safetensors":
            raise
        kinds = ", ".join(registry().motion_suffixes)
        raise click.BadParameter(f"{str(file)!r} is neither a model (.safetensors) nor a motion ({kinds}).") from None
