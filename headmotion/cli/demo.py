"""The demonstration: the bundled portrait speaks the bundled speech."""

from __future__ import annotations

import os
from importlib.resources import as_file, files
from pathlib import Path


def demo(output_dir: str | os.PathLike[str] = "out", device: str = "auto", seed: int = 0, quiet: bool = True) -> Path:
    """Write ``talk.mp4`` into ``output_dir`` and return its path. Prints nothing when ``quiet``.

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
