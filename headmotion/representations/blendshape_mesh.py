"""ARKit's blend shapes as displacements of the 478 points of `mesh478`: a stand-in for a sculpted head.

The small basis of `blendshape_landmarks` says where 68 of the points move; this adds points for what landmarks do not
show (cheeks, nostrils, gaze, depth), and all other points follow as smoothly as the mesh allows: their displacements
minimize the squared Laplacian over the mesh's edges (biharmonic interpolation: Botsch and Kobbelt 2004). Eyes and mouth
are holes in the mesh, so lips move apart. Like that basis, it is rounded by hand and fitted to no sculpted face.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from .blendshape_landmarks import LID_CLOSURE, landmark_basis
from .blendshapes import NAMES
from .mesh478 import IBUG, Mesh478, mesh_tables
from .mirror_names import opposite_names
from .specs import Mesh478Spec

FACE_POINTS = 468
"""Points of the face; the irises follow, which no edge connects with it."""
IRISES = {"Right": range(468, 473), "Left": range(473, 478)}
GAZE = 0.07
"""How far an iris moves at full gaze to a side; up and down two thirds of it. In distances of the outer eye corners."""
EXTRAS: dict[str, dict[tuple[int, ...], tuple[float, float, float]]] = {
    "cheekPuff": {(425, 411, 426, 280): (0.06, 0.0, -0.1), (205, 187, 206, 50): (-0.06, 0.0, -0.1)},
    "cheekSquintLeft": {(346, 347, 348): (0.0, -0.04, -0.02)},
    "noseSneerLeft": {(327, 279, 358): (0.01, -0.04, 0.0)},
    "jawForward": {(152, 377, 148, 17, 14): (0.0, 0.0, -0.08)},
    "mouthFunnel": {(0, 13, 14, 17): (0.0, 0.0, -0.06)},
    "mouthPucker": {(0, 13, 14, 17): (0.0, 0.0, -0.06)},
}
"""Further displacements (x, y, depth) of points, in distances of the outer eye corners, the person's left side only."""


@cache
def mesh_basis() -> Tensor:
    """Return the displacements ``[52, 478, 3]`` of the neutral `mesh478` by each shape at 1, in the unit frame.

    x is to the right, y down, depth away from the viewer. The tongue is not in the mesh, so its shape moves nothing.
    """
    mesh = Mesh478(Mesh478Spec())
    neutral = mesh.neutral().double()
    size = (neutral[IBUG[36]] - neutral[IBUG[45]])[:2].norm()
    displacements = torch.zeros(len(NAMES), len(neutral), 3, dtype=torch.float64)
    displacements[:, list(IBUG), :2] = landmark_basis(neutral[list(IBUG), :2]).double()
    for side in ("Left", "Right"):
        for upper, lower in mesh.openings[f"{side.lower()}_eye"]:
            displacements[NAMES.index(f"eyeBlink{side}"), upper] = LID_CLOSURE * (neutral[lower] - neutral[upper])
    extra = _extras() * size
    lids = {point for side in ("left_eye", "right_eye") for pair in mesh.openings[side] for point in pair}
    fixed = {*IBUG, *lids, *_forehead(neutral)}
    result = torch.zeros_like(displacements)
    displacements += extra
    for k in torch.nonzero(displacements.flatten(1).any(1)).flatten().tolist():
        moved = set(torch.nonzero(extra[k].any(-1)).flatten().tolist())
        constrained = sorted(point for point in fixed | moved if point < FACE_POINTS)
        result[k, :FACE_POINTS] = _interpolate(displacements[k, constrained], constrained)
    result[:, FACE_POINTS:] = _gaze(neutral)[:, FACE_POINTS:] * size
    return result.float()


def _extras() -> Tensor:
    """Return the displacements of `EXTRAS` ``[52, 478, 3]`` of both sides."""
    mirror = mesh_tables()["mirror"]
    extra = torch.zeros(len(NAMES), len(mirror), 3, dtype=torch.float64)
    for name, groups in EXTRAS.items():
        opposite = next((other for other in opposite_names(name) if other in NAMES), None)
        for points, (x, y, depth) in groups.items():
            for point in points:
                extra[NAMES.index(name), point] = torch.tensor([x, y, depth])
                if opposite is not None:
                    extra[NAMES.index(opposite), mirror[point]] = torch.tensor([-x, y, depth])
    return extra


def _forehead(neutral: Tensor) -> list[int]:
    """Return the points of the outline above the brows, which no shape moves."""
    brows = neutral[[IBUG[k] for k in range(17, 27)], 1].min()
    return [point for point in mesh_tables()["outlines"]["face"] if neutral[point, 1] < brows]


def _gaze(neutral: Tensor) -> Tensor:
    """Return the displacements ``[52, 478, 3]`` of the irises."""
    moved = torch.zeros(len(NAMES), len(neutral), 3, dtype=torch.float64)
    for side, points in IRISES.items():
        inward = -1.0 if side == "Left" else 1.0  # the person's left eye is on the right of the picture
        for direction, shift in (("In", (inward, 0)), ("Out", (-inward, 0)), ("Up", (0, -2 / 3)), ("Down", (0, 2 / 3))):
            x, y = (GAZE * angle for angle in shift)
            moved[NAMES.index(f"eyeLook{direction}{side}"), list(points)] = moved.new_tensor([x, y, 0.0])
    return moved


def _interpolate(displacements: Tensor, points: list[int]) -> Tensor:
    """Return the displacements ``[468, 3]`` of all points of the face, of which those of some points are given."""
    free = sorted(set(range(FACE_POINTS)) - set(points))
    energy = _laplacian().T @ _laplacian()
    result = torch.zeros(FACE_POINTS, 3, dtype=torch.float64)
    result[points] = displacements
    result[free] = torch.linalg.solve(energy[free][:, free], -energy[free][:, points] @ displacements)
    return result


@cache
def _laplacian() -> Tensor:
    """Return the umbrella operator ``[468, 468]`` of the mesh: each point less the mean of its neighbors."""
    adjacent = torch.zeros(FACE_POINTS, FACE_POINTS, dtype=torch.float64)
    for a, b, c in mesh_tables()["triangles"]:
        for first, second in ((a, b), (b, c), (c, a)):
            adjacent[first, second] = adjacent[second, first] = 1.0
    return torch.eye(FACE_POINTS, dtype=torch.float64) - adjacent / adjacent.sum(1, keepdim=True)
