"""The command that writes files for other programs: export."""

from __future__ import annotations

from pathlib import Path

import click

from .options import any_path, check_output, existing_file, one_thread, options, seed, show

MOTIONS = {".npz", ".json"}


@click.command()
@click.argument("source", metavar="MODEL|MOTION")
@options(
    click.option("-o", "--output", type=any_path, required=True, help="File to write; its suffix says what."),
    click.option("--reference", type=existing_file, help="Pose that a model's motion starts from.  [default: neutral]"),
    seed,
)
def export(source: str, output: Path, reference: Path | None, seed: int) -> None:
    """Write the streaming step of MODEL as .onnx, or its start alone as .npz."""
    one_thread()
    check_output(output)
    import headmotion
    from headmotion.export import write_onnx, write_start

    pipe = headmotion.load(source, device="cpu")
    write = write_start if output.suffix == ".npz" else write_onnx
    show(write(pipe, output, reference=reference, seed=seed))
