"""Specs of the parts of the action-unit system, with the presets ``paper`` and ``small``. No torch is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

import headmotion as hm

from .facs import SPEECH_UNITS, UNIT_PATTERN

if TYPE_CHECKING:
    from .action_units import ActionUnits
    from .classifier import Classifier
    from .frame_discriminator import FrameDiscriminator
    from .image_generator import ImageGenerator
    from .unit_accuracy import UnitAccuracy
    from .unit_features import UnitFeatures
    from .unit_loss import UnitLoss

Width = Annotated[int, Field(ge=1, le=4096)]
"""Number of channels."""
Unit = Annotated[str, StringConstraints(pattern=UNIT_PATTERN)]
"""Name of an action unit."""
Target = Literal["intensity", "presence"]
"""What a network learns of a unit: its intensity, 0 to 1, or whether it is present. The cross-entropy is lowest at the
mean of the target in both cases."""


class ActionUnitsSpec(hm.RepresentationSpec):
    """Intensities of action units: how strongly parts of the face are moved, 0 at rest to 1."""

    type: Literal["au/action-units"] = "au/action-units"
    corpus_command: ClassVar[str] = "python -m headmotion_au CORPUS -o UNITS, from one of landmarks"
    units: tuple[Unit, ...] = Field(SPEECH_UNITS, min_length=1, max_length=64)
    """Names of the units; the speech-related ones by default."""

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if len(set(self.units)) != len(self.units):
            raise hm.SpecError("au/action-units spec", "units that differ", "a name twice")
        return self

    def build(self, context: hm.BuildContext | None = None) -> ActionUnits:
        """Build the representation."""
        from .action_units import ActionUnits

        return ActionUnits(self)


class AudioToAUSpec(hm.PresetSpec, hm.GeneratorSpec):
    """Action units from speech: one network per unit, over 280 ms around each frame and a recurrent memory."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"target": "presence"},
        "small": {"conv_widths": (8, 16, 32, 32, 64), "hidden_size": 32, "feature_widths": (64, 64), "dropout": 0.2},
    }

    for_checks: ClassVar[dict[str, Any]] = {"preset": "small"}
    type: Literal["au/audio-to-au"] = "au/audio-to-au"
    conv_widths: tuple[Width, Width, Width, Width, Width] = (8, 32, 64, 128, 256)
    """Channels of the five blocks over a window of speech."""
    hidden_size: Width = 128
    """Width of each direction of the recurrent layers, of which there are two."""
    feature_widths: tuple[Width, Width] = (128, 64)
    """Widths of the two layers behind them; the second are the features of a unit."""
    dropout: float = Field(0.5, ge=0, lt=1)
    """Share of these features that are dropped in training."""
    first_channel: int = Field(1, ge=0)
    """First audio channel that is used; 1 leaves out the coefficient of loudness of ``mfcc``, as published."""
    ahead: int | None = Field(None, ge=0, le=1000)
    """Frames ahead that each recurrent layer takes: None is the whole clip, as published, 0 none. With a number the
    generator streams, with a look-ahead of three frames for the window and twice this number."""
    target: Target = "intensity"
    """What is learned, and is therefore the motion: intensities, or probabilities of presence."""
    presence_weights: tuple[float, ...] = ()
    """Factor of the presence of each unit, larger for rare ones; empty is 1."""
    weight: float = Field(1.0, gt=0)
    """Weight of the cross-entropy, the generator's own training term."""

    def build(self, context: hm.BuildContext) -> hm.Generator:
        """Build the generator.

        Raises:
            SpecError: another representation, or steps per frame of which 4 is no multiple.
        """
        from .audio_to_au import AudioToAU, StreamingAudioToAU

        return AudioToAU(self, context) if self.ahead is None else StreamingAudioToAU(self, context)


class UnitFeaturesSpec(hm.FrozenWeights, hm.AudioEncoderSpec):
    """Features of speech that predict action units: 64 per unit and frame, of trained and frozen ``au/audio-to-au``."""

    type: Literal["au/features"] = "au/features"
    weights: str = "units"
    """A model that was trained with ``au/audio-to-au``, as a ``.safetensors`` file, or ``units``, the bundled one."""
    networks: AudioToAUSpec = AudioToAUSpec(preset="small", ahead=0)  # type: ignore[call-arg]
    """The networks in it."""
    units: Annotated[int, Field(ge=1, le=64)] = len(SPEECH_UNITS)
    """Number of units that they predict."""
    audio_encoder: hm.SpecField[hm.AudioEncoderSpec] = Field(
        default={"type": "mfcc", "n_mfcc": 13, "n_mels": 13, "f_min": 300, "f_max": 3700, "lifter": 22},
        validate_default=True,
    )
    """Encoder of the speech that they take."""

    def bundled_weights(self) -> Mapping[str, Path]:
        """Return the model that comes with the plugin."""
        return {"units": MODELS / "units.safetensors"}

    def build(self, context: hm.BuildContext) -> UnitFeatures:
        """Build the encoder.

        Raises:
            SpecError: a rate of features that its own encoder cannot follow.
            CheckpointError: weights of other networks.
        """
        from .unit_features import UnitFeatures

        return UnitFeatures(self, context)


class ClassifierSpec(hm.PresetSpec, hm.DiscriminatorSpec):
    """Recognizes action units in pictures of faces; a ``supervised`` phase trains it, and a loss uses it."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"target": "presence"},
        "small": {"widths": (16, 24, 48, 96), "blocks": 1},
    }

    for_checks: ClassVar[dict[str, Any]] = {"preset": "small"}
    type: Literal["au/classifier"] = "au/classifier"
    widths: tuple[Width, Width, Width, Width] = (64, 128, 256, 512)
    """Channels of the four stages; with two blocks each, those of ResNet-18."""
    blocks: int = Field(2, ge=1, le=16)
    """Residual blocks per stage."""
    target: Target = "intensity"
    """What is learned."""

    def build(self, context: hm.BuildContext) -> Classifier:
        """Build the classifier.

        Raises:
            SpecError: a representation other than action units.
        """
        from .classifier import Classifier

        return Classifier(self, context)


class UnitLossSpec(hm.LossSpec):
    """Cross-entropy between the units that a frozen classifier finds in drawn pictures and the recorded ones."""

    type: Literal["au/units"] = "au/units"
    weight: float = Field(0.01, ge=0)
    """Weight of the term."""
    classifier: str = "classifier"
    """Name under which an earlier phase hands on the classifier."""

    def build(self, context: hm.BuildContext) -> UnitLoss:
        """Build the loss; `UnitLoss.use_parts` sets its classifier afterwards."""
        from .unit_loss import UnitLoss

        return UnitLoss(self)


class FrameDiscriminatorSpec(hm.DiscriminatorSpec):
    """Scores patches of single pictures."""

    type: Literal["au/frame"] = "au/frame"
    widths: tuple[Width, Width, Width, Width] = (16, 32, 64, 128)
    """Channels of the convolutions, each of which halves the picture."""

    def build(self, context: hm.BuildContext) -> FrameDiscriminator:
        """Build the discriminator.

        Raises:
            SpecError: pictures that are too small.
        """
        from .frame_discriminator import FrameDiscriminator

        return FrameDiscriminator(self, context)


class ImageGeneratorSpec(hm.PresetSpec, hm.RendererSpec):
    """A picture that speaks, drawn by a recurrent network from identity, speech and action units. Square pictures."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "small": {
            "identity_widths": (16, 24, 32, 64),
            "audio_widths": (8, 16, 16, 32, 64),
            "identity_size": 96,
            "audio_size": 96,
            "unit_size": 16,
            "difference_gain": 10.0,
            "hidden_size": 192,
            "bottom_width": 64,
            "decoder_widths": (80, 56, 32, 16),
            "color_width": 8,
            "kernel": 3,
            "adds": True,
        },
    }

    for_checks: ClassVar[dict[str, Any]] = {"preset": "small", "size": 96}
    type: Literal["au/generator"] = "au/generator"
    size: int = Field(128, ge=32, le=512, multiple_of=16)
    """Edge of the pictures (px)."""
    identity_widths: tuple[Width, Width, Width, Width] = (16, 32, 64, 128)
    """Channels over the still picture, each of which halves it; all are skip connections."""
    audio_widths: tuple[Width, Width, Width, Width, Width] = (16, 32, 64, 128, 256)
    """Channels over a window of speech."""
    identity_size: Width = 512
    """Numbers that describe the still picture."""
    audio_size: Width = 512
    """Numbers that describe the speech around a frame."""
    unit_size: Width = 64
    """Numbers that describe a unit."""
    difference_gain: float = Field(1.0, gt=0)
    """Factor of what units differ by from those in the still picture, which makes changes of the mouth stand out."""
    hidden_size: Width = 1024
    """Width of the recurrent layer."""
    bottom_width: Width = 256
    """Channels where the decoder begins."""
    decoder_widths: tuple[Width, Width, Width, Width] = (196, 128, 80, 48)
    """Channels of the decoder, each of which doubles the picture."""
    color_width: Width = 16
    """Channels before the colors."""
    kernel: Literal[3, 5] = 5
    """Edge of the kernels of identity encoder and decoder (px)."""
    adds: bool = False
    """Whether the decoder draws a difference that is added to the still picture, so that it need not learn what stays
    still; not published."""
    first_channel: int = Field(1, ge=0)
    """First audio channel that is used; 1 leaves out the coefficient of loudness of ``mfcc``, as published."""
    uses_speech: bool = True
    """Whether speech is used; without, only units move the face."""
    uses_units: bool = True
    """Whether units are used; without, only speech moves the face."""
    crop_side: float = Field(1.0, gt=0, le=4)
    """Side of the square that is cut out of a photograph, in sides of the face's unit square; as in the training
    pictures. 1 is the square of ``headmotion prepare --frames``."""
    crop_up: float = Field(0.0, ge=-1, le=1)
    """How far this square lies above the face's unit square, in sides of the latter."""

    @model_validator(mode="after")
    def _driven(self) -> Self:
        if not (self.uses_speech or self.uses_units):
            raise hm.SpecError("au/generator spec", "uses_speech or uses_units", "neither", "set one of them")
        return self

    def build(self, context: hm.BuildContext) -> ImageGenerator:
        """Build the renderer.

        Raises:
            SpecError: a representation other than action units, or steps per frame of which 4 is no multiple.
        """
        from .image_generator import ImageGenerator

        return ImageGenerator(self, context)


class UnitAccuracySpec(hm.MetricSpec):
    """How well the units that a detector finds in drawn pictures agree with those in the recorded ones."""

    type: Literal["au/unit-accuracy"] = "au/unit-accuracy"
    units: tuple[Unit, ...] = Field(SPEECH_UNITS, min_length=1, max_length=64)
    """Names of the units."""
    every: int = Field(2, ge=1)
    """Every how many frames a picture is measured."""

    def build(self, context: hm.BuildContext) -> UnitAccuracy:
        """Build the metric."""
        from .unit_accuracy import UnitAccuracy

        return UnitAccuracy(self)


MODELS = Path(__file__).with_name("models")
"""Folder of the bundled models."""
