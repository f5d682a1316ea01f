"""Commands that make motion and pictures: demo and animate."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from .options import F, any_path, check_output, device, existing_file, one_thread, options, quiet, seed, show


def _face(context: click.Context, parameter: click.Parameter, value: str) -> int | Literal["largest"]:
    if value == "largest":
        return "largest"
    if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value)):
        raise click.BadParameter(f"{value[:80]!r} is neither 'largest' nor a number from 1.")
    return int(value)


def _angles(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[float, float] | None:
    if value is None:
        return None
    try:
        yaw, pitch = map(float, value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not two numbers, such as 15,-5.") from None
    return yaw, pitch


def _edits(command: F) -> F:
    """The controls by name and number, as `headmotion.controls.from_options` takes them."""
    return options(
        click.option("--head", type=float, metavar="AMOUNT", help="Amount of head motion: 0 none, 1 as it comes."),
        click.option("--lips", type=float, metavar="GAIN", help="Gain of lips and jaw: 1 as they come."),
        click.option("--close-silence/--no-close-silence", help="Close the mouth where nobody speaks."),
        click.option("--smooth", type=float, metavar="MS", help="Window of a moving average."),
        click.option("--blink", type=float, metavar="RATE", help="Blinks to add per minute."),
        click.option("--look-at", metavar="YAW,PITCH", callback=_angles, help="Degrees to the right and up."),
        click.option("--hold-pose/--no-hold-pose", help="Hold the head exactly still."),
        click.option("--limit/--no-limit", help="Keep openings and angles within what is seen in people."),
    )(command)


@click.command()
@options(
    click.option("-o", "--output", type=any_path, default="out", show_default=True, help="Folder for the video."),
    device,
    seed,
    quiet,
)
def demo(output: Path, device: str, seed: int, quiet: bool) -> None:
    """Animate the bundled portrait with the bundled speech."""
    one_thread()
    check_output(output / "talk.mp4")
    from headmotion.cli.demo import demo as make

    show(make(output, device=device, seed=seed, quiet=quiet))


@click.command()
@click.argument("audio", type=existing_file)
@options(
    click.option("--image", type=existing_file, help="Still picture of the face; without it the motion is drawn."),
    click.option(
        "--landmarks",
        type=existing_file,
        help="The pose in the picture: .npz with the key 'landmarks'.  [default: found by a detector]",
    ),
    click.option("--detector", help="mediapipe, face-alignment or a .task file.  [default: what is installed]"),
    click.option("--face", default="largest", callback=_face, metavar="N|largest", help="Which face, from the left."),
    click.option("-o", "--output", type=any_path, required=True, help="talk.mp4, .webm or .gif, or a folder for PNGs."),
    click.option("--model", default="ms-sync", show_default=True, help="Name of a bundled model, or a checkpoint."),
    click.option("--fps", help="Frames per second, such as 30 or 30000/1001.  [default: the model's own]"),
    click.option("--renderer", help="How to draw, such as skeleton.  [default: portrait with --image, else skeleton]"),
    click.option("--crop", type=click.Choice(["head", "none"]), help="Show the head alone, or all of the picture."),
    click.option("--size", type=int, metavar="N", help="Longer edge in pixels.  [default: the picture's]"),
    click.option("--style", metavar="NAME", help="How to move, for a generator that knows styles."),
    click.option("--listener-audio", type=existing_file, help="Whom the speaker talks with, for one that hears them."),
    _edits,
    device,
    seed,
    quiet,
)
def animate(
    audio: Path,
    image: Path | None,
    landmarks: Path | None,
    detector: str | None,
    face: int | Literal["largest"],
    output: Path,
    model: str,
    fps: str | None,
    renderer: str | None,
    crop: str | None,
    size: int | None,
    style: str | None,
    listener_audio: Path | None,
    device: str,
    seed: int,
    quiet: bool,
    **edits: Any,
) -> None:
    """Turn the speech in AUDIO into a video of moving landmarks, or of a still picture that talks."""
    one_thread()
    import headmotion
    from headmotion.media.frames_writer import check_target

    check_target(output)
    check_output(output, may_be_folder=not output.suffix)
    controls = headmotion.controls.from_options(**edits, seed=seed)
    pipe = headmotion.load(model, device=device)
    reference = pipe.reference(landmarks or image, detector=detector, face=face)
    speech = headmotion.Audio.load(audio)  # once, so that its header is not read again for the sound track
    motion = pipe.iter_motion(speech, reference, seed, fps, controls, style, listener_audio)
    view = {name: value for name, value in (("crop", crop), ("size", size)) if value is not None}
    drawn = {"type": renderer or ("portrait" if image else "skeleton")} | view
    show(pipe.render(motion, output, image=image, audio=speech, renderer=drawn, quiet=quiet))
