"""Capabilities that a generator may have beyond `Generator.forward`: protocols, declared by having their methods.

Pipelines ask ``isinstance(generator, SupportsStyle)`` and the like. If the generator lacks a requested feature, one
error names the capability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from ..errors import HeadmotionError
from ..motion import Motion
from ..short_repr import fields_repr
from .fixed_shape_stream import FixedShapeStream
from .generator import Generator
from .sample import Sample


@runtime_checkable
class SupportsStreaming(Protocol):
    """A generator that returns frames while the audio still arrives, the same frames as ``forward``.

    A generator without it still works in a session, which then collects the whole clip first; see `as_streaming`.
    """

    lookahead: int | None
    """Motion frames of audio beyond frame ``t`` that `step` needs before it returns frame ``t``; None: the whole clip.
    """

    def init_state(self, reference: Tensor, seed: int | Sequence[int] = 0) -> Any:
        """Return the state of a stream that continues the reference ``[B, R, P, D]``."""
        ...

    def step(self, audio: Tensor, state: Any, last: bool = False) -> tuple[Tensor, Any]:
        """Take the next audio steps and return the frames that they determine.

        Args:
            audio: features ``[B, steps_per_frame * t, C]`` of the next ``t`` frames.
            state: what `init_state` or the previous call returned; it is not changed.
            last: whether the audio ends here, so that all remaining frames are returned.

        Returns:
            Motion ``[B, t', P, D]`` in the unit frame, and the new state.
        """
        ...


@runtime_checkable
class SupportsPooling(SupportsStreaming, Protocol):
    """A generator that advances several independent streams in one batch; pools use it, see `Pipeline.pool`.

    A generator without it works in a pool as well, one stream after the other.
    """

    def step_streams(
        self, audio: Sequence[Tensor], states: Sequence[Any], last: Sequence[bool]
    ) -> list[tuple[Tensor, Any]]:
        """Return what `step` returns for each stream of batch 1, within 1e-5 of the unit frame.

        Args:
            audio: the next features ``[1, steps_per_frame * t, C]`` of each stream; ``t`` may differ and be 0.
            states: the state of each stream, which need not be at the same position; they are not changed.
            last: whether the audio of each stream ends here.
        """
        ...


@runtime_checkable
class SupportsUncertainty(SupportsStreaming, Protocol):
    """A generator that estimates how uncertain its frames are."""

    def deviation(self, state: Any) -> Tensor:
        """Return standard deviations ``[B, t', P, D]`` (unit frame) of the frames that `step` just returned."""
        ...


@runtime_checkable
class SupportsStyle(Protocol):
    """A generator with selectable styles of motion."""

    def styled(self, style: Any) -> Generator:
        """Return the generator in a style, with the same weights; the original is not changed.

        Args:
            style: a name, numbers, or another value that the generator documents.

        Raises:
            HeadmotionError: not one of its styles.
        """
        ...


@runtime_checkable
class SupportsDialogue(SupportsStreaming, Protocol):
    """A generator that also takes the audio of the listener, the other person of a dialogue, for example to nod."""

    def push_listener(self, audio: Tensor, state: Any) -> Any:
        """Take the next audio steps of the listener and return the new state.

        It is called before `step` with the speaker's own steps of the same time. A stream in which it is never called
        has no listener.

        Args:
            audio: features ``[B, steps_per_frame * t, C]`` of the next ``t`` frames.
            state: what `init_state` or `step` returned; it is not changed.
        """
        ...


@runtime_checkable
class SupportsFixedShapes(Protocol):
    """A generator whose stream can run as a graph of fixed shapes, as ONNX requires."""

    def fixed_shape_stream(self, frames: int, lag: int) -> FixedShapeStream:
        """Return the stream in chunks of one size.

        Args:
            frames: motion frames per chunk.
            lag: frames by which the features that come with a chunk lie before it.

        Raises:
            SpecError: this generator's settings do not allow it.
        """
        ...


@runtime_checkable
class SupportsTrainingTerms(Protocol):
    """A generator or renderer that defines terms of its own to be trained by: flow matching, diffusion, regression.

    A phase adds them to its other terms, and logs them by name. Where they are enough, the adversarial objective may
    have no weight.
    """

    def training_terms(self, real: Sample, step: int, seed: int | Sequence[int]) -> Mapping[str, Tensor]:
        """Return scalar terms by name, each already weighted, with gradients to its own parameters.

        Args:
            real: recorded clips.
            step: number of the training step, from 0.
            seed: an int seeds sample ``b`` with ``seed + b``, a sequence holds a seed per sample; it is the only source
                of randomness. `headmotion.core.noise.normal` draws noise from it.
        """
        ...


@dataclass(frozen=True)
class Estimate:
    """A motion with the generator's uncertainty."""

    motion: Motion
    """The motion."""
    deviation: Tensor
    """Standard deviations ``[T, P, D]``, in the motion's own units."""

    __repr__ = fields_repr


CAPABILITIES: tuple[type, ...] = (
    SupportsStreaming,
    SupportsPooling,
    SupportsUncertainty,
    SupportsStyle,
    SupportsDialogue,
    SupportsFixedShapes,
    SupportsTrainingTerms,
)
"""All capabilities that a generator may declare."""


def lacking(generator: Generator, capability: type, feature: str) -> HeadmotionError:
    """Return the error for a feature that the generator lacks; it lists the capabilities that the generator has."""
    present = ", ".join(known.__name__ for known in CAPABILITIES if isinstance(generator, known)) or "none"
    name = f"generator {generator.spec.type_name()}"
    expected = f"{capability.__name__} for {feature}"
    return HeadmotionError(name, expected, f"the capabilities {present}", f"leave out {feature}")


def as_streaming(generator: Generator) -> SupportsStreaming:
    """Return the generator itself if it streams, otherwise one that collects the whole clip before its first frame."""
    return generator if isinstance(generator, SupportsStreaming) else WholeClip(generator)


class WholeClip:
    """A stream of a generator that has only ``forward``: frames come at the end, and memory grows with the audio."""

    lookahead: int | None = None
    """None: the whole clip."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator

    def init_state(self, reference: Tensor, seed: int | Sequence[int] = 0) -> Any:
        """Return the state of a stream without audio."""
        return reference, seed, ()

    def step(self, audio: Tensor, state: Any, last: bool = False) -> tuple[Tensor, Any]:
        """Return no frames ``[B, 0, P, D]`` until the audio ends, and then all of them."""
        reference, seed, parts = state
        parts = (*parts, audio)
        # Neighbors of a similar length are joined, so that there are few parts and each step is copied a few times.
        while len(parts) > 1 and parts[-2].shape[1] <= parts[-1].shape[1]:
            parts = (*parts[:-2], torch.cat(parts[-2:], dim=1))
        if not last:
            return reference[:, :0], (reference, seed, parts)
        return self._generator(reference, torch.cat(parts, dim=1), seed), (reference, seed, parts)
