"""A glTF document under construction: arrays in one buffer, nodes, meshes, skins and one animation."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core.motion import Motion

Kind = Literal["SCALAR", "VEC3", "VEC4", "MAT4"]
"""Types of an array's items."""
COMPONENTS = {"f": 5126, "u1": 5121, "u2": 5123, "u4": 5125}
"""The standard's codes of number types: float, and unsigned integers of 1, 2 and 4 bytes."""
VERTICES, INDICES = 34962, 34963
"""The standard's codes for what an array is used for."""


class Scene:
    """A document under construction.

    Args:
        motion: gives the time stamps of the animation.
        name: name of the scene and the animation.
    """

    def __init__(self, motion: Motion, name: str) -> None:
        import pygltflib  # type: ignore[import-not-found,import-untyped,unused-ignore]

        self._gltf = pygltflib
        self._bytes = bytearray()
        asset = pygltflib.Asset(generator="headmotion", extras={"synthetic": True, "fps": str(motion.fps)})
        self._document = pygltflib.GLTF2(asset=asset, scene=0, scenes=[pygltflib.Scene(name=name, nodes=[])])
        self._animation = pygltflib.Animation(name=name)
        self._times: int | None = None
        self._stamps = np.array([float(stamp) for stamp in motion.timestamps()], np.float32)

    def array(self, values: NDArray[Any], kind: Kind, target: int | None = None) -> int:
        """Store an array and return its index among the accessors.

        Args:
            values: ``[n, ...]``, floats (stored as ``float32``) or unsigned integers.
            kind: what each of the ``n`` items is.
            target: `VERTICES` or `INDICES`, for arrays of a mesh.
        """
        code = "f" if values.dtype.kind == "f" else values.dtype.str[1:]
        flat = np.ascontiguousarray(values.astype(np.float32) if code == "f" else values)
        self._bytes += bytes(-len(self._bytes) % 4)  # arrays of all kinds may begin at multiples of four bytes
        view = self._gltf.BufferView(buffer=0, byteOffset=len(self._bytes), byteLength=flat.nbytes, target=target)
        self._bytes += flat.tobytes()
        self._document.bufferViews.append(view)
        rows = flat.reshape(len(flat), -1)
        accessor = self._gltf.Accessor(
            bufferView=len(self._document.bufferViews) - 1,
            componentType=COMPONENTS[code],
            count=len(flat),
            type=kind,
            min=rows.min(axis=0).tolist(),
            max=rows.max(axis=0).tolist(),
        )
        self._document.accessors.append(accessor)
        return len(self._document.accessors) - 1

    def node(self, parent: int | None = None, **fields: Any) -> int:
        """Add a node below a parent or at the top, and return its index."""
        self._document.nodes.append(self._gltf.Node(**fields))
        index = len(self._document.nodes) - 1
        siblings = self._document.scenes[0].nodes if parent is None else self._document.nodes[parent].children
        siblings.append(index)
        return index

    def mesh(
        self,
        name: str,
        attributes: dict[str, int],
        indices: int | None = None,
        targets: tuple[int, ...] = (),
        names: tuple[str, ...] = (),
    ) -> int:
        """Add a mesh and return its index.

        Args:
            name: the mesh's name.
            attributes: accessors by attribute, such as ``POSITION``.
            indices: accessor of the triangles' corners; None makes a mesh of single points.
            targets: accessors of the morph targets' displacements.
            names: names of the morph targets.
        """
        gltf = self._gltf
        material = gltf.Material(name=name, doubleSided=True, pbrMetallicRoughness=gltf.PbrMetallicRoughness())
        self._document.materials.append(material)
        primitive = gltf.Primitive(
            attributes=gltf.Attributes(**attributes),
            indices=indices,
            mode=gltf.POINTS if indices is None else gltf.TRIANGLES,
            material=len(self._document.materials) - 1,
            targets=[{"POSITION": target} for target in targets] or None,
        )
        extras = {"targetNames": list(names)} if names else {}
        mesh = gltf.Mesh(name=name, primitives=[primitive], weights=[0.0] * len(targets) or None, extras=extras)
        self._document.meshes.append(mesh)
        return len(self._document.meshes) - 1

    def skin(self, joints: list[int], inverse_bind: NDArray[np.float32]) -> int:
        """Add a skin of nodes with the inverses ``[J, 4, 4]`` of their resting transforms, and return its index."""
        columns = self.array(inverse_bind.transpose(0, 2, 1), "MAT4")
        self._document.skins.append(self._gltf.Skin(joints=joints, inverseBindMatrices=columns))
        return len(self._document.skins) - 1

    def animate(self, node: int, path: str, values: NDArray[Any], kind: Kind) -> None:
        """Animate a property of a node.

        Args:
            node: index of the node.
            path: ``translation``, ``rotation``, ``scale`` or ``weights``.
            values: one row per frame.
            kind: what each row is; the ``weights`` of a frame are several scalars.
        """
        # All channels share one array of time stamps.
        if self._times is None:
            self._times = self.array(self._stamps, "SCALAR")
        sampler = self._gltf.AnimationSampler(input=self._times, output=self.array(values, kind))
        self._animation.samplers.append(sampler)
        target = self._gltf.AnimationChannelTarget(node=node, path=path)
        index = len(self._animation.samplers) - 1
        self._animation.channels.append(self._gltf.AnimationChannel(sampler=index, target=target))

    def document(self) -> Any:
        """Finish and return the ``pygltflib.GLTF2``."""
        if self._animation.channels:
            self._document.animations.append(self._animation)
        self._document.buffers.append(self._gltf.Buffer(byteLength=len(self._bytes)))
        self._document.set_binary_blob(bytes(self._bytes))
        return self._document
