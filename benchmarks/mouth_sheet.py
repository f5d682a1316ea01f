"""Write docs/mouths.md: what the mouths of the bundled models do, as frames of the bundled portrait.

    python benchmarks/mouth_sheet.py SHARED_DATA [--videos FOLDER]

The sounds are ten held-back sentences of GRID's speaker 1, one synthetic sentence of each of five languages
(espeak-ng), and what ``benchmarks/odd_inputs.py`` makes of the first sentence: whisper, shout, telephone, a quiet one,
noise, two voices, music, silence. Each line shows the mouth in the first two and a half seconds, a frame every 200 ms,
by `causal-flow` and below it by `ms-sync`; heads are held still (control `hold_pose`). With ``--videos``, each sound
becomes a video with its sound, the models side by side and heads that move.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import models  # pyright: ignore[reportMissingImports]
import numpy as np
import odd_inputs  # pyright: ignore[reportMissingImports]
import torch

import headmotion as hm
from headmotion.data.corpus import open_corpus
from headmotion.data.synthetic.espeak.spoken_clips import spoken_clip
from headmotion.media.frames_writer import write_frames
from headmotion.media.image import read_picture

PAGE = Path(__file__).parent.parent / "docs" / "mouths.md"
ASSETS = Path(hm.__file__).parent / "assets"
LANGUAGES = ("en", "de", "es", "fr", "it")
VIEW = {"type": "portrait", "crop": "head", "size": 384}
FRAMES, STEP, LABEL, ACROSS, DOWN = 12, 5, 150, 88, 60
"""Frames of a line, video frames between them, and widths and height of cells in pixels."""
MOUTH = (slice(208, 268), slice(157, 245))
"""Where the mouth is in the pictures."""
Pixels = np.ndarray


def sounds(shared: Path) -> Iterator[tuple[str, str, odd_inputs.Sound]]:
    """Yield name of the sheet, name of the sound, and the sound."""
    clips = list(open_corpus(shared / "grid_s1").select(split="val"))[: odd_inputs.SENTENCES]
    for number, clip in enumerate(clips, 1):
        yield "sentences", f"sentence {number}", (clip.audio, odd_inputs.RATE)
    for number, language in enumerate(LANGUAGES):
        clip = spoken_clip(number, languages=[language], clean=True)
        yield "sentences", f"espeak-ng, {language}", (clip.audio, odd_inputs.RATE)
    for name, sound, _ in odd_inputs.inputs(clips):
        yield "odd inputs", name, sound(0)


def line(pipe: hm.Pipeline, motion: hm.Motion, picture: Pixels, renderer: hm.Renderer) -> Pixels:
    """Return the mouths of a motion side by side."""
    part = replace(motion, values=motion.values[: FRAMES * STEP : STEP])
    mouths = [np.asarray(frame)[MOUTH] for frame in pipe.iter_frames([part], picture, renderer=renderer)]
    mouths += [np.full((DOWN, ACROSS, 3), 255, np.uint8)] * (FRAMES - len(mouths))
    return np.hstack(mouths)


def labelled(pixels: Pixels, text: str) -> Pixels:
    """Return pixels with a label to their left."""
    label = np.full((len(pixels), LABEL, 3), 255, np.uint8)
    cv2.putText(label, text, (6, DOWN), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.hstack([label, pixels])


def main(shared: Path, videos: Path | None) -> None:
    """Draw the sheets, and the videos if a folder is given."""
    picture, landmarks = read_picture(str(ASSETS / "portrait.png")), ASSETS / "portrait_landmarks.npz"
    pipes = {name: hm.load(name, device="cpu") for name in odd_inputs.MODELS}
    renderers = {name: pipe.with_renderer(VIEW) for name, pipe in pipes.items()}
    sheets: dict[str, list[Pixels]] = {}
    for sheet, name, (wave, rate) in sounds(shared):
        generated = {key: pipe.generate((wave, rate), landmarks) for key, pipe in pipes.items()}
        lines = [line(pipes[key], hm.controls.hold_pose(generated[key]), picture, renderers[key]) for key in pipes]
        sheets.setdefault(sheet, []).append(labelled(np.vstack(lines), name))
        if videos is not None:
            sides = [pipes[key].iter_frames([generated[key]], picture, renderer=renderers[key]) for key in pipes]
            frames = (np.hstack(pair) for pair in zip(*sides, strict=True))
            file = videos / f"{name.replace(', ', '-').replace(' ', '-')}.mp4"
            write_frames(frames, file, 25, audio=hm.Audio(wave, rate), quiet=True)
    text = ["# What the mouth does", "", "Made by `python benchmarks/mouth_sheet.py SHARED_DATA`.", ""]
    for sheet, rows in sheets.items():
        file = PAGE.parent / "images" / f"mouths-{sheet.replace(' ', '-')}.jpg"
        gap = np.full((6, rows[0].shape[1], 3), 255, np.uint8)
        pixels = np.vstack([part for row in rows for part in (row, gap)])
        cv2.imwrite(str(file), pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 75])
        text += [f"## {sheet.capitalize()}", "", f"![Mouths: {sheet}](images/{file.name})", "", OBSERVATIONS[sheet], ""]
    text += ["## How it is made", "", models.protocol(sys.modules[__name__]), ""]
    PAGE.write_text("\n".join(text), "utf-8")


OBSERVATIONS = {
    "sentences": """\
- Both models mostly open and close the mouth in the same frames. `ms-sync` is open in more of them; `causal-flow` comes
  back to rest in between.
- The five languages look like the English sentences.
- No frame shows lips that meet, nor lips that are round: the portrait smiles and shows its teeth, and motion starts
  from its pose. Closures have to be judged on a picture with closed lips.
- With heads that move, that of `causal-flow` takes nearly the same path in every sentence, because the noise of one
  seed is the same; in silence and in the quiet voice, that of `ms-sync` turns aside.""",
    "odd inputs": """\
- Whisper and shout: `causal-flow` opens in nearly the frames of the clean voice. `ms-sync` opens less at first, and
  further later.
- Telephone: `causal-flow` opens in the frames of the clean voice, a little less; `ms-sync` misses the first opening
  and then stays open.
- 30 dB quieter: both miss the first opening and open near the end.
- Noise: `causal-flow` opens a little, twice, not in the frames of the clean voice; `ms-sync` keeps the mouth at rest.
- Two voices: both open in some frames of the clean voice, and in others.
- Music: lips part a little, those of `ms-sync` once further. Silence: both mouths are at rest.""",
}
"""What the sheets show."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("--videos", type=Path, help="folder for a video of each sound, the models side by side")
    torch.set_num_threads(1)
    main(**vars(parser.parse_args()))
