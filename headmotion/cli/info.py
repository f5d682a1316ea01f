"""Commands that tell what is there: licenses, schema and inspect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from .options import any_path, existing_file, show


@click.command()
def licenses() -> None:
    """List what is bundled or optional beside code, with its license and source."""
    from headmotion.core.plugins import registry

    click.echo("headmotion  Apache-2.0")
    for plugin, assets in registry().assets.items():
        for asset in assets:
            click.echo(f"{asset.name}  {asset.license}  {'bundled' if asset.bundled else 'optional'}, by {plugin}")
            for line in filter(None, (asset.source, asset.note)):
                click.echo(f"    {line}")


@click.command()
@click.option("-o", "--output", type=any_path, help="File to write instead of printing.")
def schema(output: Path | None) -> None:
    """Print the JSON schema of a pipeline spec, with every installed plugin's types."""
    import headmotion

    text = json.dumps(headmotion.PipelineSpec.model_json_schema(), indent=2)
    if output is None:
        click.echo(text)
        return
    from headmotion.core.files import atomic_output, write_text

    with atomic_output(output) as temporary:
        write_text(temporary, text + "\n")
    show(output)


@click.command()
@click.argument("file", type=existing_file)
def inspect(file: Path) -> None:
    """Print what a checkpoint (.safetensors) or a motion file (.npz, .json) says of itself; runs nothing in it."""
    click.echo(json.dumps(_description(file), indent=2, sort_keys=True))


def _description(file: Path) -> dict[str, Any]:
    if file.suffix in (".npz", ".json"):
        from headmotion.core.motion import Motion

        motion = Motion.load(file)
        _, points, dims = motion.values.shape
        return {
            "frames": len(motion),
            "fps": str(motion.fps),
            "seconds": float(motion.duration),
            "points": points,
            "dims": dims,
            "units": motion.units,
            "representation": dict(motion.representation),
            "provenance": dict(motion.provenance),
        }
    from headmotion.core.checkpoint import read_header

    return read_header(file).summary()
