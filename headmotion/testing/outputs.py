"""Fixed inputs of a part of any kind, and its output for them as one vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.errors import DetectorError
from ..core.interfaces.discriminator import SupportsPrediction
from ..core.interfaces.representation import SupportsPoints2D
from ..core.interfaces.sample import Sample
from .build_context import Subject
from .inputs import UNIT_SQUARE, drawn, features, metric_input, portrait, poses, to_motion, wave
from .samples import sample, sample_pair, tensors_of


def fixed_inputs(subject: Subject, part: Any) -> list[Any]:
    """Return the inputs of a part of any kind, the same in every call; see `output_vector`."""
    match subject.spec.kind:
        case "audio_encoder":
            return [wave(part.sample_rate // 5)]
        case "generator":
            return [poses(subject, 2, part.context_frames), features(subject, 2, 8)]
        case "syncer":
            return [poses(subject, 2, part.window), features(subject, 2, part.window)]
        case "discriminator":
            return [sample(subject, 2, 40, part.needs)]
        case "loss":
            return list(sample_pair(subject, 2, 40, part.needs))
        case "metric":
            return [torch.stack([poses(subject, 1, 100, seed)[0] for seed in range(4)])]
        case "detector":
            return [torch.from_numpy(portrait())]
    return [poses(subject, 1, 3)[0]]


def output_vector(subject: Subject, part: Any, inputs: list[Any]) -> Tensor:
    """Return the whole output of a part for its inputs, as one vector."""
    match subject.spec.kind:
        case "representation":
            (unit,) = inputs
            pixels = part.denormalize(unit, UNIT_SQUARE)
            values = [part.neutral(), part.normalize(pixels, UNIT_SQUARE), part.flip(unit)]
            return _flatten([*values, *([part.to_points2d(unit)] if isinstance(part, SupportsPoints2D) else [])])
        case "audio_encoder":
            return _flatten([part(*inputs)])
        case "generator":
            return _flatten([part(*inputs, seed=3)])
        case "syncer":
            return _flatten([part.embed_motion(inputs[0]), part.embed_audio(inputs[1])])
        case "discriminator":
            predicted = part.predictions(*inputs) if isinstance(part, SupportsPrediction) else {}
            return _flatten_named({**part(*inputs), **predicted})
        case "renderer":
            frames = drawn(subject, part, [to_motion(subject, inputs[0])])
            return _flatten([torch.from_numpy(np.stack(list(frames))).float()])
        case "loss":
            return _flatten_named(part(*inputs, 0))
        case "metric":
            values = part.figures([part.observe(metric_input(subject, part, inputs[0]))]).values
            return torch.tensor([values[name] for name in sorted(values)], dtype=torch.float64)
    try:
        (detections,) = part.detect([inputs[0].numpy()])
        vectors = [torch.cat([detection.pose.flatten(), torch.tensor(detection.box)]) for detection in detections]
        return _flatten([torch.zeros(0), *vectors])
    except DetectorError:  # no file of weights: an output as well, the same each time
        return torch.zeros(0)


@torch.no_grad()
def output_on_fixed_inputs(subject: Subject, part: Any) -> Tensor:
    """Return the output of a part for its fixed inputs, as one vector."""
    return output_vector(subject, part, fixed_inputs(subject, part))


def _flatten_named(tensors: Mapping[str, Tensor]) -> Tensor:
    return _flatten([tensors[name] for name in sorted(tensors)])


def _flatten(tensors: list[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])


def input_tensors(inputs: list[Any]) -> list[Tensor]:
    """Return the tensors of the inputs of a part, those of samples included."""
    return [tensor for value in inputs for tensor in (tensors_of(value) if isinstance(value, Sample) else [value])]
