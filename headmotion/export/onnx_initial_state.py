"""How an exported step begins: its state after the reference, and the way from the unit frame to the reference's units.

One ONNX file serves any reference and seed; they are in this file beside it.
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
from .streaming_graph import SpeechStep

CHUNK = 8
"""Frames per call of the exported step."""
FIXED = 1e-4
"""Sides of the unit frame by which a straight map to the reference's units may be off."""


def write_start(
    pipeline: Pipeline,
    path: str | os.PathLike[str],
    reference: ReferenceLike = None,
    seed: int = 0,
    frames: int = CHUNK,
) -> Path:
    """Write the ``.npz`` that an exported step starts from, for a reference and a seed.

    Args:
        pipeline: the one that was exported.
        path: the file, which appears whole or not at all.
        reference: as in `Pipeline.generate`.
        seed: the only source of chance.
        frames: frames per chunk, as in `write_onnx`.

    Raises:
        HeadmotionError: the pipeline has no step of fixed shapes, or the reference does not fit.
    """
    if Path(path).suffix != ".npz":
        raise HeadmotionError("export", "a name ending in .npz", Path(path).name)
    return save_start(start(SpeechStep(pipeline, frames), pipeline, reference, seed), Path(path))


def save_start(arrays: dict[str, NDArray[Any]], path: Path) -> Path:
    """Write those arrays as they are."""
    with atomic_output(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]
    return path


def start(step: SpeechStep, pipeline: Pipeline, reference: ReferenceLike, seed: int) -> dict[str, NDArray[Any]]:
    """The state's arrays by name, ``scale`` and ``offset`` ``[P, D]``, ``sample_rate``, and ``fps`` and ``meta``.

    Frames of the unit frame times ``scale`` plus ``offset`` are in the reference's units. With ``values``, ``fps`` and
    ``meta`` they make a motion file.
    """
    given, representation = pipeline.reference(reference), pipeline.representation
    with torch.inference_mode():
        state = step.init_state(representation.normalize(given.poses, given.frame), seed)
        scale, offset = straight_map(representation, given.frame)
    empty = Motion(
        torch.zeros(0, representation.points, representation.dims),
        pipeline.spec.fps,
        representation.spec.model_dump(mode="json"),
        given.frame,
        given.units,
        given.poses[-1],
        {"seed": seed, "model": pipeline.card.get("name", ""), "synthetic": True},
    )
    about = {
        "sample_rate": np.array(step.encoder.sample_rate),
        "fps": np.array(str(empty.fps)),
        "meta": np.array(json.dumps(empty.meta(), sort_keys=True)),
    }
    return {name: value.numpy() for name, value in (state | {"scale": scale, "offset": offset}).items()} | about


def straight_map(representation: Representation, frame: UnitSquare) -> tuple[Tensor, Tensor]:
    """Factor and offset ``[P, D]`` that take poses of the unit frame where `Representation.denormalize` does.

    Raises:
        HeadmotionError: it is no such map.
    """
    shape = representation.points, representation.dims
    offset = representation.denormalize(torch.zeros(shape), frame)
    scale = representation.denormalize(torch.ones(shape), frame) - offset
    probe = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    apart = (representation.denormalize(probe, frame) - (probe * scale + offset)).abs().max().item()
    if not apart <= FIXED * frame.side:
        raise HeadmotionError("export", "a representation whose unit frame is scaled and moved", representation.name)
    return scale, offset
