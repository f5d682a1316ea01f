"""The command that speaks text: say."""

from __future__ import annotations

import csv
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from .animate import animate
from .console import show
from .options import any_path, check_output, device, existing_file, options, quiet, seed

SOUND = (".wav", ".flac", ".ogg")
"""Suffixes of outputs that are the speech itself."""


@click.command()
@click.argument("text")
@options(
    click.option(
        "-o",
        "--output",
        "outputs",
        type=any_path,
        multiple=True,
        required=True,
        help="The speech (.wav, .flac, .ogg), or what animate makes of it: talk.mp4, .npz, .csv, .glb ...",
    ),
    click.option("--voice", default="en-us", show_default=True, help="Voice of espeak-ng: en-us, de, fr+f3, cmn ..."),
    click.option("--words-per-minute", type=click.IntRange(80, 450), default=160, show_default=True, help="Speed."),
    click.option("--pitch", type=click.IntRange(0, 100), default=50, show_default=True, help="Pitch of the voice."),
    click.option("--phonemes", type=any_path, help="Table (CSV) of phonemes with their times."),
    click.option("--image", type=existing_file, help="Still picture of the face."),
    click.option("--landmarks", type=existing_file, help="Pose in the picture.  [default: found by a detector]"),
    click.option("--model", help="Name of a bundled model, or a checkpoint."),
    device,
    seed,
    quiet,
)
@click.pass_context
def say(
    context: click.Context,
    /,
    text: str,
    outputs: tuple[Path, ...],
    voice: str,
    words_per_minute: int,
    pitch: int,
    phonemes: Path | None,
    quiet: bool,
    **choices: Any,
) -> None:
    """Speak TEXT with espeak-ng, as a sound file, a video or a motion.

    TEXT "-" is standard input.
    """
    if len(set(outputs)) < len(outputs):
        raise click.UsageError("--output names a file twice.")
    for path in (*outputs, *([phonemes] if phonemes else [])):
        check_output(path, may_be_folder=not path.suffix)
    from headmotion.core.files import atomic_output, write_text
    from headmotion.data.synthetic.espeak.espeak_speech import EspeakVoice, synthesize

    spoken = sys.stdin.read() if text == "-" else text
    utterance = synthesize(spoken, EspeakVoice(voice, words_per_minute, pitch))
    if not any(phoneme.symbol for phoneme in utterance.phonemes):
        raise click.BadParameter("there is nothing to say in it.", param_hint="TEXT")
    import soundfile  # type: ignore[import-untyped]

    if phonemes is not None:
        table = io.StringIO()
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(["phoneme", "start_s", "onset_s", "end_s"])
        rows.writerows([each.symbol, each.start, each.onset, each.end] for each in utterance.phonemes)
        with atomic_output(phonemes) as temporary:
            write_text(temporary, table.getvalue())
        show(phonemes)
    for path in outputs:
        if path.suffix.lower() in SOUND:
            with atomic_output(path) as temporary:
                sound_format = path.suffix[1:].upper()
                soundfile.write(temporary, utterance.samples, utterance.sample_rate, format=sound_format)
            show(path)
    animated = tuple(path for path in outputs if path.suffix.lower() not in SOUND)
    if animated:
        given = [f"--{name}={value}" for name, value in choices.items() if value is not None]
        given += ["--quiet"] if quiet else []
        with tempfile.TemporaryDirectory() as folder:
            speech = Path(folder) / "speech.wav"
            soundfile.write(speech, utterance.samples, utterance.sample_rate)
            arguments = [str(speech), *(f"--output={path}" for path in animated), *given]
            # Parsed as on the command line, so that every option has its default.
            context.exit(animate.main(arguments, "headmotion animate", standalone_mode=False) or 0)
