"""Checks of what parts return: a wrong output of a plugin is one error that names the part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .component import Component
from .errors import OutputError
from .gradient_trace import active_trace
from .short_repr import shown

REMEDY = "correct the part; headmotion plugins check PLUGIN says more"
_FINITE: ContextVar[bool] = ContextVar("finite", default=False)
"""Whether outputs in training are checked for NaN, which costs time: each check waits for the device."""


@contextmanager
def finite_outputs() -> Iterator[None]:
    """Let all checks below refuse NaN and infinity during the body, and so find the part that returned them first."""
    token = _FINITE.set(True)
    try:
        yield
    finally:
        _FINITE.reset(token)


def checked_terms(part: Component, terms: Any, device: torch.device, method: str = "forward") -> dict[str, Tensor]:
    """Return the terms of a loss, or of another part with terms, after a check that training can add them.

    Args:
        part: the part.
        terms: what it returned.
        device: device of the batch.
        method: what was called, for the error.

    Raises:
        OutputError: not real scalar tensors of that device by name.
    """
    expected = "scalar floating-point tensors by name"
    _require(part, isinstance(terms, Mapping), expected, terms, method)
    for name, term in terms.items():
        what = f"{method}: {name!r}" if isinstance(name, str) else method
        _require(part, isinstance(name, str), expected, name, what)
        scalar = isinstance(term, Tensor) and term.dim() == 0 and term.is_floating_point()
        _require(part, scalar, "a scalar floating-point tensor", term, what)
        _require(part, term.device == device, f"a tensor on {device}", term, what)
        require_finite_if_asked(part, term, f"{name!r}")
    return dict(terms)


def checked_scores(part: Component, scores: Any, device: torch.device) -> dict[str, Tensor]:
    """Return the scores of a discriminator after a check.

    Raises:
        OutputError: not real tensors ``[n]`` of the batch's device by head.
    """
    expected = "scores [n], floating-point tensors by head"
    _require(part, isinstance(scores, Mapping) and len(scores) > 0, expected, scores)
    for head, score in scores.items():
        fits = isinstance(score, Tensor) and score.dim() == 1 and score.is_floating_point()
        _require(part, fits, "a floating-point tensor [n]", score, f"forward: {head!r}")
        _require(part, score.device == device, f"a tensor on {device}", score, f"forward: {head!r}")
        require_finite_if_asked(part, score, f"scores {head!r}")
    return dict(scores)


def checked_features(
    part: Component, features: Any, batch: int, steps: int | None, channels: int, device: torch.device | None = None
) -> Tensor:
    """Return the features of an audio encoder after a check of their shape.

    Args:
        part: the encoder.
        features: what it returned.
        batch: expected number of waves.
        steps: expected number of steps; None for any.
        channels: numbers per step.
        device: where they must be; None: anywhere.

    Raises:
        OutputError: another shape or device, or no floating-point tensor.
    """
    expected = f"features [{batch}, {'a' if steps is None else steps}, {channels}]"
    fits = isinstance(features, Tensor) and features.is_floating_point() and features.dim() == 3
    _require(part, fits, expected, features)
    shape = (batch, features.shape[1] if steps is None else steps, channels)
    _require(part, features.shape == shape, expected, features)
    _require_on(part, features, device)
    require_finite_if_asked(part, features, "features")
    checked: Tensor = features
    return checked


def checked_motion(
    part: Component, motion: Any, shape: tuple[int, int | None, int, int], device: torch.device | None = None
) -> Tensor:
    """Return the motion of a generator after a check of its shape.

    Args:
        part: the generator.
        motion: what it returned.
        shape: expected ``[B, T, P, D]``; T is None for any number of frames.
        device: where it must be; None: anywhere.

    Raises:
        OutputError: another shape or device, or no floating-point tensor.
    """
    expected = f"motion {list(shape)}".replace("None", "t")
    fits = isinstance(motion, Tensor) and motion.is_floating_point() and motion.dim() == 4
    _require(part, fits, expected, motion)
    full = shape if shape[1] is not None else (shape[0], motion.shape[1], *shape[2:])
    _require(part, motion.shape == full, expected, motion)
    _require_on(part, motion, device)
    require_finite_if_asked(part, motion, "motion")
    checked: Tensor = motion
    return checked


def checked_step(part: Any, returned: Any) -> tuple[Any, Any]:
    """Return what an encoder or a generator returned for a part of a stream after a check that a new state is with it.

    Raises:
        OutputError: no pair.
    """
    fits = isinstance(returned, tuple) and len(returned) == 2
    _require(part, fits, "a pair of its output and its new state", returned, "step")
    return returned[0], returned[1]


def checked_embeddings(
    part: Component, embeddings: Any, windows: int, method: str, device: torch.device | None = None
) -> Tensor:
    """Return the embeddings of a syncer after a check of their shape, and of their device if one is given.

    Raises:
        OutputError: not ``[n, E]`` for ``n`` windows, or no floating-point tensor.
    """
    fits = isinstance(embeddings, Tensor) and embeddings.is_floating_point() and embeddings.dim() == 2
    _require(part, fits and len(embeddings) == windows, f"embeddings [{windows}, E]", embeddings, method)
    _require_on(part, embeddings, device)
    require_finite_if_asked(part, embeddings, "embeddings")
    checked: Tensor = embeddings
    return checked


def require_finite(part: Component, values: Tensor, what: str) -> None:
    """Refuse values with NaN or infinity.

    Raises:
        OutputError: there are some.
    """
    if not bool(torch.isfinite(values).all()):
        raise OutputError(_name(part), f"finite {what}", "NaN or infinity", "check its weights and the audio")


def require_finite_if_asked(part: Component, values: Tensor, what: str) -> None:
    """Refuse values with NaN or infinity within `finite_outputs`, and watch their gradient in `traced_gradients`.

    Raises:
        OutputError: there are some.
    """
    if _FINITE.get():
        require_finite(part, values.detach(), what)
    if (trace := active_trace()) is not None:
        trace.watch(_name(part), values)


def split_outputs(part: Component, drawn: Any) -> tuple[Any, dict[str, Tensor]]:
    """Return the pictures of `SupportsTraining.pictures`, unchecked, and its further outputs by name.

    Raises:
        OutputError: a mapping without ``frames``, or with anything but tensors by name.
    """
    if not isinstance(drawn, Mapping):
        return drawn, {}
    _require(part, "frames" in drawn, "pictures as 'frames'", f"only {', '.join(map(repr, drawn))}", "pictures")
    for name, value in drawn.items():
        fits = isinstance(name, str) and isinstance(value, Tensor)
        _require(part, fits, "a tensor", value, f"pictures: {name!r}")
    return drawn["frames"], {name: value for name, value in drawn.items() if name != "frames"}


def checked_pictures(
    part: Component, pictures: Iterable[Any], frames: Callable[[], int]
) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield the pictures of a renderer after a check that each can be written, and that all have one size.

    Args:
        part: the renderer.
        pictures: what it draws.
        frames: returns the number of frames of the whole motion, when the renderer has ended.

    Raises:
        OutputError: not ``uint8 [H, W, 3]`` or ``[H, W, 4]``, pictures of different sizes, or another number of them.
    """
    size: tuple[int, ...] | None = None
    count = 0
    _require(part, isinstance(pictures, Iterable), "an iterator of pictures", pictures, "frames")
    for picture in pictures:
        fits = isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.ndim == 3
        fits = fits and picture.shape[2] in (3, 4) and picture.size > 0
        _require(part, fits, "pictures uint8 [H, W, 3]", picture, "frames")
        _require(part, size in (None, picture.shape), f"pictures of one size, {size}", picture, "frames")
        size = picture.shape
        count += 1
        yield picture
    if count != (total := frames()):
        expected = f"frames to return a picture for each of {total} frames"
        raise OutputError(_name(part), expected, f"{count} pictures", REMEDY)


def checked_detections(
    part: Component, detections: Any, pictures: int, shape: tuple[int, ...] | None = None
) -> list[list[Any]]:
    """Return the detections of a detector after a check.

    Args:
        part: the detector.
        detections: what it returned.
        pictures: number of pictures.
        shape: ``(P, D)`` of the poses; None for any.

    Raises:
        OutputError: not a list per picture of detections with poses of that shape.
    """
    fits = isinstance(detections, list | tuple) and len(detections) == pictures
    _require(part, fits, f"a list for each of {pictures} pictures", detections, "detect")
    for persons in detections:
        _require(part, isinstance(persons, list | tuple), "a list of detections per picture", persons, "detect")
        for person in persons:
            pose: Any = getattr(person, "pose", None)
            floating = isinstance(pose, Tensor) and pose.is_floating_point()
            fits = floating and (pose.dim() == 2 if shape is None else tuple(pose.shape) == shape)
            _require(part, fits, f"poses {['P', 'D'] if shape is None else list(shape)}", pose, "detect")
            require_finite(part, pose, "poses")
    return list(detections)


def checked_observation(part: Component, observation: Any) -> dict[str, Tensor]:
    """Return what a metric keeps of a clip after a check.

    Raises:
        OutputError: not tensors by name.
    """
    expected = "an observation, tensors by name"
    _require(part, isinstance(observation, Mapping), expected, observation, "observe")
    for name, value in observation.items():
        _require(part, isinstance(name, str) and isinstance(value, Tensor), expected, value, f"observe: {name!r}")
    return dict(observation)


def checked_numbers(part: Component, values: Any, method: str) -> dict[str, float]:
    """Return the values of a metric as floats after a check; they may be NaN or infinite.

    Raises:
        OutputError: not numbers by name.
    """
    _require(part, isinstance(values, Mapping), "numbers by name", values, method)
    for name, value in values.items():
        number = isinstance(value, int | float | np.floating | np.integer)
        _require(part, isinstance(name, str) and number, "a number", value, f"{method}: {name!r}")
    return {name: float(value) for name, value in values.items()}


def _require(part: Component, fits: bool, expected: str, got: Any, method: str = "forward") -> None:
    if not fits:
        raise OutputError(_name(part), f"{method} to return {expected}", shown(got), REMEDY)


def _require_on(part: Component, values: Tensor, device: torch.device | None) -> None:
    _require(part, device is None or values.device == device, f"a tensor on {device}", values)


def _name(part: Component) -> str:
    spec = part.spec
    return f"{spec.kind.replace('_', ' ')} {spec.type_name()}"
