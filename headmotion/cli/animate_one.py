"""The outputs of one speech: all of them are tried before any is made."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .option_rules import flag
from .options import check_output, check_picture, check_suffix

if TYPE_CHECKING:
    from headmotion import Audio, Motion, Pipeline
    from headmotion.pipeline.generate_options import GenerateOptions
    from headmotion.pipeline.reference import Reference

TRIAL_SAMPLES = 1600
"""Samples of silence, at 16 kHz, from which each output is made for trial."""


@dataclass(frozen=True)
class SpeechOutputs:
    """What is made of one speech, by a model that is loaded, from a reference that was found."""

    pipe: Pipeline
    reference: Reference
    options: GenerateOptions
    image: Path | None
    """Picture of the face."""
    outputs: Sequence[Path]
    """Files, or folders for pictures."""
    motion_files: Sequence[Path]
    """Those outputs that hold motion."""
    quiet: bool
    """No progress bar."""

    def write(self, path: Path) -> Iterator[Path]:
        """Make all outputs from the speech in a file, and yield the path of each when it is written."""
        import headmotion
        from headmotion.core.files import temporary_folder
        from headmotion.core.plugins import MOTION_SUFFIXES

        speech = headmotion.Audio.load(path, self.options.audio_track)
        if len(self.outputs) == 1 and not self.motion_files:  # drawn as it is generated, in constant memory
            yield self._write_video(self._iter_motion(speech), self.outputs[0], speech, self.quiet)
            return
        with contextlib.ExitStack() as stack:
            if any(output.suffix.lower() not in MOTION_SUFFIXES for output in self.outputs):
                # It lasts to the end, so that after a failure the folders that were made for it are removed.
                folder = stack.enter_context(temporary_folder(self.outputs[0].absolute()))
                trial = {output: folder / f"{k}{output.suffix}" for k, output in enumerate(self.outputs)}
                with _no_warnings():  # they come again
                    list(self._write_all(headmotion.Audio([0.0] * TRIAL_SAMPLES, 16_000), trial, quiet=True))
            yield from self._write_all(speech, {output: output for output in self.outputs}, self.quiet)

    def _write_all(self, speech: Audio, targets: Mapping[Path, Path], quiet: bool) -> Iterator[Path]:
        """Write the motion for speech into the targets of the outputs."""
        from headmotion import Motion

        motion = Motion.concatenate(list(self._iter_motion(speech)))
        for output, target in targets.items():
            if output in self.motion_files:
                yield motion.save(target)
            else:
                yield self._write_video([motion], target, speech, quiet)

    def _iter_motion(self, speech: Audio) -> Iterator[Motion]:
        from headmotion.pipeline.generate_options import iter_motion

        return iter_motion(self.pipe, speech, self.options, self.reference)

    def _write_video(self, motions: Iterable[Motion], target: Path, speech: Audio, quiet: bool) -> Path:
        from headmotion.pipeline.generate_options import write_video

        return write_video(self.pipe, motions, target, self.image, speech, self.options, quiet=quiet)


def prepare_outputs(
    context: click.Context,
    outputs: Sequence[Path],
    model: str,
    device: str,
    image: Path | None,
    chosen: Mapping[str, Any],
    quiet: bool,
    other_suffixes: Sequence[str] = (),
) -> SpeechOutputs:
    """Check options and outputs, load the model, and return what makes the outputs.

    Args:
        context: of the command, whose options errors name.
        outputs: files, or folders for pictures.
        model: bundled model or checkpoint.
        device: where to compute.
        image: picture of the face.
        chosen: those values of `GenerateOptions` that the user chose.
        quiet: no progress bar.
        other_suffixes: those that outputs of the command may have besides, for the error.

    Raises:
        click.UsageError: an output that cannot be written, or an option without effect.
        HeadmotionError: a value that does not fit.
    """
    from headmotion.core.plugins import registry

    motion_files = [output for output in outputs if output.suffix.lower() in registry().written_suffixes]
    _check_outputs(outputs, motion_files, other_suffixes)
    from headmotion.pipeline.generate_options import GenerateOptions

    options = GenerateOptions.parse(chosen)
    if image is not None:
        check_picture(image)
    _check_effect(context, options, chosen if image is None else {*chosen, "image"}, image, outputs)
    options.check()
    import headmotion

    pipe = headmotion.load(model, device=device)
    source = options.landmarks or image
    reference = pipe.reference(source, detector=options.detector, face=options.face, mouth=options.mouth)
    return SpeechOutputs(pipe, reference, options, image, outputs, motion_files, quiet)


def check_distinct(outputs: Sequence[Path]) -> None:
    """Refuse an output that is named twice.

    Raises:
        click.UsageError: there is one.
    """
    if len({output.absolute() for output in outputs}) < len(outputs):
        raise click.UsageError("--output names a file twice.")


def check_drawn(output: Path, others: Iterable[str] = ()) -> None:
    """Refuse an output that is neither a video nor a folder for pictures, or cannot be written.

    Args:
        output: the file or folder.
        others: suffixes of other outputs that the command makes, for the error.

    Raises:
        click.UsageError, ImageError: it is not.
    """
    from headmotion.media.frames_writer import ENCODERS, FOLDER, check_target

    check_suffix(output, [*(suffix for suffix in ENCODERS if suffix != FOLDER), *others])
    check_target(output)
    check_output(output, may_be_folder=not output.suffix)


def _check_outputs(outputs: Sequence[Path], motion_files: Sequence[Path], others: Sequence[str]) -> None:
    from headmotion.core.plugins import registry

    check_distinct(outputs)
    for output in outputs:
        if output in motion_files:
            check_output(output)
        else:
            check_drawn(output, [*registry().written_suffixes, *others])


def _check_effect(
    context: click.Context,
    options: GenerateOptions,
    names: Collection[str],
    image: Path | None,
    outputs: Sequence[Path],
) -> None:
    """Refuse options that have an effect on no output."""
    from headmotion.pipeline.unused_options import unused_options

    unused = [unused_options(options, names, image, output) for output in outputs]
    for name, purpose in unused[0].items():
        if all(name in others for others in unused):
            raise click.UsageError(f"{flag(context, name)} is for {purpose}.", context)


@contextlib.contextmanager
def _no_warnings() -> Iterator[None]:
    log = logging.getLogger("headmotion")
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = False
