"""Spec of the audio encoder `whisper`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ...core.errors import SpecError
from ...core.frozen_weights import FrozenWeights
from ...core.interfaces.specs import AudioEncoderSpec, BuildContext

if TYPE_CHECKING:
    from .encoder import Whisper

CONVOLUTIONS_MS = 32.5
"""Audio on either side of a step that the convolutions cover (ms)."""
STEP_MS = 20
"""Time from a step to the next (ms)."""
BUNDLED_LAYERS = 2
"""Layers that the bundled weights have."""
MAX_REACH_STEPS = 750
"""Steps that all layers together may see around one: half as many as Whisper has positions."""


class WhisperSpec(FrozenWeights, AudioEncoderSpec):
    """Output of a lower layer of Whisper's encoder at 50 steps a second: two per frame at 25 frames per second.

    The convolutions and two layers of Whisper tiny (English) are bundled. The other sizes, and more layers, come from a
    file: the tensors of the encoder by the names that Hugging Face's files have, or by this project's.
    """

    sizes: ClassVar[Mapping[str, tuple[int, int, int]]] = {
        "tiny": (384, 4, 80),
        "base": (512, 6, 80),
        "small": (768, 12, 80),
        "medium": (1024, 24, 80),
        "large": (1280, 32, 80),
        "large-v3": (1280, 32, 128),
    }
    """Width, number of layers and mel filters of Whisper's sizes."""

    type: Literal["whisper"] = "whisper"
    weights: str = "tiny.en"
    """``tiny.en``, which is bundled, or the path of a ``.safetensors`` file."""
    weights_in_checkpoint: bool = False
    """Whether checkpoints contain the weights; otherwise they name the file by its SHA-256, and loading needs it."""
    size: Literal["tiny", "base", "small", "medium", "large", "large-v3"] = "tiny"
    """Size of the network, which the weights must have."""
    layers: int = Field(2, ge=1, le=64)
    """Number of layers."""
    look_ahead_ms: float | None = Field(120.0, ge=CONVOLUTIONS_MS, le=60_000)
    """Audio after its time that a step may depend on, in all. The convolutions take 32.5 ms of it, and the layers share
    the rest in steps of 20 ms. Null: all of the clip, so that no stream is possible."""
    look_back_ms: float | None = Field(1500.0, ge=0, le=60_000)
    """Time before a step that each layer's attention reaches. Null: all of the clip, so that no stream is possible."""
    ceiling: float = 1.5
    """Power (log10) of the loudest log-mel value; those 8 or more below it count as silence. Whisper takes the maximum
    over the clip, which cannot stream. For speech at usual levels it lies between 0 and 2."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        layers = self.sizes[self.size][1]
        if self.layers > layers:
            raise SpecError("whisper spec", f"at most the {layers} layers of {self.size}", str(self.layers))
        if self.weights in self.bundled_weights() and (self.size, self.layers > BUNDLED_LAYERS) != ("tiny", False):
            expected = f"weights of {self.layers} layers of Whisper {self.size}"
            got = f"the bundled {self.weights}, which has {BUNDLED_LAYERS} layers of tiny"
            raise SpecError("whisper spec", expected, got, "give weights, the path of a .safetensors file")
        needed = self.layers * (self.back_steps or 0) + sum(self.ahead_steps or ())
        if needed > MAX_REACH_STEPS:
            got = f"{STEP_MS * needed} ms over {self.layers} layers"
            raise SpecError("whisper spec", "attention that reaches over 15 s at most", got, "lower look_back_ms")
        return self

    def bundled_weights(self) -> Mapping[str, Path]:
        """Return the bundled file."""
        return {"tiny.en": Path(__file__).parents[1] / "models" / "whisper-tiny-en.safetensors"}

    @property
    def width(self) -> int:
        """Numbers per step."""
        return self.sizes[self.size][0]

    @property
    def mels(self) -> int:
        """Number of mel filters."""
        return self.sizes[self.size][2]

    @property
    def back_steps(self) -> int | None:
        """Earlier steps that each layer attends to; None: all."""
        return None if self.look_back_ms is None else int(self.look_back_ms // STEP_MS)

    @property
    def ahead_steps(self) -> tuple[int, ...] | None:
        """Later steps that each layer attends to, the lowest layer first; None: all."""
        if self.look_ahead_ms is None:
            return None
        per_layer, remainder = divmod(int((self.look_ahead_ms - CONVOLUTIONS_MS) // STEP_MS), self.layers)
        return tuple(per_layer + (layer < remainder) for layer in range(self.layers))

    def build(self, context: BuildContext) -> Whisper:
        """Build the encoder.

        Raises:
            SpecError: its 50 steps a second do not divide the motion frames exactly.
            CheckpointError: the weights are missing, others than stated, or of another size.
        """
        from .encoder import Whisper
        from .streaming import StreamingWhisper

        rate = context.fps * context.steps_per_frame
        if rate * STEP_MS != 1000:
            got = f"{context.fps} x {context.steps_per_frame} = {rate}"
            raise SpecError("whisper spec", "fps x steps_per_frame = 50", got, "at 25 fps, set steps_per_frame to 2")
        streams = self.look_ahead_ms is not None and self.look_back_ms is not None
        return (StreamingWhisper if streams else Whisper)(self, context)
