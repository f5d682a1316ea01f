"""The parts of a glTF document that headmotion writes: arrays in one buffer, nodes, and one animation."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core.motion import Motion

Kind = Literal["SCALAR", "VEC3", "VEC4", "MAT4"]
COMPONENTS = {"f": 5126, "u1": 5121, "u2": 5123, "u4": 5125}
VERTICES, INDICES = 34962, 34963


class Scene:
    """A document in the making. Arrays are padded to four bytes, as all their kinds want."""

    def __init__(self, motion: Motion, name: str) -> None:
        import pygltflib  # type: ignore[import-not-found,import-untyped,unused-ignore]

        self._kinds = pygltflib
        self._bytes = bytearray()
        asset = pygltflib.Asset(generator="headmotion", extras={"synthetic": True, "fps": str(motion.fps)})
        self._document = pygltflib.GLTF2(asset=asset, scene=0, scenes=[pygltflib.Scene(name=name, nodes=[])])
        self._animation = pygltflib.Animation(name=name)
        self._times: int | None = None
        self._stamps = np.array([float(stamp) for stamp in motion.timestamps()], np.float32)

    def array(self, values: NDArray[Any], kind: Kind, target: int | None = None) -> int:
        """Store an array ``[n, ...]`` of ``float32`` or of unsigned integers; its number among the accessors."""
        code = "f" if values.dtype.kind == "f" else values.dtype.str[1:]
        flat = np.ascontiguousarray(values.astype(np.float32) if code == "f" else values)
        self._bytes += bytes(-len(self._bytes) % 4)
        view = self._kinds.BufferView(buffer=0, byteOffset=len(self._bytes), byteLength=flat.nbytes, target=target)
        self._bytes += flat.tobytes()
        self._document.bufferViews.append(view)
        rows = flat.reshape(len(flat), -1)
        accessor = self._kinds.Accessor(
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
        """Add a node below another one or at the top; its number."""
        self._document.nodes.append(self._kinds.Node(**fields))
        number = len(self._document.nodes) - 1
        siblings = self._document.scenes[0].nodes if parent is None else self._document.nodes[parent].children
        siblings.append(number)
        return number

    def mesh(
        self,
        name: str,
        attributes: dict[str, int],
        indices: int | None = None,
        targets: tuple[int, ...] = (),
        names: tuple[str, ...] = (),
    ) -> int:
        """Add a mesh: triangles, or single points without indices; its number."""
        kinds = self._kinds
        material = kinds.Material(name=name, doubleSided=True, pbrMetallicRoughness=kinds.PbrMetallicRoughness())
        self._document.materials.append(material)
        primitive = kinds.Primitive(
            attributes=kinds.Attributes(**attributes),
            indices=indices,
            mode=kinds.POINTS if indices is None else kinds.TRIANGLES,
            material=len(self._document.materials) - 1,
            targets=[{"POSITION": each} for each in targets] or None,
        )
        extras = {"targetNames": list(names)} if names else {}
        mesh = kinds.Mesh(name=name, primitives=[primitive], weights=[0.0] * len(targets) or None, extras=extras)
        self._document.meshes.append(mesh)
        return len(self._document.meshes) - 1

    def skin(self, joints: list[int], inverse_bind: NDArray[np.float32]) -> int:
        """Add a skin of nodes with the inverses ``[J, 4, 4]`` of their resting transforms; its number."""
        columns = self.array(inverse_bind.transpose(0, 2, 1), "MAT4")
        self._document.skins.append(self._kinds.Skin(joints=joints, inverseBindMatrices=columns))
        return len(self._document.skins) - 1

    def animate(self, node: int, path: str, values: NDArray[Any], kind: Kind) -> None:
        """Let a node's ``translation``, ``rotation``, ``scale`` or ``weights`` take these values, a row per frame."""
        if self._times is None:
            self._times = self.array(self._stamps, "SCALAR")
        sampler = self._kinds.AnimationSampler(input=self._times, output=self.array(values, kind))
        self._animation.samplers.append(sampler)
        target = self._kinds.AnimationChannelTarget(node=node, path=path)
        number = len(self._animation.samplers) - 1
        self._animation.channels.append(self._kinds.AnimationChannel(sampler=number, target=target))

    def document(self) -> Any:
        """The finished ``pygltflib.GLTF2``."""
        if self._animation.channels:
            self._document.animations.append(self._animation)
        self._document.buffers.append(self._kinds.Buffer(byteLength=len(self._bytes)))
        self._document.set_binary_blob(bytes(self._bytes))
        return self._document
