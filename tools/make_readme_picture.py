"""Make the picture of the README: frames of a talking video above the waveform of its speech.

Usage: python tools/make_readme_picture.py out/talk.mp4 docs/images/demo.png
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw

COLUMNS, TILE, GAP, WAVE = 8, 160, 4, 56
FACE = (0.16, 0.04, 0.90, 0.78)
"""Box of the face in the demo video: left, top, right, bottom as shares of the frame."""
BACKGROUND, INK, MARK = (255, 255, 255), (70, 90, 120), (200, 60, 40)


def read_speech(video: Path) -> tuple[np.ndarray, int]:
    """Return the sound track as mono samples in -1..1, and its rate."""
    with av.open(str(video)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono")
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray()[0] for frame in frames]), frames[0].sample_rate


def frames_at(video: Path, seconds: np.ndarray) -> list[Image.Image]:
    """Return the frames that are visible at the given times, in order."""
    images: list[Image.Image] = []
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            while len(images) < len(seconds) and frame.time >= seconds[len(images)]:
                images.append(frame.to_image())
    return images


def loud_and_quiet_times(speech: np.ndarray, rate: int) -> np.ndarray:
    """Return one time (s) per column: alternately the loudest and the quietest of equal parts of the speech."""
    step = rate // 25
    loudness = np.sqrt(np.square(speech[: len(speech) // step * step]).reshape(-1, step).mean(1))
    smooth = np.convolve(loudness, np.full(3, 1 / 3), "same")
    parts = np.array_split(np.arange(len(smooth) - 1), COLUMNS)
    picks = [part[np.argmin(smooth[part]) if i % 2 else np.argmax(smooth[part])] for i, part in enumerate(parts)]
    return np.array(picks) / 25


def draw_wave(sheet: Image.Image, speech: np.ndarray) -> None:
    """Draw the speech over the full width, below the tiles."""
    draw = ImageDraw.Draw(sheet)
    bounds = np.linspace(0, len(speech), sheet.width + 1).astype(int)
    middle, gain = TILE + GAP + WAVE / 2, 0.5 * WAVE / np.abs(speech).max()
    for x, (start, stop) in enumerate(pairwise(bounds)):
        height = gain * np.abs(speech[start : stop + 1]).max()
        draw.line([(x, middle - height), (x, middle + height)], fill=INK)


def draw_tiles(sheet: Image.Image, frames: list[Image.Image], positions: np.ndarray) -> None:
    """Draw faces side by side, each with a line to its position (0..1) in the waveform."""
    draw = ImageDraw.Draw(sheet)
    for column, (frame, position) in enumerate(zip(frames, positions, strict=True)):
        left, x = column * (TILE + GAP), position * sheet.width
        box = tuple(share * edge for share, edge in zip(FACE, frame.size * 2, strict=True))
        sheet.paste(frame.resize((TILE, TILE), Image.Resampling.LANCZOS, box=box), (left, 0))
        draw.line([(left + TILE / 2, TILE), (x, TILE + 2 * GAP), (x, sheet.height)], fill=MARK)


def main() -> None:
    """Read the video and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    speech, rate = read_speech(arguments.video)
    times = loud_and_quiet_times(speech, rate)
    sheet = Image.new("RGB", (COLUMNS * (TILE + GAP) - GAP, TILE + 2 * GAP + WAVE), BACKGROUND)
    draw_wave(sheet, speech)
    draw_tiles(sheet, frames_at(arguments.video, times), times * rate / len(speech))
    arguments.picture.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(arguments.picture, optimize=True)
    print(arguments.picture)


if __name__ == "__main__":
    main()
