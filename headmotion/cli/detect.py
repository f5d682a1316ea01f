"""The command that finds faces: detect."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from .command import command
from .console import show
from .option_rules import Arguments, Rule, option_rules
from .options import any_path, check_output, check_suffix, existing_file, face, one_thread, options


def _is_video(args: Arguments) -> bool:
    from headmotion.media.file_kind import file_kind

    return file_kind(args["source"]) != "picture"


@command()
@click.argument("source", metavar="PICTURE|VIDEO", type=existing_file)
@options(
    click.option(
        "-o",
        "--output",
        type=any_path,
        required=True,
        help="File for the motion: .npz, .json, .csv, .bvh, .glb, .gltf or .vtt.",
    ),
    click.option(
        "--representation",
        default="landmarks68",
        show_default=True,
        metavar="TYPE",
        help="What is found: landmarks68, mesh478, blendshapes, or what the detector gives.",
    ),
    click.option("--detector", help="face-mesh, mediapipe, face-alignment or a .task file.  [default: face-mesh]"),
    face,
    click.option("--fps", default="25", show_default=True, help="Frames per second, such as 30 or 30000/1001."),
)
@option_rules(Rule(("fps",), "a video", _is_video))
def detect(
    source: Path, output: Path, representation: str, detector: str | None, face: int | Literal["largest"], fps: str
) -> None:
    """Find one face in a picture or a video, and write its landmarks or blend shapes as a motion."""
    check_output(output)
    from headmotion.core.plugins import registry

    check_suffix(output, registry().written_suffixes, has_folders=False)
    one_thread()
    from headmotion.detectors.detect_motion import detect_motion

    show(detect_motion(source, representation, detector, face, fps).save(output))
