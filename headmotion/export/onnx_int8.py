"""An exported step whose large weights are integers of 8 bits."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import HeadmotionError


def as_int8(path: Path) -> None:
    """Rewrite an ONNX file with the weights that each frame of a chunk reads again as integers.

    Reading them is what a frame's time is made of where they are many. What runs once per chunk stays as it is: the
    audio's energies span too many orders of magnitude for 8 bits.

    Raises:
        HeadmotionError: the step has no such weights.
    """
    import onnx
    from onnxruntime.quantization import quantize_dynamic  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from onnxruntime.quantization.quant_utils import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
        add_pre_process_metadata,
    )

    model = onnx.load(path)
    weights = {each.name for each in model.graph.initializer}
    products = [node for node in model.graph.node if node.op_type == "MatMul" and node.input[1] in weights]
    uses = Counter(node.input[1] for node in products)
    again = [node.name for node in products if uses[node.input[1]] > 1]
    if not again:
        raise HeadmotionError("export", "matrix products that frames of a chunk share, for int8", "none")
    add_pre_process_metadata(model)  # all shapes are known
    with _logging_as_it_is():
        quantize_dynamic(model, path, nodes_to_quantize=again)


@contextmanager
def _logging_as_it_is() -> Iterator[None]:
    """Python sets up the root logger of a program that has not done so as soon as someone logs by it, as ONNX does."""
    quiet = logging.NullHandler()
    logging.root.addHandler(quiet)
    try:
        yield
    finally:
        logging.root.removeHandler(quiet)
