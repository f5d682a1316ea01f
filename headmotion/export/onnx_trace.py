"""A streaming graph as an ONNX file, traced and simplified."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from .streaming_graph import StreamingGraph

OPSET = 20
"""Version of the ONNX operators: the first with GELU."""


class _FlatState(nn.Module):
    """The graph with its state as a list, as ONNX has it."""

    def __init__(self, graph: StreamingGraph, names: list[str]) -> None:
        super().__init__()
        self.wrapped, self.names = graph, names  # an exported module has a `graph` of its own

    @override
    def forward(self, wave: Tensor, end: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        frames, count, next_state = self.wrapped(wave, end, dict(zip(self.names, state, strict=True)))
        # Copies, because an input that is also an output would have one name for both.
        return (frames, count, *(next_state[name].clone() for name in self.names))


def trace_onnx(graph: StreamingGraph, state: dict[str, Tensor], metadata: dict[str, str], path: Path) -> None:
    """Write a graph as one ONNX file.

    Args:
        graph: in evaluation mode.
        state: its state before the first chunk, which gives the names and shapes of the state's inputs and outputs.
        metadata: properties of the file.
        path: the file.
    """
    names = list(state)
    # Copies, because tensors that are one object would become one input.
    inputs = (torch.zeros(graph.samples), torch.tensor([-1]), *(tensor.detach().clone() for tensor in state.values()))
    with torch.no_grad(), _quiet_exporter():
        program = torch.onnx.export(
            _FlatState(graph, names).eval(),
            inputs,
            input_names=["wave", "end", *names],
            output_names=["frames", "count", *(f"{name}_after" for name in names)],
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
            optimize=False,
        )
        assert program is not None
        _simplify(program.model)
        program.model.metadata_props.update(metadata)
        # One file is easier to move than two.
        program.save(path, external_data=False)


def _simplify(model: Any) -> None:
    """Fold constants, and remove what occurs twice or for nothing.

    Without the patterns that torch's exporter looks for as well: they take most of the time, and find nothing that ONNX
    Runtime does not find when it loads the file.
    """
    from onnx_ir.passes import common
    from onnxscript.optimizer import fold_constants

    common.InlinePass()(model)
    fold_constants(model)
    common.RemoveUnusedNodesPass()(model)
    common.RemoveUnusedOpsetsPass()(model)
    common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(model)
    common.DeduplicateInitializersPass()(model)
    common.CommonSubexpressionEliminationPass()(model)
    common.ClearMetadataAndDocStringPass()(model)  # it names the source files of this machine


@contextlib.contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Suppress messages of torch's exporter that are meant for its developers."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
