"""Make the tables of `mesh478`, from mediapipe and frames with closed lips: neutral face, mirror, lines, triangles.

    .venv-mediapipe/bin/python tools/make_mesh478.py ../shared/data/grid_s1 > headmotion/representations/mesh478.json

Needs mediapipe 0.10.21, whose face_mesh_connections.py (Apache-2.0) names the outlines. The face is the median over
silent beginnings of clips of speaker 1 of the GRID corpus (Cooke, Barker, Cunningham and Shao 2006, CC BY 4.0), made
symmetric. The mirror is found by matching the face to its mirror image.
"""

import argparse
import json
from collections import Counter
from itertools import chain
from pathlib import Path

import av
import cv2
import mediapipe
import numpy as np
import torch
from mediapipe.python.solutions import face_mesh_connections as published
from scipy.optimize import linear_sum_assignment

from headmotion.geometry.rigid_fit import fit_similarity

CLIPS = 40
FLIP = np.array([-1.0, 1.0, 1.0])
OUTLINES = {
    "right_eye": (33, published.FACEMESH_RIGHT_EYE),
    "left_eye": (362, published.FACEMESH_LEFT_EYE),
    "outer_lips": (61, published.FACEMESH_LIPS),
    "inner_lips": (78, published.FACEMESH_LIPS),
    "face": (10, published.FACEMESH_FACE_OVAL),
}
"""Closed outlines: the first point of each, and the lines that contain it."""
PARTS = {
    "right_brow": published.FACEMESH_RIGHT_EYEBROW,
    "left_brow": published.FACEMESH_LEFT_EYEBROW,
    "right_iris": published.FACEMESH_RIGHT_IRIS,
    "left_iris": published.FACEMESH_LEFT_IRIS,
    "nose": published.FACEMESH_NOSE,
}


def first_faces(folder: Path) -> np.ndarray:
    """Return the meshes ``[N, 478, 3]`` of the second frame of `CLIPS` clips."""
    options = {"static_image_mode": True, "refine_landmarks": True}
    meshes = []
    with mediapipe.solutions.face_mesh.FaceMesh(**options) as graph:
        for path in sorted(folder.glob("*.mp4"))[:CLIPS]:
            with av.open(str(path)) as video:
                frames = video.decode(video=0)
                next(frames)
                picture = next(frames).to_ndarray(format="rgb24")
            large = cv2.resize(picture, (512, 512), interpolation=cv2.INTER_CUBIC)
            faces = graph.process(large).multi_face_landmarks
            if faces:
                meshes.append([(p.x, p.y, p.z) for p in faces[0].landmark])
    return np.array(meshes)


def align(face: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Return a face rotated, scaled and shifted onto another (Umeyama 1991)."""
    source, target = torch.from_numpy(face), torch.from_numpy(to)
    return fit_similarity(source, target).apply(source).numpy()


def mirror_of(face: np.ndarray) -> np.ndarray:
    """Return the permutation that matches a face to its mirror image."""
    mirrored = (face - face.mean(0)) * FLIP
    target = mirrored + face.mean(0)
    for _ in range(20):
        _, order = linear_sum_assignment(((face[:, None] - target[None]) ** 2).sum(-1))
        target = align(mirrored[order], face)[np.argsort(order)]
    assert (order[order] == np.arange(len(face))).all(), "no mirror"
    return order


def upright(face: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Return the face made symmetric about x = 0, with forehead and chin at the same depth."""
    face = (face + align((face * FLIP)[mirror], face)) / 2
    across = (face - face[mirror]) * np.sign(face[:, :1] - face[mirror][:, :1])
    x = across.sum(0) / np.linalg.norm(across.sum(0))
    down = face[152] - face[10]
    y = down - x * (down @ x)
    y /= np.linalg.norm(y)
    face = (face - face.mean(0)) @ np.stack([x, y, np.cross(x, y)], axis=1)
    return (face + face[mirror] * FLIP) / 2


def to_unit_frame(face: np.ndarray) -> np.ndarray:
    """Return the face in the unit frame: its box in the middle, with a longer edge of 0.5."""
    low, high = face[:, :2].min(0), face[:, :2].max(0)
    shift = [*(low + high) / 2, face[:, 2].mean()]
    return (face - shift) / (2 * (high - low).max()) + [0.5, 0.5, 0]


def outline(start: int, lines: frozenset) -> list[int]:
    """Return the points of a closed outline in order, from a start and along the lower side first."""
    neighbors: dict[int, list[int]] = {}
    for a, b in sorted(lines):
        neighbors.setdefault(a, []).append(b)
        neighbors.setdefault(b, []).append(a)
    path, last = [start], -1
    while (following := next(p for p in neighbors[path[-1]] if p != last)) != start:
        last = path[-1]
        path.append(following)
    return path


def triangles(face: np.ndarray) -> list[list[int]]:
    """Return the corners of the mesh's triangles, counterclockwise for the viewer; eyes and mouth are holes."""
    neighbors: dict[int, set[int]] = {}
    for a, b in published.FACEMESH_TESSELATION:
        neighbors.setdefault(a, set()).add(b)
        neighbors.setdefault(b, set()).add(a)
    found = {tuple(sorted((a, b, c))) for a in neighbors for b in neighbors[a] for c in neighbors[a] & neighbors[b]}
    # Three lines around a point with triangles of its own enclose no triangle: each of them has two already.
    shared = Counter(line for a, b, c in found for line in ((a, b), (b, c), (a, c)))
    found = {(a, b, c) for a, b, c in found if min(shared[a, b], shared[b, c], shared[a, c]) < 3}
    x, y = face[:, 0], -face[:, 1]
    area = [(x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a]) for a, b, c in sorted(found)]
    return [[a, b, c] if size > 0 else [a, c, b] for (a, b, c), size in zip(sorted(found), area, strict=True)]


def main() -> None:
    """Print the tables as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, help="folder with face videos that begin in silence")
    faces = first_faces(parser.parse_args().clips)
    faces = np.stack([align(face, faces[0]) for face in faces])
    opening = np.linalg.norm(faces[:, 13] - faces[:, 14], axis=-1)
    face = np.median(faces[opening <= np.median(opening)], axis=0)
    mirror = mirror_of(face)
    outlines = {name: outline(start, lines) for name, (start, lines) in OUTLINES.items()}
    unit = to_unit_frame(upright(face, mirror)).round(5)
    tables = {
        "mirror": mirror.tolist(),
        "outlines": outlines,
        "parts": {name: sorted(set(chain.from_iterable(lines))) for name, lines in PARTS.items()},
        "edges": sorted(published.FACEMESH_CONTOURS | published.FACEMESH_IRISES | published.FACEMESH_NOSE),
        "neutral": unit.tolist(),
        "triangles": triangles(unit),
    }
    print("{" + ",\n".join(f'"{name}": {json.dumps(table)}' for name, table in tables.items()) + "}")


if __name__ == "__main__":
    main()
