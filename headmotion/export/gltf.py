"""Motion as glTF 2.0 (ISO/IEC 12113): points as a mesh with morph targets, blend shapes as a head, skeletons as a skin.

glTF has x to the right, y up and z toward the viewer, and meters. A side of the unit frame becomes one meter, and the
frame's center the origin; a skeleton without a frame, such as one from a BVH file, keeps its own unit and origin.
"""

from __future__ import annotations

from pathlib import Path

from ..core.errors import MotionError
from ..core.interfaces.representation import Representation
from ..core.lazy import require_packages
from ..core.motion import Motion
from ..representations.blendshapes import Blendshapes
from ..representations.joints import Joints
from .gltf_scene import Scene


def write_glb(motion: Motion, representation: Representation, path: Path) -> None:
    """Write one binary file.

    Raises:
        MotionError: the extra ``gltf`` is not installed, or the representation is no blend shapes and has no positions.
    """
    _scene(motion, representation).document().save_binary(path)


def write_gltf(motion: Motion, representation: Representation, path: Path) -> None:
    """Write one JSON file that contains its buffer.

    Raises:
        MotionError: the extra ``gltf`` is not installed, or the representation is no blend shapes and has no positions.
    """
    document = _scene(motion, representation).document()
    from pygltflib import BufferFormat  # type: ignore[import-not-found,import-untyped,unused-ignore]

    document.convert_buffers(BufferFormat.DATAURI)
    document.save_json(path)


def _scene(motion: Motion, representation: Representation) -> Scene:
    require_packages(["pygltflib"], "headmotion[gltf]", "glTF export", MotionError)
    if isinstance(representation, Blendshapes):
        from .gltf_head import head_scene

        return head_scene(motion, representation)
    if isinstance(representation, Joints):
        from .gltf_skeleton import skeleton_scene

        return skeleton_scene(motion, representation)
    from .gltf_mesh import mesh_scene

    return mesh_scene(motion, representation)
