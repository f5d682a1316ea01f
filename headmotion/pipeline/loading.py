"""Pipelines from specs, with fresh weights, and from files and bundled models, with trained ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from ..core.arguments import SEEDS, as_integer
from ..core.bundled import find_bundled
from ..core.checkpoint import CheckpointHeader, budget_for, load_checkpoint
from ..core.default_model import DEFAULT_MODEL
from ..core.device import pick_device
from ..core.errors import CheckpointError
from ..core.pipeline_spec import PipelineSpec
from ..core.plugins import registry
from .pipeline import Pipeline


def build(spec: PipelineSpec | dict[str, Any], seed: int = 0, device: str = "auto") -> Pipeline:
    """Build a pipeline with fresh weights.

    Args:
        spec: the parts, as a spec or as its JSON values.
        seed: seed of the weights.
        device: ``auto``, or a device of this machine.

    Raises:
        SpecError: an unknown type or field, or parts that do not fit one another.
    """
    resolved = spec if isinstance(spec, PipelineSpec) else PipelineSpec.model_validate(spec)
    number = as_integer(seed, "seed", below=SEEDS)
    with torch.random.fork_rng(devices=[]):  # the caller's random state must not change
        torch.manual_seed(number)
        return Pipeline(resolved, pick_device(device))


def load(source: str | os.PathLike[str] = DEFAULT_MODEL, device: str = "auto") -> Pipeline:
    """Load a trained pipeline.

    Args:
        source: the name of a bundled model (see `models`), or a ``.safetensors`` file.
        device: ``auto``, or a device of this machine.

    Raises:
        CheckpointError: there is no such model or file; or it is damaged, unsafe, too new, or needs another plugin.
    """
    path = model_path(source)
    header, tensors = load_checkpoint(path)
    spec = model_spec(path, header)
    # On the CPU first, because a device's memory would otherwise hold the fresh weights next to the loaded ones. The
    # fresh weights are replaced at once; drawing them must not advance the program's random state.
    with torch.random.fork_rng(devices=[]), budget_for(path, header):
        pipeline = Pipeline(spec, "cpu", dict(header.card), restoring=True)
    try:
        pipeline.load_state_dict(tensors)
    except RuntimeError as error:
        detail = str(error).splitlines()[-1].strip()
        raise CheckpointError("checkpoint", "tensors that fit its spec", f"{path}: {detail}") from None
    return pipeline.to(pick_device(device))


def model_path(source: str | os.PathLike[str]) -> Path:
    """Return the file of a bundled model, or the file itself.

    Raises:
        CheckpointError: neither.
    """
    return find_bundled(source, registry().models)


def model_spec(path: Path, header: CheckpointHeader) -> PipelineSpec:
    """Return the spec of the pipeline that a checkpoint holds.

    Raises:
        CheckpointError: it holds something else, such as syncers.
        SpecError: a part is unknown.
    """
    if "generator" not in header.spec:  # every pipeline is written with one
        remedy = "give the model.safetensors of a training run"
        raise CheckpointError("model", "a trained pipeline", f"{path}, another checkpoint", remedy)
    return PipelineSpec.model_validate(header.spec)


def models() -> list[str]:
    """Return the names of the bundled models, for `load`."""
    return sorted(registry().models)
