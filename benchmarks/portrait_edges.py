"""How well the portrait renderer moves heads that the border of their picture cuts.

    python benchmarks/portrait_edges.py SHARED_DATA [PICTURE ...]

A wide picture is drawn and its frames are cropped: that is the truth for a tight crop of the same picture. Prints a
table, writes it into docs/portrait-quality.md, and puts the frames of each crop next to the recorded ones into
out/portrait-edges.png.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import av
import cv2
import numpy as np
import numpy.typing as npt
import torch

from headmotion.core.interfaces.specs import BuildContext
from headmotion.core.motion import Motion
from headmotion.detectors.specs import FaceMeshSpec
from headmotion.media.image import read_picture
from headmotion.renderers.specs import PortraitSpec
from headmotion.representations.specs import Landmarks68Spec

ROOT = Path(__file__).parent.parent
PAGE, SHEET = ROOT / "docs" / "portrait-quality.md", ROOT / "out" / "portrait-edges.png"
BEGIN, END = "<!-- edges -->\n", "<!-- end of edges -->\n"
CONTEXT = BuildContext(representation=Landmarks68Spec(dims=3).build(), audio_channels=26)
EDGE = 224
"""Edge of a crop in pixels."""
BAND = 0.08
"""Part of the edge that counts as border."""
RUN_PX = 8
"""Distance over which the slope of a map is measured."""
CROPS = {
    "hair": (-0.6, 1.6, -0.18, 2.02),
    "forehead": (-0.35, 1.35, 0.02, 1.72),
    "chin": (-0.55, 1.55, -1.0, 1.1),
    "side": (0.05, 1.75, -0.6, 1.1),
    "tight": (-0.12, 1.12, -0.15, 1.09),
}
"""Left, right, top and bottom of a crop from the corner of the landmarks' box, in units of its longer edge."""
MOVES: dict[str, dict[str, Any]] = {
    "down": {"pitch": 10, "shift": (0, 0.14)},
    "up": {"pitch": -10, "shift": (0, -0.14)},
    "left": {"yaw": 14, "shift": (-0.14, 0.02)},
    "right": {"yaw": -14, "shift": (0.14, -0.02)},
    "tilt": {"roll": 12, "shift": (0.03, 0.05)},
    "tilt back": {"roll": -12, "shift": (-0.03, -0.05)},
    "near": {"scale": 1.08},
    "far": {"scale": 0.92},
}
"""Strong motion of a head: degrees, and shifts in units of the face."""

Pixels = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """A picture with the 3-D landmarks ``[68, 3]`` of its face."""

    name: str
    picture: Pixels
    pose: Points


@dataclass(frozen=True)
class Figures:
    """How frames of a crop compare with those of the wide picture."""

    border_psnr: float
    """Of the outermost pixels, dB."""
    psnr: float
    """Of the whole frame, dB."""
    mirrored: float
    """Percent of pixels whose neighborhood is seen in a mirror."""
    smeared: float
    """Percent of pixels whose neighborhood is stretched more than four times."""


def scenes(shared: Path, extra: list[Path]) -> Iterator[Scene]:
    """Yield wide pictures: the astronaut, first frames of GRID videos, and further files."""
    detector = FaceMeshSpec(max_faces=1).build(CONTEXT)
    paths = [shared / "portrait" / "astronaut.png", *sorted((shared / "videos").glob("*.mpg"))[:3], *extra]
    for path in paths:
        picture = _first_frame(path) if path.suffix == ".mpg" else read_picture(path)
        picture = _smaller(picture, 900)
        yield Scene(path.stem, picture, detector.detect([picture])[0][0].pose.numpy())


def crops(scene: Scene) -> Iterator[tuple[str, tuple[int, int, int, int]]]:
    """Yield the crops ``x0, y0, x1, y1`` of a scene that lie inside its picture."""
    low, high = scene.pose[:, :2].min(axis=0), scene.pose[:, :2].max(axis=0)
    size = float((high - low).max())
    for name, (left, right, top, bottom) in CROPS.items():
        corners = [low[0] + left * size, low[1] + top * size, low[0] + right * size, low[1] + bottom * size]
        x0, y0, x1, y1 = (round(float(value)) for value in corners)
        x0, y0 = max(x0, 0), max(y0, 0)
        edge = min(x1 - x0, y1 - y0, scene.picture.shape[1] - x0, scene.picture.shape[0] - y0)
        yield name, (x0, y0, x0 + edge, y0 + edge)


def moved(pose: Points, yaw: float = 0, pitch: float = 0, roll: float = 0, shift: tuple[float, float] = (0, 0),
          scale: float = 1) -> Points:  # fmt: skip
    """Return a pose turned about the middle of its head, in degrees, and shifted in units of the face."""
    face = float(np.ptp(pose[:, :2], axis=0).max())
    center = np.array([*pose[:, :2].mean(axis=0), pose[:, 2].mean() + 0.35 * face])
    a, b, c = (math.radians(angle) for angle in (yaw, pitch, roll))
    turn_y = np.array([[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]])
    turn_x = np.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
    turn_z = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    turned = scale * (pose - center) @ (turn_z @ turn_x @ turn_y).T + center
    return (turned + np.array([*shift, 0]) * face).astype(np.float32)


def draw(picture: Pixels, pose: Points, poses: list[Points]) -> list[Pixels]:
    """Render the poses."""
    motion = Motion(torch.from_numpy(np.stack(poses)), Fraction(25), reference=torch.from_numpy(pose))
    return list(PortraitSpec().build(CONTEXT).frames([motion], picture))


def measure(scene: Scene, box: tuple[int, int, int, int]) -> tuple[Figures, list[Pixels]]:
    """Compare a crop's frames with those of the wide picture; also return pairs of frames for looking at."""
    poses = [moved(scene.pose, **move) for move in MOVES.values()]
    x0, y0, x1, y1 = box
    # Frames are of an even size.
    x1, y1 = x1 - (x1 - x0) % 2, y1 - (y1 - y0) % 2
    wide = scene.picture[: scene.picture.shape[0] // 2 * 2, : scene.picture.shape[1] // 2 * 2]
    truth = [frame[y0:y1, x0:x1] for frame in draw(wide, scene.pose, poses)]
    offset = np.array([x0, y0, 0], np.float32)
    pose, shifted = scene.pose - offset, [each - offset for each in poses]
    frames = draw(np.ascontiguousarray(wide[y0:y1, x0:x1]), pose, shifted)
    maps = draw(ramps(x1 - x0), pose, shifted)
    band = border(x1 - x0)
    pairs = list(zip(frames, truth, strict=True))
    slopes = [neighborhoods(each, points) for each, points in zip(maps, shifted, strict=True)]
    figures = Figures(
        float(np.mean([psnr(frame[band], true[band]) for frame, true in pairs])),
        float(np.mean([psnr(frame, true) for frame, true in pairs])),
        100 * float(np.mean([mirrored for mirrored, _ in slopes])),
        100 * float(np.mean([smeared for _, smeared in slopes])),
    )
    return figures, [np.hstack([cv2.resize(each, (EDGE, EDGE)) for each in pair]) for pair in pairs]


def ramps(edge: int) -> Pixels:
    """Return a picture whose red says where a pixel is across, and whose green says where it is down."""
    ramp = np.linspace(0, 255, edge)
    x, y = np.meshgrid(ramp, ramp)
    return np.rint(np.stack([x, y, np.full_like(x, 128)], axis=-1)).astype(np.uint8)


def neighborhoods(drawn: Pixels, pose: Points) -> tuple[float, float]:
    """Return the parts of a drawn `ramps` that are mirrored, and that are stretched fourfold; faces do not count."""
    source = drawn[..., :2].astype(np.float32) * ((len(drawn) - 1) / 255)
    across = (source[:, RUN_PX:, 0] - source[:, :-RUN_PX, 0])[:-RUN_PX] / RUN_PX
    down = (source[RUN_PX:, :, 1] - source[:-RUN_PX, :, 1])[:, :-RUN_PX] / RUN_PX
    outside = np.ones(across.shape, np.uint8)
    cv2.fillConvexPoly(outside, cv2.convexHull(pose[17:, :2].astype(np.int32)), 0)
    slope = np.minimum(across, down)[outside > 0]
    return float((slope < -0.1).mean()), float(((slope >= -0.1) & (slope < 0.25)).mean())


def border(edge: int) -> npt.NDArray[np.bool_]:
    """Return a mask of the outermost pixels of a square."""
    width = max(1, round(BAND * edge))
    mask = np.ones((edge, edge), np.bool_)
    mask[width:-width, width:-width] = False
    return mask


def psnr(drawn: Pixels, recorded: Pixels) -> float:
    """Return the peak signal to noise ratio in dB, 60 at most."""
    error = np.square(drawn.astype(np.float64) - recorded).mean()
    return min(60.0, 10 * math.log10(255**2 / max(float(error), 1e-9)))


def table(rows: dict[str, list[Figures]]) -> list[str]:
    """Return a line for each kind of crop; means over scenes."""
    lines = ["| crop | border PSNR | PSNR | mirrored | stretched over 4 times |", "|---|---|---|---|---|"]
    for name, figures in rows.items():
        border_psnr, whole, mirrored, smeared = (
            np.mean([getattr(each, field) for each in figures])
            for field in ("border_psnr", "psnr", "mirrored", "smeared")
        )
        lines.append(f"| {name} | {border_psnr:.1f} | {whole:.1f} | {mirrored:.2f} % | {smeared:.2f} % |")
    return lines


def _first_frame(path: Path) -> Pixels:
    with av.open(str(path)) as container:
        return np.asarray(next(container.decode(video=0)).to_ndarray(format="rgb24"), np.uint8)


def _smaller(picture: Pixels, edge: int) -> Pixels:
    factor = edge / max(picture.shape)
    if factor >= 1:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def main(shared: Path, extra: list[Path]) -> None:
    """Measure all crops of all scenes, print and write the table."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    rows: dict[str, list[Figures]] = {name: [] for name in CROPS}
    sheet = []
    for scene in scenes(shared, extra):
        for name, box in crops(scene):
            figures, frames = measure(scene, box)
            rows[name].append(figures)
            sheet.append(np.hstack(frames))
            print(f"{scene.name} {name}: {figures}", flush=True)
    lines = table(rows)
    print("\n".join(lines))
    SHEET.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(SHEET), cv2.cvtColor(np.vstack(sheet), cv2.COLOR_RGB2BGR))
    before, marker, after = PAGE.read_text("utf-8").partition(BEGIN)
    if marker:
        PAGE.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n\n" + END + after.partition(END)[2], "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("pictures", type=Path, nargs="*")
    arguments = parser.parse_args()
    main(arguments.shared, arguments.pictures)
