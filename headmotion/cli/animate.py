"""The command that turns speech into motion and pictures: animate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from headmotion.core.default_model import DEFAULT_MODEL
from headmotion.core.errors import one_line

from .animate_one import prepare_outputs
from .command import command
from .console import echo, show
from .edit_options import edits
from .option_rules import Arguments, Rule, given_options, option_rules
from .options import (
    any_path,
    check_folder,
    check_output,
    device,
    drawing,
    existing_file,
    face,
    one_thread,
    options,
    quiet,
    seed,
)
from .piped_speech import is_piped, speech_file

if TYPE_CHECKING:
    from headmotion.pipeline.generate_tasks import Task

SOME_FAILED = 1
"""Exit status of ``animate`` if some of several files failed."""
SHOWN_FAILURES = 5
"""Failures that are printed; the report has all."""


def _are_several(args: Arguments) -> bool:
    """Return whether the arguments stand for several files: a table, several paths, a folder or a pattern."""
    paths: tuple[Path, ...] = args["audio"]
    return args["jobs"] is not None or len(paths) != 1 or _is_several(paths[0])


def _refuse_motion(path: Path) -> None:
    from headmotion.core.plugins import MOTION_SUFFIXES, registry

    if path.suffix.lower() in (*MOTION_SUFFIXES, *registry().motion_readers):
        remedy = "headmotion render draws it, and headmotion export converts it"
        raise click.BadParameter(f"{path.name!r} is a motion, and speech is expected; {remedy}.", param_hint="AUDIO")


def _is_several(path: Path) -> bool:
    return path.is_dir() or (not path.exists() and any(sign in str(path) for sign in "*?["))


RULES = (
    Rule(("format_name", "report", "workers", "ray", "timeout"), "several files", _are_several),
    Rule(("workers",), "processes of this machine, not for --ray", lambda args: args["ray"] is None),
    Rule(("timeout",), "other processes, not for --workers 0", lambda args: args["ray"] or args["workers"] != 0),
)


@command()
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
    drawing,
    click.option(
        "--style",
        metavar="NAME|FILE",
        help="Style of motion, for a generator with styles: its name, or a motion file or video of a person.",
    ),
    click.option(
        "--listener-audio",
        type=existing_file,
        help="Speech of the other person of a dialogue, for a generator that supports it.",
    ),
    click.option("--audio-track", type=click.IntRange(1), help="Audio track, from 1.  [default: the main one]"),
    edits,
    device,
    seed,
    quiet,
)
@click.pass_context
@option_rules(*RULES)
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

    AUDIO "-" is standard input. Several files, folders or patterns give a video each, in the folder --output; so does a
    table (--jobs).
    """
    one_thread()
    if not outputs and (jobs is None or audio):
        raise click.MissingParameter(param_hint="'-o' / '--output'", param_type="option", ctx=context)
    chosen = given_options(context, choices)
    if not _are_several(context.params):
        if not is_piped(audio[0]):
            _refuse_motion(existing_file.convert(audio[0], context.command.params[0], context))
        writer = prepare_outputs(context, outputs, model, device, image, chosen, quiet)
        with speech_file(audio[0]) as speech:
            for path in writer.write(speech):
                show(path)
        return
    from headmotion.pipeline.generate_many import run_tasks

    tasks, path = _several_tasks(context, audio, jobs, image, outputs, format_name, report, chosen)
    results = run_tasks(tasks, model, device, path, workers, ray, timeout, quiet)
    echo(str(results), err=True)
    for failure in results.failed[:SHOWN_FAILURES]:
        echo(f"failed: {one_line(failure.job)}: {failure.error}", err=True)
    show(results.path)
    context.exit(SOME_FAILED if results.failed else 0)


def _several_tasks(
    context: click.Context,
    audio: Sequence[Path],
    jobs: Path | None,
    image: Path | None,
    outputs: Sequence[Path],
    format_name: str,
    report: Path | None,
    chosen: Mapping[str, Any],
) -> tuple[list[Task], Path]:
    """Return the tasks of several files, and the path of the report, after a check that outputs can be written."""
    from headmotion.pipeline.generate_many import REPORT
    from headmotion.pipeline.generate_options import GenerateOptions
    from headmotion.pipeline.generate_tasks import tasks_from_paths
    from headmotion.pipeline.jobs_table import tasks_from_table

    if len(outputs) > 1:
        raise click.UsageError("Several files have one folder (-o), with the format --format.", context)
    if jobs is not None and audio:
        raise click.UsageError("Give audio files or a table (--jobs), not both.", context)
    output = next(iter(outputs), None)
    suffix = "" if format_name == "png" else f".{format_name}"
    if jobs is not None:
        tasks = tasks_from_table(jobs, output, suffix, image, chosen)
        path = report or (jobs.with_name(f"{jobs.stem}-report.csv") if output is None else output / REPORT)
    elif not audio:
        raise click.MissingParameter(param_hint="'AUDIO'", param_type="argument", ctx=context)
    else:
        assert output is not None
        tasks = tasks_from_paths(audio, output, suffix, image, GenerateOptions.parse(chosen))
        path = report or output / REPORT
    if output is not None:
        check_folder(output)
    check_output(path)
    return tasks, path
