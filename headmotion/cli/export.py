"""The command that writes files for other programs: export."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from .command import command
from .console import show
from .option_rules import Arguments, Rule, option_rules
from .options import any_path, check_folder, check_output, check_picture, existing_file, one_thread, options, seed


def _is_motion(args: Arguments) -> bool:
    from headmotion.core.plugins import registry

    return args["source"] is not None and Path(args["source"]).suffix.lower() in registry().motion_suffixes


def _is_model(args: Arguments) -> bool:
    return not _is_motion(args)


FILE_OPTIONS = ("format", "representation", "reference", "precision")
RULES = (
    Rule(FILE_OPTIONS, "a file, not for --web", lambda args: not args["web"]),
    Rule(("runtime", "image"), "a page (--web)", lambda args: args["web"]),
    Rule(("format", "representation"), "a MOTION", _is_motion),
    Rule(("reference", "precision", "seed", "web"), "a MODEL", _is_model),
    Rule(("precision",), "an .onnx file", lambda args: args["output"].suffix != ".npz"),
)


@command()
@click.argument("source", metavar="MODEL|MOTION", required=False)
@options(
    click.option("-o", "--output", type=any_path, required=True, help="File to write; its suffix is the format."),
    click.option("--format", metavar="NAME", help="Format, such as live-link, if the suffix is ambiguous."),
    click.option("--to", "representation", metavar="TYPE", help="Convert a motion first, for example to blendshapes."),
    click.option("--web", is_flag=True, help="Write a folder with a page in which the model talks, without a server."),
    click.option("--runtime", type=any_path, help="Folder of the npm package onnxruntime-web, for --web."),
    click.option("--image", type=existing_file, help="Picture of the face of --web.  [default: the bundled one]"),
    click.option("--reference", type=existing_file, help="Pose that a model's motion starts from.  [default: neutral]"),
    click.option(
        "--precision",
        type=click.Choice(["32", "int8"]),
        default="32",
        show_default=True,
        help="Bits of a model's weights.",
    ),
    seed,
)
@option_rules(*RULES)
def export(
    source: str | None,
    output: Path,
    format: str | None,
    representation: str | None,
    web: bool,
    runtime: Path | None,
    image: Path | None,
    reference: Path | None,
    precision: Literal["32", "int8"],
    seed: int,
) -> None:
    """Write MOTION for another program, or MODEL's streaming step as .onnx, or as a page (--web).

    A MOTION is an .npz, .json, .csv or .bvh file.

    For a MODEL, .npz is the initial state of the step, for another reference or seed. With int8 weights the motion
    differs a little; a warning says how much. A page has the model of `headmotion animate` if none is named.
    """
    if web:
        check_folder(output)
        _export_web(source, output, runtime, image, seed)
        return
    if source is None:
        raise click.UsageError("Missing argument 'MODEL|MOTION'.")
    check_output(output)
    if _is_motion({"source": source}):
        _export_motion(Path(source), output, format, representation)
    else:
        _export_model(source, output, reference, precision, seed)


def _export_motion(source: Path, output: Path, format: str | None, representation: str | None) -> None:
    from headmotion.export.formats import format_of

    file_format = format_of(output, format)  # before torch is imported, because a mistake should show at once
    from headmotion import Motion
    from headmotion.export import write_motion

    motion = Motion.load(source)
    show(write_motion(motion.to(representation) if representation else motion, output, file_format))


def _export_model(
    source: str, output: Path, reference: Path | None, precision: Literal["32", "int8"], seed: int
) -> None:
    one_thread()
    import headmotion
    from headmotion.export import write_onnx, write_start

    pipeline = headmotion.load(source, device="cpu")
    if output.suffix == ".npz":
        show(write_start(pipeline, output, reference, seed))
    else:
        show(write_onnx(pipeline, output, reference, seed, precision=precision))


def _export_web(source: str | None, output: Path, runtime: Path | None, image: Path | None, seed: int) -> None:
    if image is not None:
        check_picture(image)
    one_thread()
    import headmotion
    from headmotion.studio import write_web_page
    from headmotion.studio.faces import FaceFinder

    pipeline = headmotion.load(device="cpu") if source is None else headmotion.load(source, device="cpu")
    face = None if image is None else FaceFinder().find(image.read_bytes())
    show(write_web_page(pipeline, output, face, runtime, seed))
