"""Convert MediaPipe's ``face_landmarker.task`` into the one weights file of the detector `face-mesh`.

    pip install ai-edge-litert        # for its schema of .tflite files; not needed by headmotion
    python tools/convert_face_landmarker.py face_landmarker.task headmotion/detectors/models/face-landmarker.safetensors

The official file is at https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/
(Apache-2.0). It is a zip of three TensorFlow Lite graphs. Their layers stand in the order in which the networks of
headmotion define theirs, so constants are taken in the order of use, laid out for torch, and checked for their shapes.
Numbers stay float16 as they are in the original. Nothing but numbers is taken over, and nothing is executed.
"""

from __future__ import annotations

import argparse
import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ai_edge_litert import schema_py_generated as schema
from safetensors.torch import save
from torch import nn

from headmotion.detectors.face_landmarker.weights import parts

ORIGINAL = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
"""SHA-256 of the official float16 file, version 1."""
GRAPHS = {
    "finder": "face_detector.tflite",
    "mesh": "face_landmarks_detector.tflite",
    "blendshapes": "face_blendshapes.tflite",
}
MADE_OF = "MediaPipe Face Landmarker (Google, Apache-2.0), face_landmarker.task float16 version 1, sha256 " + ORIGINAL
UNUSED_HEAD = 2
"""Constants of the mesh graph's first head, which is not used: weight and bias."""

Array = np.ndarray[Any, Any]


def constants(graph: bytes) -> Iterator[Array]:
    """Yield the constants of a graph's layers in the order of use, laid out for torch."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(graph, 0))
    (main,) = model.subgraphs
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    known = {number: _array(model, tensor) for number, tensor in enumerate(main.tensors)}
    for operator in main.operators:
        code = codes[operator.opcodeIndex]
        if code == schema.BuiltinOperator.DEQUANTIZE:  # float16 to float32, which is left to the reader of the file
            known[operator.outputs[0]] = known[operator.inputs[0]]
            continue
        for number in operator.inputs:
            array = known.get(number)
            # Numbers without a shape belong to formulas, such as the epsilon of a norm.
            if array is not None and array.dtype == np.float16 and array.shape:
                yield _as_torch(array, code)


def _array(model: Any, tensor: Any) -> Array | None:
    data = model.buffers[tensor.buffer].data
    if data is None or not len(data):
        return None
    types = {schema.TensorType.FLOAT16: np.float16, schema.TensorType.INT32: np.int32}
    shape = () if tensor.shape is None else tuple(tensor.shape)
    return np.frombuffer(bytes(data), types[tensor.type]).reshape(shape)


def _as_torch(array: Array, code: int) -> Array:
    if code == schema.BuiltinOperator.CONV_2D and array.ndim == 4:
        return array.transpose(0, 3, 1, 2)  # out, height, width, in
    if code == schema.BuiltinOperator.DEPTHWISE_CONV_2D and array.ndim == 4:
        return array.transpose(3, 0, 1, 2)  # 1, height, width, channels
    return array


def fill(name: str, network: nn.Module, arrays: list[Array]) -> dict[str, torch.Tensor]:
    """Return the parameters of a network by name, float16.

    Raises:
        ValueError: the graph's constants are not those of the network.
    """
    if name == "mesh":
        heads = len(arrays) - 6
        del arrays[heads : heads + UNUSED_HEAD]
    filled = {}
    for key, parameter in network.state_dict().items():
        array = arrays.pop(0)
        if _edges(array) != _edges(parameter):
            raise ValueError(f"{name}.{key} is {list(parameter.shape)}, the graph's constant {list(array.shape)}")
        filled[f"{name}.{key}"] = torch.from_numpy(array.copy()).reshape(parameter.shape).contiguous()
        # Depth-wise convolutions of the mesh have a bias in the graph, which is zero.
        if name == "mesh" and key.endswith("depthwise.weight") and np.any(arrays.pop(0)):
            raise ValueError(f"{name}.{key} has a bias")
    if arrays:
        raise ValueError(f"{len(arrays)} constants of {name} are left over")
    return filled


def _edges(array: Array | torch.Tensor) -> list[int]:
    return [edge for edge in array.shape if edge > 1]


def main() -> None:
    """Convert the file that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    if (digest := hashlib.sha256(arguments.task.read_bytes()).hexdigest()) != ORIGINAL:
        parser.error(f"expected the official file with SHA-256 {ORIGINAL}, got {digest}")
    tensors = {}
    with zipfile.ZipFile(arguments.task) as bundle:
        for name, network in parts().items():
            tensors |= fill(name, network, list(constants(bundle.read(GRAPHS[name]))))
    content = save(tensors, metadata={"source": MADE_OF})
    arguments.output.write_bytes(content)
    print(f"{len(tensors)} tensors, {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
