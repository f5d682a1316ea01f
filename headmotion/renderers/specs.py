"""Specs of the renderers that come with headmotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ..core.interfaces.specs import BuildContext, RendererSpec

if TYPE_CHECKING:
    from ..core.interfaces.renderer import Renderer

Color = tuple[int, int, int]
"""Red, green, blue, 0..255 each."""


class SkeletonSpec(RendererSpec):
    """Lines and points of any representation on a plain background."""

    type: Literal["skeleton"] = "skeleton"
    size: int = Field(512, ge=16, le=8192)
    """Edge of the square picture in pixels; an odd number is rounded up to an even one."""
    line_width: int = Field(2, ge=1, le=64)
    """Width of the lines in pixels."""
    point_radius: float = Field(2.5, ge=0, le=64)
    """Radius of the points in pixels; 0 draws none."""
    margin: float = Field(0.25, ge=0, le=4)
    """Room around the first pose on each side, as a fraction of the longer edge of its box."""
    background: Color = (16, 18, 24)
    """Color behind the drawing."""
    color: Color = (226, 230, 238)
    """Color of points and lines that belong to no group below."""
    group_colors: dict[str, Color] = Field(
        default_factory=lambda: {
            "lips": (240, 98, 110),
            "eyes": (94, 190, 255),
            "brows": (186, 160, 255),
            "nose": (255, 205, 110),
            "jaw": (120, 215, 170),
            "head": (255, 205, 110),
            "arms": (240, 98, 110),
            "legs": (94, 190, 255),
            "torso": (120, 215, 170),
        }
    )
    """Colors by group of the representation; groups that it lacks are ignored."""

    def build(self, context: BuildContext) -> Renderer:
        """Build the renderer."""
        from .skeleton import Skeleton

        return Skeleton(self, context.representation)


class PortraitSpec(RendererSpec):
    """A still picture of a face, warped by the motion."""

    type: Literal["portrait"] = "portrait"
    size: int | None = Field(None, ge=16, le=8192)
    """Longer edge of the frames in pixels; None keeps that of the (cropped) picture, up to 4096. Edges become even."""
    crop: Literal["head", "none"] = "none"
    """``head`` crops the picture to a square around the head; ``none`` keeps all of it."""
    head_margin: float = Field(0.35, ge=0, le=4)
    """Room around the head on each side of a ``head`` crop, as a fraction of the head's half height."""

    def build(self, context: BuildContext) -> Renderer:
        """Build the renderer.

        Raises:
            SpecError: the representation is not a face with inner lips.
        """
        from .portrait.portrait import Portrait

        return Portrait(self, context.representation)
