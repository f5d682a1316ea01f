"""Make the neutral face of `landmarks68` from a corpus with word times: closed, frontal, upright and symmetric.

    python tools/make_neutral_face.py ../shared/data/grid_s1 > headmotion/representations/landmarks68_neutral.json

The face that ships with headmotion was made by this script from speaker 1 of the GRID corpus (Cooke, Barker,
Cunningham and Shao 2006, CC BY 4.0): the median of silent frames in which the lips touch.
"""

import argparse
import csv
import json
from pathlib import Path

import numpy as np
import torch

from headmotion.geometry.rotations import axis_rotation
from headmotion.representations.landmarks68 import MIRROR, Landmarks68
from headmotion.representations.specs import Landmarks68Spec


def silent_frames(folder: Path, row: dict[str, str]) -> np.ndarray:
    """Return the silent frames ``[T, 68, 3]`` of a clip, at least 0.2 s from any word."""
    with np.load(folder / f"{row['id']}.npz") as stored:
        landmarks, fps = stored["landmarks"].astype(np.float64), float(stored["fps"])
    seconds = np.arange(len(landmarks)) / fps
    silent = np.zeros(len(landmarks), dtype=bool)
    for start, end, word in json.loads(row["words"]):
        if word == "sil":
            silent |= (seconds > start + 0.2 * (start > 0)) & (seconds < end - 0.2)
    return landmarks[silent]


def upright(faces: np.ndarray) -> np.ndarray:
    """Return faces with level outer eye corners, whose middle is the origin and whose distance is 1."""
    eyes = faces[:, 45, :2] - faces[:, 36, :2]
    distance, roll = np.hypot(*eyes.T), np.arctan2(eyes[:, 1], eyes[:, 0])
    rotation = axis_rotation(2, torch.from_numpy(roll)).numpy()
    centered = faces - (faces[:, 36:37] + faces[:, 45:46]) / 2
    return centered @ rotation / distance[:, None, None]  # row vectors are rotated back


def main() -> None:
    """Print the face as JSON: 68 rows of x, y, z in the unit frame."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="folder with index.csv (column 'words') and ID.npz")
    folder = parser.parse_args().corpus
    rows = list(csv.DictReader((folder / "index.csv").open(encoding="utf-8")))
    faces = upright(np.concatenate([silent_frames(folder, row) for row in rows]))
    opening = np.linalg.norm(faces[:, 62, :2] - faces[:, 66, :2], axis=-1)
    face = np.median(faces[opening <= np.quantile(opening, 0.25)], axis=0)
    face = (face + face[list(MIRROR)] * [-1.0, 1.0, 1.0]) / 2
    pose = torch.from_numpy(face)
    representation = Landmarks68(Landmarks68Spec(dims=3))
    unit = representation.normalize(pose, representation.frame_of(pose))
    print("[\n " + ",\n ".join(json.dumps([round(number, 5) for number in point]) for point in unit.tolist()) + "\n]")


if __name__ == "__main__":
    main()
