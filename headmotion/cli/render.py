"""The command that draws a motion from a file: render."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .animate_one import check_drawn
from .command import command
from .console import show
from .option_rules import Arguments, Rule, option_rules
from .options import any_path, check_picture, device, drawing, existing_file, one_thread, options, quiet

if TYPE_CHECKING:
    from headmotion import Motion, Pipeline

SILENT = (".gif", "")
"""Suffixes of outputs without sound; a folder of pictures has none."""


def _uses_audio(args: Arguments) -> bool:
    return args["output"].suffix.lower() not in SILENT or args["model"] is not None


RULES = (
    Rule(("landmarks",), "a picture (--image)", lambda args: args["image"] is not None),
    Rule(("audio",), "a video with sound, or a model that draws from speech (--model)", _uses_audio),
)


@command()
@click.argument("motion", type=existing_file)
@options(
    click.option("-o", "--output", type=any_path, required=True, help="talk.mp4, .webm or .gif, or a folder for PNGs."),
    click.option("--image", type=existing_file, help="Still picture of the face; without it, the landmarks are drawn."),
    click.option(
        "--landmarks",
        type=existing_file,
        help="Pose in the picture.  [default: that from which the motion starts, or found by a detector]",
    ),
    click.option("--audio", type=existing_file, help="Speech, for the sound of the video."),
    click.option("--model", metavar="MODEL", help="Bundled model or checkpoint whose renderer draws.  [default: none]"),
    drawing,
    device,
    quiet,
)
@option_rules(*RULES)
def render(
    motion: Path,
    output: Path,
    image: Path | None,
    landmarks: Path | None,
    audio: Path | None,
    model: str | None,
    device: str,
    quiet: bool,
    **view: Any,
) -> None:
    """Draw MOTION, a file that `animate` wrote, as a video or pictures."""
    one_thread()
    check_drawn(output)
    if image is not None:
        check_picture(image)
    from headmotion import Motion

    loaded = Motion.load(motion)
    pipe = _pipeline(loaded, model, device)
    loaded = loaded.to(pipe.representation)
    # The pose of a motion that was made for no picture lies in none.
    source = landmarks or (image if loaded.units != "px" or loaded.reference is None else None)
    pose = None if source is None else pipe.reference(source, mouth="as-is")
    show(pipe.render(loaded, output, image=image, audio=audio, landmarks=pose, quiet=quiet, **view))


def _pipeline(motion: Motion, model: str | None, device: str) -> Pipeline:
    """Return the pipeline that draws: that of a model, or one of the motion's own representation."""
    import headmotion

    if model is not None:
        return headmotion.load(model, device=device)
    # The generator is not used; it is the smallest.
    generator = {"type": "ms-sync", "preset": "small"}
    spec: dict[str, Any] = {"representation": dict(motion.representation), "generator": generator}
    pipe = headmotion.build(spec, device=device)
    if motion.basis:
        pipe.representation.load_state_dict(dict(motion.basis))
    return pipe
