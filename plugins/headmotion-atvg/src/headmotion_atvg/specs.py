"""Specs of the plugin's parts, and their presets; they are read without torch.

Source: Chen, Maddox, Duan and Xu, "Hierarchical Cross-Modal Talking Face Generation with Dynamic Pixel-Wise Loss",
CVPR 2019. The preset ``paper`` has its widths, ``small`` about a quarter of the channels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

import headmotion as hm

if TYPE_CHECKING:
    from .at_net import ATNet
    from .dynamic_pixel import DynamicPixel
    from .landmark_pca import LandmarkPCA
    from .regression import Regression
    from .vg_net import VGNet

Width = Annotated[int, Field(ge=1, le=4096)]
"""Number of features between two layers."""


class LandmarkPCASpec(hm.RepresentationSpec):
    """Coefficients of 68 landmarks in a fitted basis; who speaks and how the head moves are left out."""

    type: Literal["atvg/landmark-pca"] = "atvg/landmark-pca"
    components: int = Field(6, ge=1, le=64)
    """Number of coefficients."""
    alignment: Literal["procrustes", "fixed"] = "procrustes"
    """``procrustes`` moves each pose onto a template by a similarity of nose and eye corners, ``fixed`` takes poses as
    they lie in the unit frame of a clip, so that the coefficients also describe small movements of the head."""
    scale: float = Field(5.0, gt=0)
    """Factor of positions in the unit frame before the projection."""

    def build(self, context: hm.BuildContext | None = None) -> LandmarkPCA:
        """Build the representation, which is not fitted yet."""
        from .landmark_pca import LandmarkPCA

        return LandmarkPCA(self)


class ATNetSpec(hm.PresetSpec, hm.GeneratorSpec):
    """AT-net: each frame's landmarks in PCA coordinates, from 280 ms of speech around it and the pose at the start.

    In a pipeline of ``atvg/landmark-pca`` it works on the coefficients as they are. In one of ``landmarks68`` it has a
    basis of its own, which a phase ``{type: fit, fits: generator}`` fits, and moves the face of the reference.
    """

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "small": {
            "conv_widths": (16, 32, 64, 64, 128),
            "audio_widths": (128, 64),
            "pose_widths": (64, 128),
            "hidden_size": 64,
        },
    }

    for_checks: ClassVar[dict[str, Any]] = {"preset": "small"}
    type: Literal["atvg/at-net"] = "atvg/at-net"
    basis: LandmarkPCASpec = LandmarkPCASpec()
    """The generator's own basis, if the pipeline's motion is ``landmarks68``."""
    conv_widths: tuple[Width, Width, Width, Width, Width] = (64, 128, 256, 256, 512)
    """Channels of the convolutions over audio features."""
    audio_widths: tuple[Width, Width] = (2048, 256)
    """Widths of the two layers behind them."""
    pose_widths: tuple[Width, Width] = (256, 512)
    """Widths of the two layers over the coefficients of the reference."""
    hidden_size: Width = 256
    """Width of the LSTM, which has three layers."""
    first_channel: int = Field(1, ge=0)
    """First audio channel that is used; 1 leaves out the coefficient of loudness of ``mfcc``, as published."""
    gains: tuple[float, ...] = ()
    """Factors of the coefficients in use, by which the published demonstration exaggerates: ``(1, 2.2, 2.4, 2.6, 2.8,
    3)``. Training is without them; empty leaves the coefficients unchanged."""
    weight: float = Field(1.0, gt=0)
    """Weight of the squared error of coefficients, the generator's own training term."""

    def build(self, context: hm.BuildContext) -> ATNet:
        """Build the generator.

        Raises:
            SpecError: another representation, too few audio channels, or gains of another number than coefficients.
        """
        from .at_net import ATNet

        return ATNet(self, context)


class VGNetSpec(hm.PresetSpec, hm.RendererSpec):
    """VG-net: a still picture that speaks, painted where an attention map says so. Square pictures."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "small": {
            "image_widths": (16, 16, 32, 64, 128),
            "landmark_widths": (64, 128),
            "attention_widths": (64, 32),
            "recurrent_width": 32,
            "base_widths": (16, 8),
            "residual_blocks": 2,
            "dropout": 0.0,
        },
    }

    for_checks: ClassVar[dict[str, Any]] = {"preset": "small", "size": 32}
    type: Literal["atvg/vg-net"] = "atvg/vg-net"
    size: int = Field(128, ge=32, le=512, multiple_of=16)
    """Edge of the pictures (px)."""
    image_widths: tuple[Width, Width, Width, Width, Width] = (64, 64, 128, 256, 512)
    """Channels over the still picture; the third is that of the fused features, the last that of the recurrent ones."""
    landmark_widths: tuple[Width, Width] = (256, 512)
    """Channels of the two stages over landmarks."""
    attention_widths: tuple[Width, Width] = (256, 128)
    """Channels of the attention over the still picture's features."""
    recurrent_width: Width = 128
    """Channels that enter the convolutional GRU."""
    residual_blocks: int = Field(9, ge=0, le=64)
    """Residual blocks behind the GRU."""
    base_widths: tuple[Width, Width] = (64, 32)
    """Channels on the way to the full size."""
    dropout: float = Field(0.5, ge=0, lt=1)
    """Share of features that are dropped in training, in the GRU's input and in residual blocks."""
    difference_gain: float = Field(1.0, gt=0)
    """Factor of what moves the landmarks away from those of the still picture. 1 is published; a larger one makes small
    movements of the mouth stand out from the shapes of faces, and is learned in fewer steps."""
    attention: bool = True
    """Whether an attention map says where colors are painted over the still picture, as published. Without it all
    pixels are painted, so that the network has to draw the person too; for comparison."""
    follow_head: bool = True
    """Whether the still picture follows the rigid motion of the head, so that only what remains is painted. Published
    pictures are aligned in every frame instead."""
    crop_side: float = Field(1.0, gt=0, le=4)
    """Side of the square that is cut out of a photograph, in sides of the face's unit square; as in the training
    pictures. 1 is the square of ``headmotion prepare --frames``."""
    crop_up: float = Field(0.0, ge=-1, le=1)
    """How far this square lies above the face's unit square, in sides of the latter."""

    def build(self, context: hm.BuildContext) -> VGNet:
        """Build the renderer.

        Raises:
            MotionError: a representation without points in the picture.
        """
        from .vg_net import VGNet

        return VGNet(self, context)


class RegressionSpec(hm.PresetSpec, hm.DiscriminatorSpec):
    """Scores sequences of pictures, and finds the landmarks in them."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "small": {
            "image_widths": (16, 32, 64, 128),
            "frame_size": 128,
            "pose_widths": (64, 128),
            "hidden_size": 64,
        },
    }

    for_checks: ClassVar[dict[str, Any]] = {"preset": "small"}
    type: Literal["atvg/regression"] = "atvg/regression"
    image_widths: tuple[Width, Width, Width, Width] = (64, 128, 256, 512)
    """Channels of the convolutions over a frame."""
    frame_size: Width = 512
    """Width of the layer behind them."""
    pose_widths: tuple[Width, Width] = (256, 512)
    """Widths of the two layers over the landmarks of the still picture."""
    hidden_size: Width = 256
    """Width of the LSTM, which has three layers."""
    mouth_factor: float = Field(100.0, ge=1)
    """Factor of the errors of the mouth's y coordinates before they are squared."""
    landmark_weight: float = Field(1.0, ge=0)
    """Weight of the landmark errors."""

    def build(self, context: hm.BuildContext) -> Regression:
        """Build the discriminator.

        Raises:
            MotionError: a representation without points in the picture.
            SpecError: one without lips.
        """
        from .regression import Regression

        return Regression(self, context)


class DynamicPixelSpec(hm.LossSpec):
    """Absolute differences of pixels, weighted by the renderer's own attention plus a constant."""

    type: Literal["atvg/dynamic-pixel"] = "atvg/dynamic-pixel"
    weight: float = Field(10.0, ge=0)
    """Weight of the term."""
    constant: float = Field(0.5, ge=0)
    """What is added to the attention; the weight of pixels that the renderer copies."""
    dynamic: bool = True
    """Whether the attention weighs the pixels; without, all weigh ``constant + 0.5``, for comparison."""

    def build(self, context: hm.BuildContext) -> DynamicPixel:
        """Build the loss."""
        from .dynamic_pixel import DynamicPixel

        return DynamicPixel(self)
