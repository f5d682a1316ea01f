"""The file of a trained estimator, which runs write, and metrics and other runs read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import headmotion as hm
from headmotion.core.checkpoint import budget_for, load_checkpoint, save_checkpoint
from headmotion.core.spec import building

from .specs import EstimatorPhaseSpec, StatisticsSpec
from .statistics_network import StatisticsNetwork

COMPONENT = "estimator"
INPUT_FIELDS = ("representation", "audio_encoder", "steps_per_frame", "fps")
"""Fields of a pipeline's spec on which an estimator's inputs depend."""


@dataclass(frozen=True)
class TrainedEstimator:
    """An estimator with the context that it was trained in."""

    network: StatisticsNetwork
    """In evaluation mode."""
    bound: str
    """The bound that it maximizes, ``js`` or ``dv``."""
    context: hm.BuildContext
    """Representation, audio and rate."""
    audio_encoder: hm.AudioEncoder
    """Encoder of the speech."""


def save_estimator(
    path: Path, pipeline: hm.PipelineSpec, spec: EstimatorPhaseSpec, network: StatisticsNetwork, card: Mapping[str, Any]
) -> None:
    """Write weights and what they were built from.

    Args:
        path: the file.
        pipeline: gives representation, audio encoder and rates.
        spec: gives the network.
        network: the trained network.
        card: how it was trained.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    save_checkpoint(path, _spec(pipeline, spec), tensors, step=spec.steps, card=dict(card))


def restore_estimator(
    path: Path, pipeline: hm.PipelineSpec, spec: EstimatorPhaseSpec, network: StatisticsNetwork
) -> None:
    """Fill the network of a phase with the weights of a file.

    Raises:
        CheckpointError: no such file, or damaged.
        TrainingError: an estimator of another recipe.
    """
    header, tensors = load_checkpoint(path)
    expected = _spec(pipeline, spec)
    if differing := [name for name, value in expected.items() if header.spec.get(name) != value]:
        got = f"{path}, which differs in {', '.join(differing)}"
        raise hm.TrainingError(COMPONENT, "that of the recipe", got, "train it anew in another folder")
    _fill(network, tensors, path)


def load_estimator(path: Path) -> TrainedEstimator:
    """Load a file that a phase ``amie/estimator`` wrote, on the CPU.

    Raises:
        CheckpointError: the file is missing, damaged, or another checkpoint.
    """
    header, tensors = load_checkpoint(path)
    if not {"network", "bound", *INPUT_FIELDS} <= header.spec.keys():
        remedy = "give the estimator.safetensors of a training run"
        raise hm.CheckpointError(COMPONENT, "a file of a trained estimator", f"{path}, another checkpoint", remedy)
    pipeline = hm.PipelineSpec.model_validate({name: header.spec[name] for name in INPUT_FIELDS})
    # Building draws weights, which are replaced below; the caller's random state must not change.
    with building(COMPONENT), torch.random.fork_rng(devices=[]), budget_for(path, header):
        representation = pipeline.representation.build()
        # The encoder is built without knowing its own channels, which only it can state.
        context = hm.BuildContext(representation, 0, pipeline.steps_per_frame, pipeline.fps)
        encoder = pipeline.audio_encoder.build(context)
        context = hm.BuildContext(representation, encoder.channels, pipeline.steps_per_frame, pipeline.fps)
        network = StatisticsNetwork(StatisticsSpec.model_validate(header.spec["network"]), context, COMPONENT)
    _fill(network, tensors, path)
    return TrainedEstimator(network.eval(), str(header.spec["bound"]), context, encoder.eval())


def _fill(network: StatisticsNetwork, tensors: Mapping[str, Tensor], path: Path) -> None:
    try:
        network.load_state_dict(dict(tensors))
    except RuntimeError as error:
        got = f"{path}: {str(error).splitlines()[-1].strip()}"
        raise hm.CheckpointError(COMPONENT, "tensors that fit their spec", got) from None


def _spec(pipeline: hm.PipelineSpec, spec: EstimatorPhaseSpec) -> dict[str, Any]:
    inputs, fields = pipeline.model_dump(mode="json"), spec.model_dump(mode="json")
    network = {name: fields[name] for name in StatisticsSpec.model_fields}
    return {name: inputs[name] for name in INPUT_FIELDS} | {"network": network, "bound": spec.bound}
