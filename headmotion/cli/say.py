"""The command that speaks text: say."""

from __future__ import annotations

import csv
import io
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from headmotion.core.default_model import DEFAULT_MODEL
from headmotion.core.files import atomic_output, write_text

from .animate_one import check_distinct, prepare_outputs
from .command import command
from .console import show
from .option_rules import Arguments, Rule, given_options, option_rules
from .options import any_path, check_output, device, existing_file, one_thread, options, quiet, seed

if TYPE_CHECKING:
    from headmotion.data.synthetic.espeak.espeak_speech import Phoneme, Utterance

SOUND = (".wav", ".flac", ".ogg")
"""Suffixes of outputs that are the speech itself."""


def _animated(outputs: Sequence[Path]) -> list[Path]:
    """Return the outputs that are no sound."""
    return [path for path in outputs if path.suffix.lower() not in SOUND]


def _is_animated(args: Arguments) -> bool:
    return bool(_animated(args["outputs"]))


RULES = (Rule(("image", "landmarks", "model", "device", "seed"), "a video or a motion, not for sound", _is_animated),)


@command()
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
    click.option("--model", default=DEFAULT_MODEL, show_default=True, help="Name of a bundled model, or a checkpoint."),
    device,
    seed,
    quiet,
)
@click.pass_context
@option_rules(*RULES)
def say(
    context: click.Context,
    /,
    text: str,
    outputs: tuple[Path, ...],
    voice: str,
    words_per_minute: int,
    pitch: int,
    phonemes: Path | None,
    image: Path | None,
    model: str,
    device: str,
    quiet: bool,
    **choices: Any,
) -> None:
    """Speak TEXT with espeak-ng, as a sound file, a video or a motion.

    TEXT "-" is standard input.
    """
    check_distinct(outputs)
    for path in (*outputs, *([phonemes] if phonemes else [])):
        check_output(path, may_be_folder=not path.suffix)
    writer = None
    if animated := _animated(outputs):
        one_thread()
        writer = prepare_outputs(context, animated, model, device, image, given_options(context, choices), quiet, SOUND)
    from headmotion.data.synthetic.espeak.espeak_speech import EspeakVoice, synthesize

    spoken = sys.stdin.read() if text == "-" else text
    utterance = synthesize(spoken, EspeakVoice(voice, words_per_minute, pitch))
    if not any(phoneme.symbol for phoneme in utterance.phonemes):
        raise click.BadParameter("there is nothing to say in it.", param_hint="TEXT")
    if writer is not None:  # first, because a mistake in one output shall not leave the others
        with tempfile.TemporaryDirectory() as folder:
            speech = Path(folder) / "speech.wav"
            _write_sound(utterance, speech, "WAV")
            for path in writer.write(speech):
                show(path)
    if phonemes is not None:
        _write_phonemes(utterance.phonemes, phonemes)
        show(phonemes)
    for path in outputs:
        if path not in animated:
            with atomic_output(path) as temporary:
                _write_sound(utterance, temporary, path.suffix[1:].upper())
            show(path)


def _write_sound(utterance: Utterance, path: Path, sound_format: str) -> None:
    import soundfile  # type: ignore[import-untyped]

    soundfile.write(path, utterance.samples, utterance.sample_rate, format=sound_format)


def _write_phonemes(phonemes: Sequence[Phoneme], path: Path) -> None:
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["phoneme", "start_s", "onset_s", "end_s"])
    rows.writerows([phoneme.symbol, phoneme.start, phoneme.onset, phoneme.end] for phoneme in phonemes)
    with atomic_output(path) as temporary:
        write_text(temporary, table.getvalue())
