"""What a part returns that no check can work with: the first thing to say about a part that fails a check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..core.built import checked_representation
from ..core.errors import DetectorError, OutputError
from ..core.interfaces.discriminator import SupportsPrediction
from ..core.interfaces.representation import SupportsPoints2D
from ..core.outputs import (
    checked_detections,
    checked_embeddings,
    checked_features,
    checked_motion,
    checked_numbers,
    checked_observation,
    checked_pictures,
    checked_scores,
    checked_terms,
    finite_outputs,
    require_finite,
)
from ..core.short_repr import shown
from .build_context import Subject
from .inputs import drawn, metric_input, to_motion
from .outputs import fixed_inputs

CPU = torch.device("cpu")


@torch.no_grad()
def wrong_output(subject: Any) -> OutputError | None:
    """Return what is wrong with what a part returns for its fixed inputs; None if that is as promised, or unknown.

    Args:
        subject: the part under test; nothing is known of phases and controls.
    """
    if not isinstance(subject, Subject):
        return None
    try:
        part = subject.build()
        with finite_outputs():
            _REQUIRED[subject.spec.kind](subject, part, fixed_inputs(subject, part))
    except OutputError as error:
        return error
    except Exception:  # the failed check has said more than a second failure could
        return None
    return None


def _representation(subject: Subject, part: Any, inputs: list[Any]) -> None:
    checked_representation(subject.spec, part)
    (unit,) = inputs
    _require_shape(part, "flip", part.flip(unit), unit.shape)
    if isinstance(part, SupportsPoints2D):
        _require_shape(part, "to_points2d", part.to_points2d(unit), (*unit.shape[:-1], 2))


def _require_shape(part: Any, method: str, values: Any, shape: Sequence[int]) -> None:
    if not (isinstance(values, Tensor) and tuple(values.shape) == tuple(shape)):
        expected = f"{method} to return values {list(shape)}"
        raise OutputError(f"representation {part.spec.type_name()}", expected, shown(values))


def _audio_encoder(subject: Subject, part: Any, inputs: list[Any]) -> None:
    (wave,) = inputs
    checked_features(part, part(wave), len(wave), wave.shape[1] // part.hop, part.channels)


def _generator(subject: Subject, part: Any, inputs: list[Any]) -> None:
    reference, audio = inputs
    frames = audio.shape[1] // subject.context.steps_per_frame
    shape = (len(reference), frames, reference.shape[2], reference.shape[3])
    checked_motion(part, part(reference, audio, seed=3), shape)


def _syncer(subject: Subject, part: Any, inputs: list[Any]) -> None:
    motion, audio = inputs
    checked_embeddings(part, part.embed_motion(motion), len(motion), "embed_motion")
    checked_embeddings(part, part.embed_audio(audio), len(audio), "embed_audio")


def _discriminator(subject: Subject, part: Any, inputs: list[Any]) -> None:
    checked_scores(part, part(*inputs), CPU)
    predictions = part.predictions(*inputs) if isinstance(part, SupportsPrediction) else {}
    checked_terms(part, predictions, CPU, "predictions")


def _renderer(subject: Subject, part: Any, inputs: list[Any]) -> None:
    motion = to_motion(subject, inputs[0])
    for _ in checked_pictures(part, drawn(subject, part, [motion]), lambda: len(motion)):
        pass


def _loss(subject: Subject, part: Any, inputs: list[Any]) -> None:
    checked_terms(part, part(*inputs, 0), CPU)


def _metric(subject: Subject, part: Any, inputs: list[Any]) -> None:
    observed = checked_observation(part, part.observe(metric_input(subject, part, inputs[0])))
    figures = part.figures([observed])
    name = f"metric {subject.spec.type_name()}"
    if not isinstance(getattr(figures, "notes", None), Iterable):
        raise OutputError(name, "figures to return MetricValues", shown(figures))
    values = checked_numbers(part, figures.values, "figures")
    require_finite(part, torch.tensor([*values.values()]), f"values of {', '.join(values)}")


def _detector(subject: Subject, part: Any, inputs: list[Any]) -> None:
    try:
        checked_detections(part, part.detect([inputs[0].numpy()]), 1)
    except DetectorError:  # it does not work on this machine
        return


_REQUIRED: Mapping[str, Callable[[Subject, Any, list[Any]], None]] = {
    "representation": _representation,
    "audio_encoder": _audio_encoder,
    "generator": _generator,
    "syncer": _syncer,
    "discriminator": _discriminator,
    "renderer": _renderer,
    "loss": _loss,
    "metric": _metric,
    "detector": _detector,
}
