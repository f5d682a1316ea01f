"""The command that shows what headmotion does: demo."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import click

from headmotion.core.errors import OutputError
from headmotion.core.files import atomic_output

from .command import command
from .console import show
from .options import any_path, check_folder, check_output, device, one_thread, options, quiet, seed


@command()
@options(
    click.option("-o", "--output", type=any_path, default="out", show_default=True, help="Folder for the files."),
    device,
    seed,
    quiet,
)
def demo(output: Path, device: str, seed: int, quiet: bool) -> None:
    """Animate the bundled portrait with the bundled speech.

    Besides talk.mp4 the folder gets what it is made from, for trials of your own: face.png, face.npz and speech.wav.
    """
    one_thread()
    check_folder(output)
    check_output(output / "talk.mp4")
    inputs = write_inputs(output)
    for path in (make_demo(output, device=device, seed=seed, quiet=quiet), *inputs):
        show(path)


def write_inputs(folder: str | os.PathLike[str]) -> list[Path]:
    """Write the bundled picture, its landmarks and the bundled speech, and return their paths.

    Args:
        folder: folder for ``face.png``, ``face.npz`` and ``speech.wav``.

    Raises:
        OutputError: a file of that name with another content, which is somebody's own, or the folder cannot be written.
    """
    paths = []
    for name, content in _inputs():
        paths.append(path := Path(folder) / name)
        if path.exists():
            if not path.is_file() or path.read_bytes() != content:
                raise OutputError("demo", f"no {name} of your own in the folder", str(path), "-o names another folder")
            continue
        with atomic_output(path) as temporary:
            temporary.write_bytes(content)
    return paths


def _inputs() -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of the files that the demo is made from."""
    import soundfile  # type: ignore[import-untyped]

    assets = files("headmotion") / "assets"
    yield "face.png", (assets / "portrait.png").read_bytes()
    yield "face.npz", (assets / "portrait_landmarks.npz").read_bytes()
    wave, rate = soundfile.read(io.BytesIO((assets / "speech.flac").read_bytes()), dtype="int16")
    content = io.BytesIO()
    soundfile.write(content, wave, rate, format="WAV", subtype="PCM_16")
    yield "speech.wav", content.getvalue()


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
