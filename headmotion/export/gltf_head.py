"""ARKit's blend shapes as a head whose morph targets have the standard names, animated by the motion's weights.

Three.js (``morphTargetDictionary``), Blender (shape keys) and viewers of VRM read the names of targets from the mesh's
``extras.targetNames``, which glTF's standard recommends. An animation made for these names also fits another head that
has them: only the order of its targets has to be looked up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..core.interfaces.representation import Representation
from ..core.motion import Motion
from ..representations.blendshape_mesh import IRISES, mesh_basis
from ..representations.mesh478 import Mesh478, mesh_tables
from ..representations.specs import Mesh478Spec
from .gltf_scene import INDICES, VERTICES, Scene

NAME = "head"
"""Of the node and the mesh."""


def head_scene(motion: Motion, representation: Representation) -> Scene:
    """Return the scene of a motion of `blendshapes`: the neutral face of `mesh478`, deformed by `mesh_basis`.

    Weights are exact, also those beyond 0 and 1, to which some programs clip them.
    """
    scene = Scene(motion, representation.name)
    neutral = Mesh478(Mesh478Spec()).neutral().double().numpy()
    # From x right, y down and depth to x right, y up and z toward the viewer; the origin is the face's center.
    vertices = (neutral - [0.5, 0.5, 0.0]) * [1, -1, -1]
    targets = mesh_basis().double().numpy() * [1, -1, -1]
    mesh = scene.mesh(
        NAME,
        {"POSITION": scene.array(vertices, "VEC3", VERTICES)},
        scene.array(head_triangles().reshape(-1), "SCALAR", INDICES),
        tuple(scene.array(target, "VEC3", VERTICES) for target in targets),
        representation.point_names,
    )
    node = scene.node(name=NAME, mesh=mesh)
    weights = motion.values[..., 0].double().cpu().numpy()
    scene.animate(node, "weights", weights.reshape(-1), "SCALAR")
    return scene


def head_triangles() -> NDArray[np.uint32]:
    """Return the corners ``[n, 3]`` of the face's triangles and of the irises, counterclockwise for the viewer."""
    irises = []
    for center, *ring in IRISES.values():
        # The rings are published from the point at a side on, over the top.
        irises += [[center, ring[k], ring[(k + 1) % len(ring)]] for k in range(len(ring))]
    return np.array([*mesh_tables()["triangles"], *irises], np.uint32)
