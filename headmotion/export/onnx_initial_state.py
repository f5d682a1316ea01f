"""The initial state of an exported graph, and the map from the unit frame to the reference's units.

One ONNX file serves any reference and seed; they are in this file next to it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.errors import HeadmotionError
from ..core.files import atomic_output
from ..core.interfaces.representation import Representation, UnitSquare
from ..core.motion import Motion
from ..pipeline.pipeline import Pipeline
from ..pipeline.reference import ReferenceLike
from .streaming_graph import StreamingGraph

CHUNK_FRAMES = 8
"""Frames per call of the exported graph."""
AFFINE_TOLERANCE = 1e-4
"""Largest error of an affine map to the reference's units, in sides of the unit frame."""

Arrays = dict[str, NDArray[Any]]
"""Arrays by name."""


def write_start(
    pipeline: Pipeline,
    path: str | os.PathLike[str],
    reference: ReferenceLike = None,
    seed: int = 0,
    frames: int = CHUNK_FRAMES,
) -> Path:
    """Write the ``.npz`` file from which an exported graph starts, for a reference and a seed.

    Args:
        pipeline: the one that was exported.
        path: the file, which appears complete or not at all.
        reference: as in `Pipeline.generate`.
        seed: seed of the generator's noise.
        frames: frames per chunk, as in `write_onnx`.

    Raises:
        HeadmotionError: the pipeline has no stream of fixed shapes, or the reference does not fit.
    """
    if Path(path).suffix != ".npz":
        raise HeadmotionError("export", "a name ending in .npz", Path(path).name)
    return save_initial_state(initial_state(StreamingGraph(pipeline, frames), pipeline, reference, seed), Path(path))


def save_initial_state(arrays: Arrays, path: Path) -> Path:
    """Save what `initial_state` returns."""
    with atomic_output(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]
    return path


def initial_state(graph: StreamingGraph, pipeline: Pipeline, reference: ReferenceLike, seed: int) -> Arrays:
    """Return the arrays of a file from which an exported graph starts.

    Args:
        graph: the graph.
        pipeline: the one that the graph was built from.
        reference: as in `Pipeline.generate`.
        seed: seed of the generator's noise.

    Returns:
        The graph's state by name; ``scale`` and ``offset`` ``[P, D]``, by which frames of the unit frame are converted
        to the reference's units; ``sample_rate``; and ``fps`` and ``meta``, which make a motion file with ``values``.
    """
    resolved, representation = pipeline.reference(reference), pipeline.representation
    with torch.inference_mode():
        state = graph.init_state(representation.normalize(resolved.poses, resolved.frame), seed)
        scale, offset = affine_map(representation, resolved.frame)
    empty = Motion(
        torch.zeros(0, representation.points, representation.dims),
        pipeline.spec.fps,
        representation.spec.model_dump(mode="json"),
        resolved.frame,
        resolved.units,
        resolved.picture_pose,
        {"seed": seed, "model": pipeline.card.get("name", ""), "synthetic": True},
    )
    metadata = {
        "sample_rate": np.array(graph.encoder.sample_rate),
        "fps": np.array(str(empty.fps)),
        "meta": np.array(json.dumps(empty.meta(), sort_keys=True)),
    }
    return {name: value.numpy() for name, value in (state | {"scale": scale, "offset": offset}).items()} | metadata


def affine_map(representation: Representation, frame: UnitSquare) -> tuple[Tensor, Tensor]:
    """Return the factor and offset ``[P, D]`` that do what `Representation.denormalize` does.

    Raises:
        HeadmotionError: the representation does more than that.
    """
    shape = representation.points, representation.dims
    offset = representation.denormalize(torch.zeros(shape), frame)
    scale = representation.denormalize(torch.ones(shape), frame) - offset
    # A map that is not affine agrees at 0 and 1, but not in between.
    probe = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    error = (representation.denormalize(probe, frame) - (probe * scale + offset)).abs().max().item()
    if not error <= AFFINE_TOLERANCE * frame.side:
        raise HeadmotionError("export", "a representation whose unit frame is scaled and moved", representation.name)
    return scale, offset
