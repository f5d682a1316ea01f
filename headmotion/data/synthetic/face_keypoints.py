"""Keypoints with Jacobians of a synthetic face, like those that a first-order motion model learns.

Each keypoint is the center of some landmarks. Its Jacobian is the affine map that best takes these landmarks from the
neutral face to the frame (Siarohin, Lathuiliere, Tulyakov, Ricci, Sebe 2019, eq. 4, whose networks learn both).
"""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from ...representations.specs import KeypointsSpec
from .talking_faces import SyntheticClip, synthetic_clip

# fmt: off
NEIGHBORHOODS = (
    (27, 28, 29, 30, 31, 33, 35), (17, 18, 19, 20, 36, 37, 38, 39), (23, 24, 25, 26, 42, 43, 44, 45),
    (36, 37, 38, 39, 40, 41), (42, 43, 44, 45, 46, 47), (0, 1, 2, 3, 4, 5), (11, 12, 13, 14, 15, 16),
    (48, 49, 50, 51, 52, 53, 54, 60, 61, 62, 63, 64), (48, 54, 55, 56, 57, 58, 59, 60, 64, 65, 66, 67),
    (6, 7, 8, 9, 10),
)
# fmt: on
"""Landmarks around each keypoint: nose, brows, eyes, cheeks, upper lip, lower lip, chin."""
MIRROR = (0, 2, 1, 4, 3, 6, 5, 7, 8, 9)
STIFFNESS = 0.03
"""Keeps the map of almost collinear landmarks (a chin) from turning them inside out; share of the face's extent."""
HALF_PICTURE = 128.0
"""Pixels per unit of a network whose picture reaches from -1 to 1."""


def keypoints_spec() -> KeypointsSpec:
    """Return the spec of ten keypoints with Jacobians; size is measured between the eyes."""
    return KeypointsSpec(
        points=len(NEIGHBORHOODS), jacobians=True, mirror=MIRROR, scale_pair=(3, 4), rest=_resting_pose()
    )


def keypoint_clip(
    seed: int, seconds: float = 3.0, *, speaker: int | None = None, split: str = "train", clean: bool = False
) -> SyntheticClip:
    """Return the clip of `synthetic_clip` as keypoints ``[T, 10, 6]``; arguments and truth are the same.

    Raises:
        CorpusError: shorter than one second.
    """
    clip = synthetic_clip(seed, seconds, speaker=speaker, split=split, clean=clean)
    assert clip.face_identity is not None
    keypoints = to_keypoints(clip.landmarks[..., :2], clip.face_identity.neutral[:, :2])
    return replace(clip, id=f"keypoints-{seed:06d}", landmarks=keypoints.astype(np.float32))


def to_keypoints(landmarks: npt.NDArray[np.floating], neutral: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the keypoints ``[T, 10, 6]`` of landmarks.

    Args:
        landmarks: ``[T, 68, 2]`` in pixels of a 256-pixel picture.
        neutral: the neutral face ``[68, 2]`` in outer-eye distances. In the network's picture it is as large as the
            face of the first frame.
    """
    exact = landmarks.astype(np.float64)
    size = (
        np.linalg.norm(exact[0, 45] - exact[0, 36]) / np.linalg.norm(neutral[45] - neutral[36]) if len(exact) else 1.0
    )
    reference = neutral * size / HALF_PICTURE
    rows = []
    for members in map(list, NEIGHBORHOODS):
        offsets = reference[members] - reference[members].mean(axis=0)
        stiffness = (STIFFNESS * np.ptp(reference, axis=0).max()) ** 2 * len(members) * np.eye(2)
        points = exact[:, members]
        center = points.mean(axis=1)
        # Stiffness pulls towards the map of the whole face, which is its size.
        covariance = (points - center[:, None]).transpose(0, 2, 1) @ offsets + HALF_PICTURE * stiffness
        jacobian = covariance @ np.linalg.inv(offsets.T @ offsets + stiffness)
        rows.append(np.concatenate([center, jacobian.reshape(-1, 4)], axis=1))
    return np.stack(rows, axis=1)


def _resting_pose() -> tuple[tuple[float, ...], ...]:
    """Return the keypoints of the neutral face in the unit frame, which is half as wide as a network's picture."""
    text = (files("headmotion.representations") / "landmarks68_neutral.json").read_text("utf-8")
    face = np.array(json.loads(text))[:, :2]
    return tuple((*map(float, face[list(members)].mean(axis=0)), 0.5, 0.0, 0.0, 0.5) for members in NEIGHBORHOODS)
