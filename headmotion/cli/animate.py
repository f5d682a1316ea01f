"""Commands that make motion and pictures: demo and animate."""

from __future__ import annotations

import os
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from .console import show
from .options import F, any_path, check_output, device, existing_file, one_thread, options, quiet, seed, spec_fields

if TYPE_CHECKING:
    from headmotion.core.interfaces.renderer import Renderer


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
    """Add an option per control; the names are those of `headmotion.controls.from_options`."""
    return options(
        click.option("--head", type=float, metavar="AMOUNT", help="Amount of head motion: 0 none, 1 unchanged."),
        click.option("--lips", type=float, metavar="GAIN", help="Gain of lips and jaw: 1 unchanged."),
        click.option("--close-silence/--no-close-silence", help="Close the mouth in silence."),
        click.option("--smooth", type=float, metavar="MS", help="Window of a moving average."),
        click.option("--blink", type=float, metavar="RATE", help="Blinks to add per minute."),
        click.option("--look-at", metavar="YAW,PITCH", callback=_angles, help="Degrees to the right and up."),
        click.option("--hold-pose/--no-hold-pose", help="Hold the head exactly still."),
        click.option("--limit/--no-limit", help="Limit openings and angles to what people reach."),
    )(command)


def _renderer(context: click.Context, parameter: click.Parameter, value: str | None) -> dict[str, Any] | None:
    """Return the spec of a renderer as JSON values, from a type or from JSON."""
    return None if value is None else spec_fields(value, '{"type": "skeleton", "size": 256}')


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
    show(make_demo(output, device=device, seed=seed, quiet=quiet))


def make_demo(
    output_dir: str | os.PathLike[str] = "out", device: str = "auto", seed: int = 0, quiet: bool = True
) -> Path:
    """Let the bundled portrait speak the bundled speech.

    Args:
        output_dir: folder for ``talk.mp4``.
        device: ``auto``, or a device of this machine.
        seed: seed of the generator's noise.
        quiet: no progress bar.

    Returns:
        Path of the video.

    Raises:
        ImageError: the folder cannot be made or written.
    """
    import headmotion

    with as_file(files("headmotion") / "assets") as assets:
        portrait, landmarks, speech = (
            assets / name for name in ("portrait.png", "portrait_landmarks.npz", "speech.flac")
        )
        pipe = headmotion.load("ms-sync", device=device)
        blinks = headmotion.controls.blink(12, seed=seed)
        motion = pipe.generate(speech, reference=landmarks, seed=seed, controls=[blinks])
        return pipe.render(
            motion,
            Path(output_dir) / "talk.mp4",
            image=portrait,
            audio=speech,
            landmarks=landmarks,
            renderer={"type": "portrait", "crop": "head", "size": 512},
            quiet=quiet,
        )


@click.command()
@click.argument("audio", type=existing_file)
@options(
    click.option("--image", type=existing_file, help="Still picture of the face; without it, the landmarks are drawn."),
    click.option(
        "--landmarks",
        type=existing_file,
        help="Pose in the picture: .npz with the key 'landmarks'.  [default: found by a detector]",
    ),
    click.option("--detector", help="face-mesh, mediapipe, face-alignment or a .task file.  [default: face-mesh]"),
    click.option(
        "--face", default="largest", callback=_face, metavar="N|largest", help="Which face, counted from the left."
    ),
    click.option(
        "-o", "--output", type=any_path, required=True, help="talk.mp4, .webm or .gif, or a folder for PNG pictures."
    ),
    click.option("--model", default="ms-sync", show_default=True, help="Name of a bundled model, or a checkpoint."),
    click.option("--fps", help="Frames per second, such as 30 or 30000/1001.  [default: the model's own]"),
    click.option(
        "--renderer",
        callback=_renderer,
        metavar="TYPE|JSON",
        help="Renderer: a type such as skeleton, or a spec.  [default: the model's own]",
    ),
    click.option("--crop", type=click.Choice(["head", "none"]), help="Show the head only, or the whole picture."),
    click.option("--size", type=int, metavar="N", help="Longer edge in pixels.  [default: the picture's]"),
    click.option("--style", metavar="NAME", help="Style of motion, for a generator with styles."),
    click.option(
        "--listener-audio",
        type=existing_file,
        help="Speech of the other person of a dialogue, for a generator that supports it.",
    ),
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
    renderer: dict[str, Any] | None,
    crop: str | None,
    size: int | None,
    style: str | None,
    listener_audio: Path | None,
    device: str,
    seed: int,
    quiet: bool,
    **edits: Any,
) -> None:
    """Turn the speech in AUDIO into a video of moving landmarks, or of a talking picture."""
    one_thread()
    import headmotion
    from headmotion.media.frames_writer import check_target

    # Before the model is loaded, so that a mistake shows at once.
    check_target(output)
    check_output(output, may_be_folder=not output.suffix)
    controls = headmotion.controls.from_options(**edits, seed=seed)
    pipe = headmotion.load(model, device=device)
    reference = pipe.reference(landmarks or image, detector=detector, face=face)
    speech = headmotion.Audio.load(audio)  # once, so that its header is not read again for the sound track
    motion = pipe.iter_motion(
        speech, reference, seed=seed, fps=fps, controls=controls, style=style, listener_audio=listener_audio
    )
    view = {name: value for name, value in (("crop", crop), ("size", size)) if value is not None}
    renderer_fields = (renderer or _suitable_renderer(pipe.renderer, image is not None)) | view
    show(pipe.render(motion, output, image=image, audio=speech, renderer=renderer_fields, quiet=quiet))


def _suitable_renderer(own: Renderer, has_image: bool) -> dict[str, Any]:
    """Return the spec of the model's renderer, or of one that takes a picture if there is one, and none if not.

    A trained renderer is always the model's own: no other one draws what the model has learned.
    """
    if own.needs_image == has_image or next(own.parameters(), None) is not None:
        return own.spec.model_dump(mode="json")
    return {"type": "portrait" if has_image else "skeleton"}
