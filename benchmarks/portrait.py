"""How well the portrait renderer redraws recorded clips from their first frame, compared with simple baselines.

    python benchmarks/portrait.py SHARED_DATA

Writes the tables into docs/portrait-quality.md, which explains them, and the worst frames to out/portrait-worst.png.
Without MediaPipe there are neither landmark distances nor clips of other people, and the page is left as it is.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import av
import cv2
import numpy as np
import numpy.typing as npt
import torch
from scipy.spatial import Delaunay  # type: ignore[import-untyped]
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from headmotion.core.interfaces.detector import Detector
from headmotion.core.interfaces.specs import BuildContext
from headmotion.core.motion import Motion
from headmotion.detectors.specs import FaceMeshSpec
from headmotion.renderers.specs import PortraitSpec
from headmotion.representations.specs import Landmarks68Spec

ROOT = Path(__file__).parent.parent
PAGE, SHEET = ROOT / "docs" / "portrait-quality.md", ROOT / "out" / "portrait-worst.png"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
CONTEXT = BuildContext(representation=Landmarks68Spec().build(), audio_channels=26)
CLIPS, FRAMES, EVERY, EDGE = 24, 75, 4, 256
"""Clips of GRID's speaker 1; frames of a clip, of which every fourth is measured; edge of other clips' frames in px."""
SHEET_CLIPS = 10
"""Clips whose worst frame is shown."""
FIGURES = ("SSIM", "PSNR", "mouth SSIM", "mouth PSNR", "landmarks")
DIGITS = (3, 1, 3, 1, 2)

Frames = npt.NDArray[np.uint8]
"""``[T, H, W, 3]``."""
Points = npt.NDArray[np.float32]
"""``[T, 68, 2]``, pixels."""
Scores = dict[str, npt.NDArray[np.float64]]
"""One value for each frame by figure, NaN where no face was found."""


@dataclass
class Clip:
    """Recorded frames with their landmarks, and how well each method redraws them from the first."""

    name: str
    frames: Frames
    points: Points
    scores: dict[str, Scores] = field(default_factory=dict)
    drawn: dict[str, Frames] = field(default_factory=dict)

    def mean(self, method: str, figure: str) -> float:
        """Return a figure of the whole clip; NaN if it could not be measured."""
        values = self.scores[method][figure]
        finite = values[np.isfinite(values)]
        return float(finite.mean()) if len(finite) else float("nan")

    @property
    def worst(self) -> int:
        """The frame whose mouth the portrait redraws worst."""
        return int(self.scores["portrait"]["mouth SSIM"].argmin()) + 1


def grid_clips(folder: Path, clips: int = CLIPS) -> Iterator[Clip]:
    """Yield clips of GRID's speaker 1: face video of 128 x 128, with landmarks in its pixels."""
    videos = sorted(folder.glob("*.mp4"))
    for number in np.linspace(0, len(videos) - 1, clips).astype(int):
        path = videos[number]
        frames = read_video(path)
        with np.load(path.with_suffix(".npz")) as stored:
            x, y, side = stored["crop_box"]
            points = (stored["landmarks"][:FRAMES:EVERY, :, :2] - (x, y) + 0.5) * (frames.shape[1] / side) - 0.5
        count = min(len(frames), len(points))
        yield Clip(path.stem, frames[:count], points[:count].astype(np.float32))


def other_clips(folder: Path, detector: Detector) -> Iterator[Clip]:
    """Yield videos of other people, cropped to a square around the face and reduced to 256 x 256."""
    for path in sorted([*folder.glob("*.mpg"), *folder.glob("retalk_*.mp4")]):
        frames = read_video(path)
        points = np.stack([detections[0].pose.numpy() for detections in detector.detect(list(frames))])
        low, high = points.min(axis=(0, 1)), points.max(axis=(0, 1))
        side = int(min(2 * (high - low).max(), *frames.shape[1:3]))
        corner = np.clip((low + high - side) / 2, 0, np.array(frames.shape[2:0:-1]) - side).astype(int)
        crop = frames[:, corner[1] : corner[1] + side, corner[0] : corner[0] + side]
        small = [cv2.resize(frame, (EDGE, EDGE), interpolation=cv2.INTER_AREA) for frame in crop]
        scaled = (points - corner + 0.5) * (EDGE / side) - 0.5
        yield Clip(path.stem, np.stack(small), scaled.astype(np.float32))


def read_video(path: Path) -> Frames:
    """Read every fourth frame of a video, from the first on."""
    with av.open(str(path)) as container:
        decoded = islice(container.decode(video=0), 0, FRAMES, EVERY)
        return np.stack([frame.to_ndarray(format="rgb24") for frame in decoded])


def portrait(clip: Clip) -> Frames:
    """Draw with the renderer that is measured."""
    poses = torch.from_numpy(clip.points)
    drawn = PortraitSpec().build(CONTEXT).frames([Motion(poses, Fraction(25), reference=poses[0])], clip.frames[0])
    return np.stack(list(drawn))


def static(clip: Clip) -> Frames:
    """Repeat the first frame."""
    return np.broadcast_to(clip.frames[0], clip.frames.shape)


def piecewise_affine(clip: Clip) -> Frames:
    """Move each triangle of a Delaunay triangulation of the first frame's landmarks by its own affine map."""
    height, width = clip.frames.shape[1:3]
    edge = [(x, y) for x in (0, (width - 1) / 2, width - 1) for y in (0, (height - 1) / 2, height - 1)]
    border = np.array([(x, y) for x, y in edge if x in (0, width - 1) or y in (0, height - 1)], np.float32)
    reference = np.concatenate([clip.points[0], border])
    triangles = Delaunay(reference).simplices
    drawn = []
    for pose in clip.points:
        moved = np.concatenate([pose, border])
        source = np.zeros((2, height, width), np.float32)
        for corners in triangles:
            back = cv2.getAffineTransform(moved[corners], reference[corners])
            mask = np.zeros((height, width), np.uint8)
            cv2.fillConvexPoly(mask, np.rint(moved[corners] * 16).astype(np.int32), 1, shift=4)
            rows, columns = np.nonzero(mask)
            source[:, rows, columns] = back @ np.stack([columns, rows, np.ones(len(rows))])
        drawn.append(cv2.remap(clip.frames[0], source[0], source[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))
    return np.stack(drawn)


METHODS = {"portrait": portrait, "static": static, "piecewise affine": piecewise_affine}


def measure(clip: Clip, detector: Detector | None) -> None:
    """Draw all frames but the first by each method, and score them."""
    detected = [detect(detector, frame) for frame in clip.frames[1:]]
    for name, method in METHODS.items():
        clip.drawn[name] = drawn = method(clip)
        rows = []
        for k, recorded in enumerate(detected, start=1):
            box = mouth_box(clip.points[k])
            whole, mouth = compare(drawn[k], clip.frames[k]), compare(drawn[k][box], clip.frames[k][box])
            rows.append([*whole, *mouth, distance(detect(detector, drawn[k]), recorded)])
        clip.scores[name] = dict(zip(FIGURES, np.array(rows).T, strict=True))


def compare(drawn: npt.NDArray[np.uint8], recorded: npt.NDArray[np.uint8]) -> tuple[float, float]:
    """Return SSIM and PSNR (dB) of two pictures."""
    similarity = structural_similarity(drawn, recorded, channel_axis=-1, data_range=255)
    return float(similarity), float(peak_signal_noise_ratio(recorded, drawn, data_range=255))


def mouth_box(points: npt.NDArray[np.float32]) -> tuple[slice, slice]:
    """Return rows and columns of the lips with a quarter of their box around; at least 8 pixels, which SSIM needs."""
    low, high = points[48:].min(axis=0), points[48:].max(axis=0)
    margin = np.maximum((high - low) / 4, (8 - (high - low)) / 2)
    (x0, y0), (x1, y1) = np.maximum(low - margin, 0).astype(int), np.ceil(high + margin).astype(int)
    return slice(y0, y1), slice(x0, x1)


def detect(detector: Detector | None, frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the landmarks ``[68, 2]`` in a frame; NaN if there is no detector or no face."""
    if detector is not None and (detections := detector.detect([np.ascontiguousarray(frame)])[0]):
        return detections[0].pose.numpy()
    return np.full((68, 2), np.nan, np.float32)


def distance(drawn: npt.NDArray[np.float32], recorded: npt.NDArray[np.float32]) -> float:
    """Return the mean distance of landmarks, in percent of that of the outer eye corners."""
    eyes = np.linalg.norm(recorded[36] - recorded[45])
    return float(100 * np.linalg.norm(drawn - recorded, axis=1).mean() / eyes)


def table(clips: list[Clip]) -> list[str]:
    """Return a row for each method, then the portrait less each baseline; means over clips."""
    lines = [f"| | {' | '.join(FIGURES)} |", "|---" * (len(FIGURES) + 1) + "|"]
    values = {name: np.array([[clip.mean(name, figure) for figure in FIGURES] for clip in clips]) for name in METHODS}
    differences = {f"portrait less {name}": values["portrait"] - values[name] for name in METHODS if name != "portrait"}
    for name, rows in (values | differences).items():
        cells = [interval(column, digits, name in differences) for column, digits in zip(rows.T, DIGITS, strict=True)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def interval(values: npt.NDArray[np.float64], digits: int, signed: bool = False) -> str:
    """Return the mean with its 95 % interval (percentile bootstrap) as text."""
    if np.isnan(values).any():
        return "not measured"
    draws = np.random.default_rng(0).choice(values, (2000, len(values))).mean(axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    form = f"{'+' if signed else ''}.{digits}f"
    return f"{values.mean():{form}} ({low:{form}} to {high:{form}})"


def contact_sheet(clips: list[Clip], path: Path) -> None:
    """Write the worst frames: recorded, portrait, static (the first frame), piecewise affine."""
    rows = []
    for clip in sorted(clips, key=lambda clip: clip.scores["portrait"]["mouth SSIM"].min())[:SHEET_CLIPS]:
        pictures = [clip.frames[clip.worst], *(clip.drawn[name][clip.worst] for name in METHODS)]
        rows.append(np.hstack([cv2.resize(picture, (240, 240), interpolation=cv2.INTER_CUBIC) for picture in pictures]))
    half = -(-len(rows) // 2)
    sheet = np.hstack([np.vstack(rows[:half]), np.vstack((rows[half:] + rows[:1])[:half])])
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))


def main(shared: Path) -> None:
    """Measure all clips, print and write the tables."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    detector = FaceMeshSpec(max_faces=1).build(CONTEXT)
    sets = {"GRID, one speaker, 128 x 128": list(grid_clips(shared / "grid_s1"))}
    if detector is not None:
        sets["Other people, 256 x 256"] = list(other_clips(shared / "videos", detector))
    lines = []
    for title, clips in sets.items():
        for clip in clips:
            measure(clip, detector)
        lines += [f"### {title}, {len(clips)} clips", "", *table(clips), ""]
        print("\n".join(lines[-9:]), flush=True)
    contact_sheet([clip for clips in sets.values() for clip in clips], SHEET)
    print(SHEET)
    if detector is not None:
        before, _, after = PAGE.read_text("utf-8").partition(BEGIN)
        PAGE.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + after.partition(END)[2], "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    main(parser.parse_args().shared)
