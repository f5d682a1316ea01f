"""The command that shows what headmotion does: demo."""

from __future__ import annotations

import os
from importlib.resources import as_file, files
from pathlib import Path

import click

from .console import show
from .options import any_path, check_folder, check_output, device, one_thread, options, quiet, seed


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
    check_folder(output)
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
