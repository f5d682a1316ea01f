"""Commands on corpora: prepare, synthesize and inspect-corpus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from .command import command
from .console import echo, show
from .option_rules import Arguments, Rule, option_rules
from .options import (
    any_path,
    check_folder,
    check_output,
    check_page,
    existing_file,
    existing_path,
    options,
    quiet,
    spec_fields,
)

NO_CLIPS = 1
"""Exit status of ``prepare`` if no video gives a clip."""


def _are_videos(args: Arguments) -> bool:
    """Return whether landmarks are detected in videos, rather than read from a folder."""
    from headmotion.preparation.prepare_videos import holds_landmarks

    paths: tuple[Path, ...] = args["videos"]
    return len(paths) > 1 or args["representation"] is not None or not holds_landmarks(paths[0], args["output"])


VIDEO_OPTIONS = (
    *("detector", "crop", "labels", "min_seconds", "max_seconds", "min_face_px", "syncers", "max_offset_ms"),
    *("workers", "ray", "timeout"),
)
"""Options of ``prepare`` that a folder with landmarks does not take."""
PREPARE_RULES = (
    Rule(VIDEO_OPTIONS, "videos, not for a folder with landmarks", _are_videos),
    Rule(("frame_quality",), "pictures of the face (--frames)", lambda args: args["frames"] is not None),
    Rule(("max_offset_ms",), "offsets that --syncers measure", lambda args: args["syncers"] is not None),
    Rule(("workers",), "processes of this machine, not for --ray", lambda args: args["ray"] is None),
    Rule(("timeout",), "other processes, not for --workers 0", lambda args: args["ray"] or args["workers"] != 0),
)


def _representation(context: click.Context, parameter: click.Parameter, value: str | None) -> dict[str, Any] | None:
    """Return the spec of a representation as JSON values, from a type or from JSON."""
    return None if value is None else spec_fields(value, '{"type": "mesh478", "dims": 2}')


@command()
@click.argument("videos", nargs=-1, required=True, type=existing_path)
@options(
    click.option("-o", "--output", type=any_path, required=True, help="Folder of the corpus."),
    click.option("--detector", help="face-mesh, mediapipe, face-alignment or a .task file.  [default: face-mesh]"),
    click.option(
        "--representation",
        callback=_representation,
        metavar="TYPE|JSON",
        help="Motion to keep: landmarks68, landmarks68-3d, mesh478, blendshapes.  [default: 68 landmarks]",
    ),
    click.option(
        "--crop",
        type=click.Choice(["shot", "face", "none"]),
        default="shot",
        show_default=True,
        help="Pixels of the landmarks: of one square per clip, one per frame, or the whole video.",
    ),
    click.option(
        "--frames",
        type=click.IntRange(16, 1024),
        metavar="SIZE",
        help="Keep pictures of the face, SIZE x SIZE pixels, in the square of --crop shot.",
    ),
    click.option(
        "--frame-quality",
        type=click.IntRange(1, 100),
        default=90,
        show_default=True,
        metavar="Q",
        help="Quality of these pictures.",
    ),
    click.option("--labels", is_flag=True, help="Keep what the detector measures of each frame, such as blend shapes."),
    click.option("--min-seconds", type=float, metavar="S", help="Shortest clip.  [default: 2]"),
    click.option("--max-seconds", type=float, metavar="S", help="Longest clip.  [default: 20]"),
    click.option(
        "--min-face-px", type=float, metavar="PX", help="Smallest distance of the eye corners.  [default: 32]"
    ),
    click.option(
        "--syncers",
        type=existing_file,
        help="syncers.safetensors of a training run, to reject clips whose sound is shifted.",
    ),
    click.option("--max-offset-ms", type=float, metavar="MS", help="Largest shift of the sound.  [default: 80]"),
    click.option(
        "--speaker",
        type=click.Choice(["auto", "folder", "parent", "file"]),
        default="auto",
        show_default=True,
        help="Part of a path that names the speaker: the first folder, the last one, or the file.",
    ),
    click.option(
        "--val", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Share of speakers in val."
    ),
    click.option("--license", default="", help="License of the videos."),
    click.option("--distribute/--no-distribute", help="Weights trained on the corpus may be distributed."),
    click.option("--workers", type=click.IntRange(0), metavar="N", help="Processes.  [default: one per processor]"),
    click.option("--ray", metavar="ADDRESS", help="Use this Ray cluster instead of local processes, such as auto."),
    click.option(
        "--timeout", type=float, default=300, show_default=True, metavar="S", help="Longest time without progress."
    ),
    quiet,
)
@option_rules(*PREPARE_RULES)
def prepare(
    videos: tuple[Path, ...],
    output: Path,
    min_seconds: float | None,
    max_seconds: float | None,
    min_face_px: float | None,
    max_offset_ms: float | None,
    timeout: float,
    quiet: bool,
    **choices: Any,
) -> int:
    """Make a corpus from VIDEOS: files, or folders with videos or with landmarks."""
    check_folder(output)
    check_output(output / "corpus.json")
    from headmotion.preparation import Summary
    from headmotion.preparation import prepare as prepare_videos

    limits = {
        "min_seconds": min_seconds,
        "max_seconds": max_seconds,
        "min_face_px": min_face_px,
        "max_offset_ms": max_offset_ms,
    }
    chosen = choices | {name: value for name, value in limits.items() if value is not None}
    corpus = prepare_videos(videos, output, stall_seconds=timeout, quiet=quiet, **chosen)
    summary = Summary.read(corpus)
    echo(str(summary), err=True)
    if summary.clips and choices["val"] and _is_all_for_training(corpus):
        text = "all speakers are in the split 'train', none in 'val', on which `headmotion evaluate` measures"
        echo(f"note: {text}; a larger --val puts some into it, and --val 0 asks for none", err=True)
    show(corpus)
    return 0 if summary.clips else NO_CLIPS


def _is_all_for_training(corpus: Path) -> bool:
    """Return whether a corpus has no clips to evaluate on: few speakers may all fall into one split."""
    from headmotion.data.corpus import open_corpus

    return open_corpus(corpus).splits == {"train"}


def _names(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Parse names separated by commas."""
    return None if value is None else tuple(name.strip() for name in value.split(",") if name.strip())


@command()
@options(
    click.option("-o", "--output", type=any_path, required=True, help="Folder of the corpus."),
    click.option(
        "--kind",
        type=click.Choice(["spoken", "faces", "gestures", "keypoints"]),
        default="spoken",
        show_default=True,
        help="Speech of espeak-ng with faces, or invented phones with faces, gesturing bodies or keypoints of faces.",
    ),
    click.option("--clips", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="Number of clips."),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of words, voices, faces."),
    click.option(
        "--languages", callback=_names, metavar="A,B", help="Languages among en, de, fr, es, it.  [default: all]"
    ),
    click.option("--voices", callback=_names, metavar="A,B", help="Variants of espeak-ng's voices, such as m1,f1."),
    quiet,
)
@option_rules(Rule(("languages", "voices"), "the kind 'spoken'", lambda args: args["kind"] == "spoken"))
def synthesize(output: Path, kind: str, quiet: bool, **choices: Any) -> None:
    """Make a corpus of synthetic speakers; the kind `spoken` has words, spoken by espeak-ng."""
    chosen = {name: value for name, value in choices.items() if value is not None}
    check_folder(output)
    check_output(output, may_be_folder=True)
    if kind != "spoken":
        from headmotion.data.synthetic.kinds import write_synthetic_shards

        show(write_synthetic_shards(output, kind, **chosen))
        return
    from headmotion.data.synthetic.espeak.spoken_clips import write_spoken

    show(write_spoken(output, quiet=quiet, **chosen))


@command()
@click.argument("corpus")
@options(
    click.option("-o", "--output", type=any_path, help="HTML file to write instead of printing JSON."),
    click.option(
        "--syncers",
        type=existing_file,
        help="syncers.safetensors of a training run, to measure how far the sound is shifted.",
    ),
    quiet,
)
@click.pass_context
def inspect_corpus(context: click.Context, corpus: str, output: Path | None, syncers: Path | None, quiet: bool) -> None:
    """Inspect CORPUS before training; exit status 1 if a clip or a file is damaged."""
    if output is not None:
        check_page(output)
    from headmotion.data.inspection import inspect_corpus as run_inspection

    report = run_inspection(corpus, output, syncers=syncers, quiet=quiet)
    if output is None:
        echo(json.dumps(report.summary(), indent=2))
    else:
        show(output)
    context.exit(0 if report.is_intact else 1)
