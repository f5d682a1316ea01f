"""AudioEncoder: a wave becomes feature steps at an exact rate."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from ..component import Component


class AudioEncoder(Component):
    """Feature steps of a mono wave. Step ``i`` describes the wave around sample ``i * hop``; zeros follow the end.

    An encoder that streams also has the methods of `SupportsAudioStreaming`. One that does not works in a session as
    well, which then collects the whole clip first. Training encodes each crop as a clip of its own.
    """

    sample_rate: int
    """Samples per second that the encoder expects (Hz)."""
    hop: int
    """Samples per step."""
    channels: int
    """Numbers per step, ``C``."""
    look_back: int | None
    """Samples before ``i * hop`` that step ``i`` depends on; None: all of the clip."""
    look_ahead: int | None
    """Samples from ``i * hop`` on that step ``i`` depends on; None: all of the clip, so that no stream is possible."""

    @abstractmethod
    def forward(self, wave: Tensor, steps: int | None = None) -> Tensor:
        """Encode waves ``[B, S]`` in -1..1 as features ``[B, A, C]``.

        Args:
            wave: samples at ``sample_rate``.
            steps: number of steps ``A``; None means ``S // hop``.
        """


@runtime_checkable
class SupportsAudioStreaming(Protocol):
    """An audio encoder that returns steps while the samples still arrive, the same steps as ``forward``.

    It needs a finite ``look_ahead``. A state may be of any type. The ONNX export requires a tensor of constant shape,
    or `SupportsFixedShapeSteps`.
    """

    def init_state(self, batch: int) -> Any:
        """Return the state of a stream without samples, for ``batch`` waves."""
        ...

    def step(self, wave: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Take the next samples; return all steps that are now complete, and the new state.

        Args:
            wave: the next samples ``[B, s]``; any number of them, also none.
            state: what `init_state` or the previous call returned; it is not changed.

        Returns:
            Features ``[B, a, C]`` of the steps whose ``look_ahead`` has arrived, and the new state.
        """
        ...


@runtime_checkable
class SupportsAudioPooling(SupportsAudioStreaming, Protocol):
    """An audio encoder that advances several independent streams in one batch; pools use it, see `Pipeline.pool`."""

    def step_streams(self, waves: Sequence[Tensor], states: Sequence[Any]) -> list[tuple[Tensor, Any]]:
        """Return what `step` returns for each stream of batch 1, within 1e-5 of the largest feature.

        Args:
            waves: the next samples ``[1, s]`` of each stream; ``s`` may differ.
            states: the state of each stream.
        """
        ...


@runtime_checkable
class SupportsFixedShapeSteps(Protocol):
    """An audio encoder whose stream is also a graph that is the same in every call, for the ONNX export.

    A call takes ``n * hop`` samples, as many each time, and returns ``n`` steps, ``late_steps`` before those that begin
    with its samples. Steps with negative numbers, which come first, mean nothing.
    """

    late_steps: int
    """Steps by which the output of a call lies before its samples."""

    def init_fixed_state(self) -> dict[str, Tensor]:
        """Return the state by name of a stream of one wave without samples; all tensors keep their shapes."""
        ...

    def fixed_step(self, wave: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Take the next samples ``[1, n * hop]``; return features ``[1, n, C]`` and the new state."""
        ...


@runtime_checkable
class SupportsAttenuation(Protocol):
    """An audio encoder whose features of a quieter wave follow from those of the wave.

    Training then varies the loudness of features that are kept, as it varies that of waves; see
    `headmotion.training.settings.DataSpec`.
    """

    def attenuate(self, features: Tensor, attenuation_db: Tensor) -> Tensor:
        """Return the features ``[B, A, C]`` of waves times ``10 ** (-attenuation_db / 20)``.

        Args:
            features: of the waves, ``[B, A, C]``; they are not changed.
            attenuation_db: how much quieter each wave is, ``[B]``, at least 0.
        """
        ...


def needs_whole_clip(encoder: AudioEncoder) -> bool:
    """Return whether the encoder has no stream, so that a session must collect the whole clip before its first step."""
    return encoder.look_ahead is None or not isinstance(encoder, SupportsAudioStreaming)
