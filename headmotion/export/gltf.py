"""Motion as glTF 2.0: faces and other points as a mesh with morph targets, skeletons as a skin. Source: ISO/IEC 12113.

glTF has x to the right, y up and z toward the viewer, and meters. One meter stands for a side of the unit frame, and
the frame's center for the origin; a skeleton without a frame, as one from a BVH file, keeps its own unit and origin.
"""

from __future__ import annotations

from pathlib import Path

from ..core.errors import MotionError
from ..core.interfaces.representation import Representation
from ..core.lazy import require_packages
from ..core.motion import Motion
from ..representations.joints import Joints
from .gltf_parts import Scene


def write_glb(motion: Motion, representation: Representation, path: Path) -> None:
    """One binary file.

    Raises:
        MotionError: the extra ``gltf`` is not installed, or the representation has no place in space.
    """
    _scene(motion, representation).document().save_binary(path)


def write_gltf(motion: Motion, representation: Representation, path: Path) -> None:
    """One JSON file that holds its buffer.

    Raises:
        MotionError: the extra ``gltf`` is not installed, or the representation has no place in space.
    """
    from pygltflib import BufferFormat  # type: ignore[import-not-found,import-untyped,unused-ignore]

    document = _scene(motion, representation).document()
    document.convert_buffers(BufferFormat.DATAURI)
    document.save_json(path)


def _scene(motion: Motion, representation: Representation) -> Scene:
    require_packages(["pygltflib"], "headmotion[gltf]", "glTF export", MotionError)
    if isinstance(representation, Joints):
        from .gltf_skeleton import skeleton

        return skeleton(motion, representation)
    from .gltf_mesh import mesh

    return mesh(motion, representation)
