"""Commands that make corpora: prepare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import any_path, check_output, existing_file, options, quiet, show

NOTHING_USABLE = 1


@click.command()
@click.argument("videos", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@options(
    click.option("-o", "--output", type=any_path, required=True, help="Folder of the corpus."),
    click.option("--detector", help="mediapipe, face-alignment or a .task file.  [default: what is installed]"),
    click.option(
        "--crop",
        type=click.Choice(["shot", "face", "none"]),
        default="shot",
        show_default=True,
        help="In whose pixels landmarks are: a square per clip, or per frame, or the video's own.",
    ),
    click.option("--min-seconds", type=float, metavar="S", help="Least duration of a clip.  [default: 2]"),
    click.option("--max-seconds", type=float, metavar="S", help="Greatest duration of a clip.  [default: 20]"),
    click.option("--min-face-px", type=float, metavar="PX", help="Least distance of the eye corners.  [default: 32]"),
    click.option("--syncers", type=existing_file, help="syncers.safetensors, to refuse clips whose sound is off."),
    click.option("--max-offset-ms", type=float, metavar="MS", help="Greatest offset of the sound.  [default: 80]"),
    click.option(
        "--speaker",
        type=click.Choice(["auto", "folder", "parent", "file"]),
        default="auto",
        show_default=True,
        help="What in a path is the speaker: the first folder, the last one, or the file.",
    ),
    click.option("--val", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Share of split val."),
    click.option("--license", default="", help="License of the videos."),
    click.option("--distribute/--no-distribute", help="Weights trained on the corpus may be given away."),
    click.option("--workers", type=click.IntRange(0), metavar="N", help="Processes.  [default: one per processor]"),
    click.option("--ray", metavar="ADDRESS", help="Use this Ray cluster instead, such as auto."),
    click.option(
        "--timeout", type=float, default=300, show_default=True, metavar="S", help="Longest time without a frame."
    ),
    quiet,
)
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
    check_output(output / "corpus.json")
    from headmotion.preparation import Summary
    from headmotion.preparation import prepare as make

    limits = {
        "min_seconds": min_seconds,
        "max_seconds": max_seconds,
        "min_face_px": min_face_px,
        "max_offset_ms": max_offset_ms,
    }
    chosen = choices | {name: value for name, value in limits.items() if value is not None}
    corpus = make(videos, output, stall_seconds=timeout, quiet=quiet, **chosen)
    summary = Summary.of(corpus)
    click.echo(str(summary), err=True)
    show(corpus)
    return 0 if summary.clips else NOTHING_USABLE
