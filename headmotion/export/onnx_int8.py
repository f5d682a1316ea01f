"""Weights of an ONNX file as integers of 8 bits."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import HeadmotionError
from .onnx_runtime import import_onnx_runtime

MIN_WEIGHTS = 4096
"""Numbers of a weight that is worth the trouble."""


def quantize_int8(path: Path) -> None:
    """Rewrite an ONNX file so that its large weights are integers of 8 bits.

    Reading weights takes most of a frame's time where every frame of a chunk reads many. Their products are then of
    integers, and the other weights stay as they are. Where frames share no weights, all are stored as integers, and
    products are of 32 bits. What comes before a logarithm always stays as it is: the audio's energies span too many
    orders of magnitude for 8 bits.

    Raises:
        HeadmotionError: the graph has no large weights.
    """
    import onnx

    model = onnx.load(path)
    large = {tensor.name for tensor in model.graph.initializer if _is_large(tensor)} - _before_logarithms(model.graph)
    if not large:
        raise HeadmotionError("export", f"weights of {MIN_WEIGHTS} numbers or more, for int8", "none")
    products = [node for node in model.graph.node if node.op_type == "MatMul" and node.input[1] in large]
    uses = Counter(node.input[1] for node in products)
    per_frame = [node.name for node in products if uses[node.input[1]] > 1]
    if per_frame:
        _multiply_integers(model, per_frame, path)
    else:
        _store_integers(model.graph, large)
        onnx.save(model, path)


def _is_large(tensor: Any) -> bool:
    from onnx import TensorProto

    return tensor.data_type == TensorProto.FLOAT and len(tensor.dims) > 1 and prod(tensor.dims) >= MIN_WEIGHTS


def _before_logarithms(graph: Any) -> set[str]:
    """Return the names of all values that a logarithm depends on."""
    names: set[str] = set()
    for node in reversed(graph.node):  # which are in the order of execution
        if node.op_type == "Log" or names.intersection(node.output):
            names.update(node.input)
    return names


def _multiply_integers(model: Any, nodes: list[str], path: Path) -> None:
    """Write a model whose named products are of integers."""
    import_onnx_runtime()
    from onnxruntime.quantization import quantize_dynamic  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from onnxruntime.quantization.quant_utils import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
        add_pre_process_metadata,
    )

    add_pre_process_metadata(model)  # ONNX Runtime would otherwise advise to infer shapes, which are all known
    with _root_logger_unchanged():
        # With 7 bits of the weights, because sums of pairs of 8-bit products overflow on processors without VNNI.
        quantize_dynamic(model, path, nodes_to_quantize=nodes, reduce_range=True)


def _store_integers(graph: Any, names: set[str]) -> None:
    """Replace weights by integers and scales, from which the graph makes the weights."""
    from onnx import helper, numpy_helper

    for tensor in [tensor for tensor in graph.initializer if tensor.name in names]:
        name, axis = tensor.name, _output_axis(graph, tensor)
        integers, scales = _rounded(numpy_helper.to_array(tensor), axis)
        stored: dict[str, NDArray[Any]] = {f"{name}_int8": integers, f"{name}_scales": scales}
        graph.initializer.remove(tensor)
        graph.initializer.extend(numpy_helper.from_array(array, stored_as) for stored_as, array in stored.items())
        graph.node.insert(0, helper.make_node("DequantizeLinear", list(stored), [name], f"{name}_weights", axis=axis))


def _output_axis(graph: Any, tensor: Any) -> int:
    """Return the axis of a weight that becomes the output's, or the rows of a table."""
    readers = [node for node in graph.node if tensor.name in list(node.input)[1:]]
    is_last = any(node.op_type == "MatMul" for node in readers)
    return len(tensor.dims) - 1 if is_last else 0


def _rounded(weights: NDArray[Any], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return integers, and the scales of an axis by which they are multiplied."""
    others = tuple(k for k in range(weights.ndim) if k != axis)
    largest = np.abs(weights).max(axis=others, keepdims=True)
    scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    return np.rint(weights / scales).astype(np.int8), scales.reshape(-1)


@contextlib.contextmanager
def _root_logger_unchanged() -> Iterator[None]:
    """Keep Python from setting up the root logger, as it does when a package logs by it first, which ONNX does."""
    handler = logging.NullHandler()
    logging.root.addHandler(handler)
    try:
        yield
    finally:
        logging.root.removeHandler(handler)
