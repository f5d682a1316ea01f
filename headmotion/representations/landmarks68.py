"""The 68 face landmarks of the iBUG 300-W scheme (Sagonas, Antonakos, Tzimiropoulos, Zafeiriou, Pantic 2016).

Left and right are the person's own: ``right_eye`` (36..41) lies on the left of an unmirrored picture.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from .point_representation import PointRepresentation
from .specs import Landmarks68Spec, Landmarks683DSpec

PARTS = {
    "jaw": range(0, 17),
    "right_brow": range(17, 22),
    "left_brow": range(22, 27),
    "nose_bridge": range(27, 31),
    "nose_base": range(31, 36),
    "right_eye": range(36, 42),
    "left_eye": range(42, 48),
    "outer_lips": range(48, 60),
    "inner_lips": range(60, 68),
}
"""The nine parts in order, which together have all 68 points."""

CONTOURS = {part: tuple(PARTS[part]) for part in ("right_eye", "left_eye", "outer_lips", "inner_lips")}

GROUPS = {
    "jaw": tuple(range(0, 17)),
    "brows": tuple(range(17, 27)),
    "nose": tuple(range(27, 36)),
    "eyes": tuple(range(36, 48)),
    "lips": tuple(range(48, 68)),
    "right_eye": CONTOURS["right_eye"],
    "left_eye": CONTOURS["left_eye"],
}

# Upper point first. Corners of eyes and mouth are left out, because they hardly open.
OPENINGS = {
    "mouth": ((61, 67), (62, 66), (63, 65)),
    "right_eye": ((37, 41), (38, 40)),
    "left_eye": ((43, 47), (44, 46)),
}

EDGES = (
    *(edge for members in PARTS.values() for edge in pairwise(members)),
    # Parts are open lines; eyes and lips are closed.
    *((outline[-1], outline[0]) for outline in CONTOURS.values()),
)

MIRROR = (
    *range(16, -1, -1),  # jaw
    *range(26, 16, -1),  # brows
    *range(27, 31),  # bridge of the nose
    *range(35, 30, -1),  # base of the nose
    *(45, 44, 43, 42, 47, 46),  # the right eye takes the place of the left one
    *(39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),  # outer lips
    *(64, 63, 62, 61, 60, 67, 66, 65),  # inner lips
)
"""Point ``i`` of a mirrored face is point ``MIRROR[i]`` of the original."""


class Landmarks68(PointRepresentation):
    """68 landmarks with x, y and, with ``dims`` 3 in the spec, depth."""

    points = 68
    point_names = tuple(f"{part}_{k}" for part, members in PARTS.items() for k in range(len(members)))
    groups = GROUPS
    contours = CONTOURS
    openings = OPENINGS
    scale_pair = (36, 45)
    edges = EDGES
    mirror = MIRROR

    def __init__(self, spec: Landmarks68Spec | Landmarks683DSpec) -> None:
        super().__init__(spec)
        self.name = spec.type
        self.dims = self.lengths = spec.dims

    def neutral(self) -> Tensor:
        """Return a frontal, symmetric face ``[68, D]`` with closed lips.

        It is made from speaker 1 of the GRID corpus (CC BY 4.0).
        """
        stored = json.loads(Path(__file__).with_name("landmarks68_neutral.json").read_text("utf-8"))
        return torch.tensor(stored, dtype=torch.float32)[:, : self.dims]
