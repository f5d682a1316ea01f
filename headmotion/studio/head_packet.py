"""The head that blend shapes move: the one that is exported as glTF, as JSON values for the page."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..export.gltf_head import head_triangles
from ..representations.blendshape_mesh import IRISES, mesh_basis
from ..representations.blendshapes import NAMES
from ..representations.mesh478 import Mesh478, mesh_tables
from ..representations.specs import Mesh478Spec


@cache
def head_packet() -> dict[str, Any]:
    """Return the neutral head and the displacements of its vertices by each blend shape at 1.

    Returns:
        ``vertices`` ``[478, 3]`` and ``targets`` ``[52, 478, 3]`` (float32 as base64; x right, y up, z toward the
        viewer, the face about 1 tall), ``triangles`` (corners), ``names`` of the targets, and the points of the
        outlines of face, lips and eyes and of the irises.
    """
    to_viewer = 2 * np.array([1.0, -1.0, -1.0])  # the unit frame is twice as large as the face
    neutral = Mesh478(Mesh478Spec()).neutral().double().numpy()
    outlines = {name: list(points) for name, points in mesh_tables()["outlines"].items()}
    return {
        "vertices": _encoded((neutral - [0.5, 0.5, 0.0]) * to_viewer),
        "targets": _encoded(mesh_basis().double().numpy() * to_viewer),
        "triangles": head_triangles().reshape(-1).tolist(),
        "names": list(NAMES),
        "outlines": outlines,
        "irises": {name: list(points) for name, points in IRISES.items()},
    }


def _encoded(values: NDArray[np.float64]) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode()
