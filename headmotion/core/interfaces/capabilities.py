"""What a generator may be able to do beyond `Generator.forward`: protocols that it declares by having their methods.

Pipelines ask ``isinstance(generator, SupportsStyle)`` and the like, and refuse a wish that needs an ability which the
generator has not, by the ability's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from ..errors import HeadmotionError
from ..motion import Motion
from .fixed_shape_stream import FixedShapeStream
from .generator import Generator


@runtime_checkable
class SupportsStreaming(Protocol):
    """Frames come while the audio is still spoken, the same frames as those of ``forward``.

    A generator without it still works in a session, which then hears the whole clip first; see `as_streaming`.
    """

    lookahead: int | None
    """Motion frames of audio beyond frame ``t`` that must be heard before frame ``t`` can be emitted.

    None: the whole clip.
    """

    def init_state(self, reference: Tensor, seed: int | Sequence[int] = 0) -> Any:
        """State of a stream that continues the reference ``[B, R, P, D]``."""
        ...

    def step(self, audio: Tensor, state: Any, last: bool = False) -> tuple[Tensor, Any]:
        """Next audio steps ``[B, 4*t, C]`` in, the frames that are now determined ``[B, t', P, D]`` and the state out.

        With ``last`` the audio ends here and all remaining frames come out. The state that was given is not changed.
        """
        ...


@runtime_checkable
class SupportsUncertainty(SupportsStreaming, Protocol):
    """The generator says how sure it is of its frames."""

    def deviation(self, state: Any) -> Tensor:
        """Standard deviations ``[B, t', P, D]`` (unit frame) of the frames that `step` returned with ``state``."""
        ...


@runtime_checkable
class SupportsStyle(Protocol):
    """The generator can be told how to move."""

    def styled(self, style: Any) -> Generator:
        """The generator in a style, over the same weights; this one stays as it is.

        Args:
            style: a name, numbers, or whatever else the generator documents.

        Raises:
            HeadmotionError: not one of its styles.
        """
        ...


@runtime_checkable
class SupportsDialogue(SupportsStreaming, Protocol):
    """The generator also hears whom its speaker talks with, to nod for example."""

    def push_listener(self, audio: Tensor, state: Any) -> Any:
        """Next audio steps ``[B, 4*t, C]`` of the other speaker in, the new state out.

        Called before `step` with the own steps of the same time; a stream in which it is not called has no other
        speaker. The state that was given is not changed.
        """
        ...


@runtime_checkable
class SupportsFixedShapes(Protocol):
    """The generator's stream can be a graph of fixed shapes, as ONNX wants it."""

    def fixed_shape_stream(self, frames: int, lag: int) -> FixedShapeStream:
        """The stream in chunks of ``frames`` frames, whose features lie ``lag`` frames before the chunk they come with.

        Raises:
            SpecError: this generator's settings do not allow it.
        """
        ...


@dataclass(frozen=True)
class Estimate:
    """A motion, and how sure the generator is of it."""

    motion: Motion
    deviation: Tensor
    """Standard deviations ``[T, P, D]``, in the motion's own units."""


ABILITIES: tuple[type, ...] = (
    SupportsStreaming,
    SupportsUncertainty,
    SupportsStyle,
    SupportsDialogue,
    SupportsFixedShapes,
)
"""All of them."""


def lacking(generator: Generator, ability: type, wish: str) -> HeadmotionError:
    """The error for a ``wish`` that needs an ability which the generator has not; it says which it has."""
    able = ", ".join(each.__name__ for each in ABILITIES if isinstance(generator, each)) or "none"
    name = f"generator {generator.spec.type_name()}"
    return HeadmotionError(name, f"{ability.__name__} for {wish}", f"the abilities {able}", f"leave out {wish}")


def as_streaming(generator: Generator) -> SupportsStreaming:
    """The generator itself if it streams, else one that hears everything before its first frame."""
    return generator if isinstance(generator, SupportsStreaming) else WholeClip(generator)


class WholeClip:
    """Streams a generator that has only ``forward``: all frames come at the end, and memory grows with the audio."""

    lookahead: int | None = None

    def __init__(self, generator: Generator) -> None:
        self._generator = generator

    def init_state(self, reference: Tensor, seed: int | Sequence[int] = 0) -> Any:
        """Nothing heard yet."""
        return reference, seed, None

    def step(self, audio: Tensor, state: Any, last: bool = False) -> tuple[Tensor, Any]:
        """No frames ``[B, 0, P, D]`` until the last piece, and then all of them."""
        reference, seed, before = state
        heard = (before, audio)  # a chain, so that an earlier state stays as it is and nothing is copied
        if not last:
            return reference[:, :0], (reference, seed, heard)
        return self._generator(reference, _joined(heard), seed), (reference, seed, heard)


def _joined(chain: tuple[Any, Tensor]) -> Tensor:
    pieces: list[Tensor] = []
    link: tuple[Any, Tensor] | None = chain
    while link is not None:
        link, piece = link
        pieces.append(piece)
    return torch.cat(pieces[::-1], dim=1)
