"""A sheet of pictures of many kinds, each next to three frames of the portrait renderer, for looking at.

    python -m benchmarks.portrait_sheet SHARED_DATA [--picture FILE NAME SOURCE] ...

Writes docs/images/portrait-sheet.jpg, and the table of its pictures into docs/portrait-quality.md. Sources are packages
of the `dev` extra, GRID's videos and further files; what they lack is drawn over them (benchmarks/drawn_pictures.py).
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import cv2
import matplotlib.cbook
import numpy as np
import torch
from skimage import data

from benchmarks.drawn_pictures import (
    Pixels,
    Points,
    beard,
    cartoon,
    coarse,
    comic,
    cropped,
    dim,
    glasses,
    hand,
    hat,
    painting,
    side_light,
    sketch,
)
from benchmarks.portrait_edges import CONTEXT, moved
from headmotion.core.errors import HeadmotionError
from headmotion.core.interfaces.specs import BuildContext
from headmotion.core.motion import Motion
from headmotion.detectors.reference_pose import PoseFinder
from headmotion.detectors.specs import FaceMeshSpec
from headmotion.media.image import read_picture
from headmotion.media.video_reader import last_frames
from headmotion.renderers.specs import PortraitSpec
from headmotion.representations.specs import Landmarks68Spec

ROOT = Path(__file__).parent.parent
PAGE, SHEET = ROOT / "docs" / "portrait-quality.md", ROOT / "docs" / "images" / "portrait-sheet.jpg"
BEGIN, END = "<!-- sheet -->\n", "<!-- end of sheet -->\n"
FLAT = BuildContext(representation=Landmarks68Spec().build(), audio_channels=26)
CELL, ACROSS = 128, 3
"""Edge of a frame in pixels; pictures side by side."""
SPEAKERS = (
    "videos/grid_id2_vcd_swwp2s.mpg",
    "videos/grid_lbax4n.mpg",
    "videos/grid_lrwp9a.mpg",
    "grid_more/unnamed2",
    "videos/grid_pwij3p.mpg",
    "videos/grid_sbwe5n.mpg",
    "grid_more/s10",
    "grid_more/unnamed1",
)
"""Files, or folders of which the first file is taken."""


@dataclass(frozen=True)
class Example:
    """A picture of the sheet."""

    name: str
    source: str
    picture: Pixels


def examples(shared: Path, extra: list[list[str]], find: Callable[[Pixels], Points]) -> Iterator[Example]:
    """Yield the pictures, those that are made from others after them."""
    astronaut = Example("astronaut", "NASA, public domain (scikit-image)", data.astronaut())
    path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    hopper = Example("hat, glasses", "US Navy, public domain (matplotlib)", read_picture(str(path)))
    yield from (astronaut, hopper)
    speakers = []
    for number, name in enumerate(SPEAKERS, 1):
        file = shared / name
        if file.is_dir():
            file = min(each for each in file.rglob("*") if each.suffix in (".mpg", ".mp4"))
        (frame,), _ = last_frames(file, lambda fps: 1)
        speakers.append(Example(f"speaker {number}", "GRID corpus, CC BY 4.0", frame))
    yield from speakers
    for base, changes in ((astronaut, ASTRONAUT), (speakers[1], MAN)):
        pose = find(base.picture)
        for name, change in changes.items():
            yield Example(name, f"made from {base.name}", change(base.picture.copy(), pose))
    yield Example("cartoon", "drawn here", cartoon())
    for given, name, source in extra:
        yield Example(name, source, read_picture(given))


def turned(picture: Pixels, pose: Points) -> Pixels:
    """Turn the head by 28 degrees, by the renderer itself, so that the far side is a guess."""
    deep = FaceMeshSpec(max_faces=1).build(CONTEXT).detect([picture])[0][0].pose.numpy()
    return _render(picture, deep[:, :2], [moved(deep, yaw=28)[:, :2]])[0]


def open_mouth(picture: Pixels, pose: Points) -> Pixels:
    """Open the mouth wide, by the renderer itself."""
    return _render(picture, pose, [opened(pose, 0.4)])[0]


ASTRONAUT = {
    "glasses": glasses,
    "hand": hand,
    "side light": side_light,
    "painting": painting,
    "comic": comic,
    "pencil": sketch,
    "turned by 28 degrees": turned,
    "mouth open": open_mouth,
    "hair cut": cropped(-0.5, 1.5, -0.25, 1.75),
    "all cut": cropped(-0.12, 1.12, -0.15, 1.09),
}
MAN = {
    "beard": beard,
    "hat": hat,
    "dim room": dim,
    "few pixels": coarse,
    "side cut": cropped(0.1, 1.8, -0.6, 1.2),
    "chin cut": cropped(-0.55, 1.55, -1.0, 1.08),
}


def opened(pose: Points, gap: float) -> Points:
    """Return a pose whose mouth is open by a part of its width, and whose jaw has followed."""
    wide = pose.copy()
    by = gap * float(np.linalg.norm(pose[54] - pose[48]))
    wide[[55, 56, 57, 58, 59, 65, 66, 67], 1] += by
    wide[5:12, 1] += 0.8 * by
    return wide


def blinking(pose: Points) -> Points:
    """Return a pose with closed lids."""
    shut = pose.copy()
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        shut[upper] = shut[lower] = 0.25 * pose[upper] + 0.75 * pose[lower]
    return shut


def frames(picture: Pixels, pose: Points) -> list[Pixels]:
    """Render an open mouth in a head that nods, closed eyes in one that turns, and a tilted head that speaks.

    Args:
        picture: the still picture.
        pose: landmarks with depth ``[68, 3]``.
    """
    flat = pose[:, :2]
    expressions = (opened(flat, 0.3) - flat, blinking(flat) - flat, opened(flat, 0.15) - flat)
    moves: tuple[dict[str, Any], ...] = (
        {"pitch": 8, "shift": (0, 0.05)},
        {"yaw": 13, "shift": (-0.05, 0)},
        {"roll": 9},
    )
    poses = [moved(pose, **move)[:, :2] + expression for move, expression in zip(moves, expressions, strict=True)]
    return _render(picture, flat, poses)


def _render(picture: Pixels, pose: Points, poses: list[Points]) -> list[Pixels]:
    motion = Motion(torch.from_numpy(np.stack(poses)), Fraction(25), reference=torch.from_numpy(pose.copy()))
    return list(PortraitSpec().build(FLAT).frames([motion], picture))


def head_of(picture: Pixels, pose: Points) -> tuple[Pixels, Points]:
    """Cut a large picture to twice the face around it, as far as there is something; and shift the pose."""
    corner, size = pose[:, :2].min(axis=0), float(np.ptp(pose[:, :2], axis=0).max())
    x0, y0 = (corner - 0.9 * size).clip(0).astype(int)
    x1, y1 = (corner + 1.9 * size).astype(int)
    part = picture[y0 : min(y1, picture.shape[0]), x0 : min(x1, picture.shape[1])]
    part = np.ascontiguousarray(part[: len(part) // 2 * 2, : part.shape[1] // 2 * 2])
    return part, pose - np.array([x0, y0, 0], np.float32)


def row(example: Example, finder: PoseFinder) -> tuple[list[Pixels], str]:
    """Return the cells of a picture, and what there is to say about it."""
    try:
        pose = finder.in_picture(example.picture)[0].numpy()
    except HeadmotionError as error:
        return [_cell(example.picture)], str(error)
    picture, pose = head_of(example.picture, pose)
    return [_cell(each) for each in (picture, *frames(picture, pose))], ""


def _cell(picture: Pixels) -> Pixels:
    """Fit a picture into a square."""
    scale = CELL / max(picture.shape[:2])
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    cell = np.full((CELL, CELL, 3), 255, np.uint8)
    cell[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=method)
    return cell


def main(shared: Path, extra: list[list[str]]) -> None:
    """Render all pictures, write the sheet, print and write the table."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    detector = FaceMeshSpec().build(CONTEXT)
    finder = PoseFinder(detector, CONTEXT.representation)
    blocks, lines = [], ["| | picture | source | |", "|---|---|---|---|"]
    for number, example in enumerate(
        examples(shared, extra, lambda each: finder.in_picture(each)[0, :, :2].numpy()), 1
    ):
        cells, remark = row(example, finder)
        block = np.full((CELL, 4 * CELL + 12, 3), 255, np.uint8)
        for k, cell in enumerate(cells):
            block[:, k * CELL : (k + 1) * CELL] = cell
        cv2.putText(block, str(number), (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 3, cv2.LINE_AA)
        cv2.putText(block, str(number), (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
        blocks.append(block)
        lines.append(f"| {number} | {example.name} | {example.source} | {remark} |")
        print(lines[-1], flush=True)
    blocks += [np.full_like(blocks[0], 255)] * (-len(blocks) % ACROSS)
    sheet = np.vstack([np.hstack(blocks[k : k + ACROSS]) for k in range(0, len(blocks), ACROSS)])
    SHEET.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(SHEET), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 78])
    print(SHEET)
    before, marker, after = PAGE.read_text("utf-8").partition(BEGIN)
    if marker:
        PAGE.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n\n" + END + after.partition(END)[2], "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("--picture", nargs=3, action="append", default=[], metavar=("FILE", "NAME", "SOURCE"))
    arguments = parser.parse_args()
    main(arguments.shared, arguments.picture)
