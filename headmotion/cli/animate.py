"""Commands that make motion and pictures: demo and animate."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import click

from headmotion.core.default_model import DEFAULT_MODEL

from .console import show
from .options import (
    F,
    any_path,
    check_output,
    device,
    existing_file,
    face,
    one_thread,
    options,
    quiet,
    seed,
    spec_fields,
)

SOME_FAILED = 1
"""Exit status of ``animate`` if some of several files failed."""
ONLY_FOR_SEVERAL = ("format_name", "report", "workers", "ray", "timeout")
"""Options of ``animate`` that one file does not take."""
ONLY_FOR_VIDEOS = ("renderer", "crop", "size")
"""Options of ``animate`` that a file for another program does not take."""
SHOWN_FAILURES = 5
"""Failures that are printed; the report has all."""


def _angles(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[float, float] | None:
    if value is None:
        return None
    try:
        yaw, pitch = map(float, value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not two numbers, such as 15,-5.") from None
    return yaw, pitch


def _weights(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, float] | None:
    """Return changes by name from texts such as ``jawOpen=+0.2``."""
    changes = {}
    for value in values:
        name, _, number = value.partition("=")
        try:
            changes[name] = float(number)
        except ValueError:
            raise click.BadParameter(f"{value[:80]!r} is not NAME=NUMBER, such as jawOpen=+0.2.") from None
    return changes or None


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
        click.option(
            "--weight",
            "--au",
            "weights",
            multiple=True,
            metavar="NAME=CHANGE",
            callback=_weights,
            help="Raise or lower a blend shape or action unit, such as jawOpen=+0.2 or AU26=-0.1.",
        ),
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
        pipe = headmotion.load(device=device)
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
@click.argument("audio", nargs=-1, type=any_path)
@options(
    click.option("--jobs", type=existing_file, help="Table (CSV) with a row per file: audio, image, output, options."),
    click.option("--image", type=existing_file, help="Still picture of the face; without it, the landmarks are drawn."),
    click.option(
        "--landmarks",
        type=existing_file,
        help="Pose in the picture: .npz with the key 'landmarks'.  [default: found by a detector]",
    ),
    click.option("--detector", help="face-mesh, mediapipe, face-alignment or a .task file.  [default: face-mesh]"),
    face,
    click.option(
        "--mouth",
        type=click.Choice(["auto", "closed", "as-is"]),
        default="auto",
        show_default=True,
        help="Start from closed lips: where the mouth is wide open, always, or never.",
    ),
    click.option(
        "-o",
        "--output",
        "outputs",
        type=any_path,
        multiple=True,
        help="talk.mp4, .webm or .gif, or a folder for PNG pictures; motion: .npz, .json, .csv, .glb, .bvh, .vtt; "
        "several for one speech. A folder for the outputs of several files.",
    ),
    click.option(
        "--format",
        "format_name",
        default="mp4",
        show_default=True,
        metavar="NAME",
        help="Format of the outputs of several files: mp4, webm, gif, png; for the motion npz, json, csv, glb ...",
    ),
    click.option("--report", type=any_path, help="Report on several files.  [default: report.csv in their folder]"),
    click.option("--workers", type=click.IntRange(0), metavar="N", help="Processes.  [default: one per processor]"),
    click.option("--ray", metavar="ADDRESS", help="Use this Ray cluster instead of local processes, such as auto."),
    click.option(
        "--timeout", type=float, default=300, show_default=True, metavar="S", help="Longest time without progress."
    ),
    click.option("--model", default=DEFAULT_MODEL, show_default=True, help="Name of a bundled model, or a checkpoint."),
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
    click.option("--audio-track", type=click.IntRange(1), help="Audio track, from 1.  [default: the main one]"),
    _edits,
    device,
    seed,
    quiet,
)
@click.pass_context
def animate(
    context: click.Context,
    /,
    audio: tuple[Path, ...],
    jobs: Path | None,
    image: Path | None,
    outputs: tuple[Path, ...],
    format_name: str,
    report: Path | None,
    workers: int | None,
    ray: str | None,
    timeout: float,
    model: str,
    device: str,
    quiet: bool,
    **choices: Any,
) -> None:
    """Turn the speech in AUDIO into a video of moving landmarks, or of a talking picture, or into the motion itself.

    Several files, folders or patterns give a video each, in the folder --output; so does a table (--jobs).
    """
    one_thread()
    if not outputs and (jobs is None or audio):
        raise click.MissingParameter(param_hint="'-o' / '--output'", param_type="option", ctx=context)
    given = {name: str(value) if isinstance(value, Path) else value for name, value in choices.items()}
    if jobs is None and len(audio) == 1 and not _is_several(audio[0]):
        speech = existing_file.convert(audio[0], context.command.params[0], context)
        for name in ONLY_FOR_SEVERAL:
            if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
                raise click.UsageError(f"--{name.removesuffix('_name')} is for several files.", context)
        for path in _animate_one(speech, image, outputs, model, device, given, quiet):
            show(path)
        return
    if len(outputs) > 1:
        raise click.UsageError("Several files have one folder (-o), with the format --format.", context)
    output = next(iter(outputs), None)
    from headmotion.pipeline.generate_job import GenerateOptions
    from headmotion.pipeline.generate_many import REPORT, run_tasks
    from headmotion.pipeline.jobs_table import tasks_from_paths, tasks_from_table

    suffix = "" if format_name == "png" else f".{format_name}"
    if jobs is not None and audio:
        raise click.UsageError("Give audio files or a table (--jobs), not both.", context)
    if jobs is not None:
        tasks = tasks_from_table(jobs, output, suffix, image, given)
        path = report or (jobs.with_name(f"{jobs.stem}-report.csv") if output is None else output / REPORT)
    elif not audio:
        raise click.MissingParameter(param_hint="'AUDIO'", param_type="argument", ctx=context)
    else:
        assert output is not None
        tasks = tasks_from_paths(audio, output, suffix, image, GenerateOptions.parse(given))
        path = report or output / REPORT
    check_output(path)
    results = run_tasks(tasks, model, device, path, workers, ray, timeout, quiet)
    click.echo(str(results), err=True)
    for failure in results.failed[:SHOWN_FAILURES]:
        click.echo(f"failed: {failure.job}: {failure.error}", err=True)
    show(results.path)
    context.exit(SOME_FAILED if results.failed else 0)


def _is_several(path: Path) -> bool:
    """Return whether an argument stands for several files: a folder or a pattern."""
    return path.is_dir() or (not path.exists() and any(sign in str(path) for sign in "*?["))


def _animate_one(
    audio: Path,
    image: Path | None,
    outputs: Sequence[Path],
    model: str,
    device: str,
    choices: dict[str, Any],
    quiet: bool,
) -> Iterator[Path]:
    """Write the outputs of one file in this process, and yield their paths."""
    from headmotion.core.plugins import registry

    motion_files = [output for output in outputs if output.suffix.lower() in registry().written_suffixes]
    videos = [output for output in outputs if output not in motion_files]
    if not videos and (video := [name for name in ONLY_FOR_VIDEOS if choices[name] is not None]):
        raise click.UsageError(f"--{video[0]} is for videos and pictures, not for {outputs[0].suffix}.")
    if len(set(outputs)) < len(outputs):
        raise click.UsageError("--output names a file twice.")
    import headmotion
    from headmotion.media.frames_writer import check_target
    from headmotion.pipeline.generate_job import GenerateOptions, iter_motion, write_video

    # Before the model is loaded, so that a mistake shows at once.
    for output in videos:
        check_target(output)
    for output in outputs:
        check_output(output, may_be_folder=not output.suffix)
    chosen = GenerateOptions.parse(choices)
    headmotion.controls.from_options(**chosen.control_options())
    pipe, speech = headmotion.load(model, device=device), headmotion.Audio.load(audio, chosen.audio_track)
    source = chosen.landmarks or image
    reference = pipe.reference(source, detector=chosen.detector, face=chosen.face, mouth=chosen.mouth)
    parts = iter_motion(pipe, speech, chosen, reference)
    if len(outputs) == len(videos) == 1:  # drawn as it is generated, in constant memory
        yield write_video(pipe, parts, videos[0], image, speech, chosen, quiet=quiet)
        return
    motion = headmotion.Motion.concatenate(list(parts))
    for output in outputs:
        if output in motion_files:
            yield motion.save(output)
        else:
            yield write_video(pipe, [motion], output, image, speech, chosen, quiet=quiet)
