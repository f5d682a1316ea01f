"""The 478 points of mediapipe's face mesh: 468 of the face, then 5 of each iris.

The mesh is that of Kartynnik, Ablavatski, Grishchenko, Grundmann (2019), its outlines those that mediapipe publishes
(face_mesh_connections.py, Apache-2.0). Left and right are the person's own, as in `landmarks68`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .landmarks68 import GROUPS, OPENINGS
from .point_representation import PointRepresentation
from .specs import Mesh478Spec

IBUG = (
    *(162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389),  # jaw
    *(71, 63, 105, 66, 107, 336, 296, 334, 293, 301),  # brows
    *(168, 197, 5, 4, 75, 97, 2, 326, 305),  # nose
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),  # eyes
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),  # outer lips
    *(78, 82, 13, 312, 308, 317, 14, 87),  # inner lips
)
"""Mesh point of each of the 68 landmarks; the ends of the jaw are higher than iBUG's."""


class Mesh478(PointRepresentation):
    """478 points with x, y and, with ``dims`` 3 in the spec, depth."""

    name = "mesh478"
    points = 478
    point_names = tuple(f"mesh_{k}" for k in range(478))
    scale_pair = (33, 263)

    def __init__(self, spec: Mesh478Spec) -> None:
        super().__init__(spec)
        self.dims = self.lengths = spec.dims
        outlines, parts = mesh_tables()["outlines"], mesh_tables()["parts"]
        self.contours = {name: tuple(points) for name, points in outlines.items() if name != "face"}
        # The jaw is that of iBUG and the lower half of the outline, so that controls move the whole chin.
        self.groups = {
            "jaw": tuple(sorted({IBUG[point] for point in GROUPS["jaw"]} | set(_below_eyes(outlines["face"])))),
            "brows": (*parts["right_brow"], *parts["left_brow"]),
            "nose": tuple(parts["nose"]),
            "eyes": (*outlines["right_eye"], *outlines["left_eye"]),
            "lips": (*outlines["outer_lips"], *outlines["inner_lips"]),
            "right_eye": tuple(outlines["right_eye"]),
            "left_eye": tuple(outlines["left_eye"]),
            # The published irises are rings; their centers are 468 and 473.
            "right_iris": (468, *parts["right_iris"]),
            "left_iris": (473, *parts["left_iris"]),
        }
        self.openings = {
            "mouth": tuple((IBUG[a], IBUG[b]) for a, b in OPENINGS["mouth"]),
            "right_eye": _lid_pairs(outlines["right_eye"]),
            "left_eye": _lid_pairs(outlines["left_eye"]),
        }
        self.edges = tuple((a, b) for a, b in mesh_tables()["edges"])
        self.mirror = tuple(mesh_tables()["mirror"])

    def neutral(self) -> Tensor:
        """Return a frontal, symmetric face ``[478, D]`` with closed lips.

        It is made from speaker 1 of the GRID corpus (CC BY 4.0).
        """
        return torch.tensor(mesh_tables()["neutral"], dtype=torch.float32)[:, : self.dims]


def _below_eyes(oval: list[int]) -> list[int]:
    """Return the points of the face's outline below the eyes."""
    neutral = mesh_tables()["neutral"]
    return [point for point in oval if neutral[point][1] > neutral[IBUG[36]][1]]


def _lid_pairs(outline: list[int]) -> tuple[tuple[int, int], ...]:
    """Return the pairs (upper, lower) of an eye's outline, which starts in a corner and follows the lower lid first.

    The corners are in no pair.
    """
    half = len(outline) // 2
    return tuple((outline[-k], outline[k]) for k in range(1, half))


@cache
def mesh_tables() -> Any:
    """Return the tables that ``tools/make_mesh478.py`` has written, by name.

    ``triangles`` have holes for eyes and mouth.
    """
    return json.loads(Path(__file__).with_name("mesh478.json").read_text("utf-8"))
