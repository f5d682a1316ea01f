"""Specs of the representations that come with headmotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from ..core.errors import SpecError
from ..core.spec import BuildContext, RepresentationSpec

if TYPE_CHECKING:
    from ..core.representation import Representation


class Landmarks68Spec(RepresentationSpec):
    """The 68 face landmarks of the iBUG 300-W scheme."""

    type: Literal["landmarks68"] = "landmarks68"
    dims: Literal[2, 3] = 2
    """Numbers per landmark: x, y and, if 3, depth in the same scale."""

    def build(self, context: BuildContext | None = None) -> Representation:
        """Make the representation."""
        from .landmarks68 import Landmarks68

        return Landmarks68(self)


class KeypointsSpec(RepresentationSpec):
    """Keypoints that a network found by itself, each with the Jacobian of its neighborhood if wanted."""

    type: Literal["keypoints"] = "keypoints"
    points: int = Field(10, ge=2)
    """Number of keypoints."""
    jacobians: bool = False
    """Whether each keypoint carries a 2 x 2 Jacobian behind its position (row by row)."""
    mirror: tuple[int, ...] = ()
    """Which keypoint takes each one's place in a mirrored picture; empty: each its own."""
    scale_pair: tuple[int, int] = (0, 1)
    """Two keypoints whose distance measures size."""
    rest: tuple[tuple[float, ...], ...] = ()
    """Resting pose in the unit frame, one row per keypoint; empty: an even ring, which stands for no real pose."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _check("keypoints", self.points, 6 if self.jacobians else 2, self.rest, self.scale_pair)
        if self.mirror and _is_no_mirror(self.mirror, self.points):
            raise SpecError("keypoints spec", f"mirror to swap pairs of 0..{self.points - 1}", repr(self.mirror))
        return self

    def build(self, context: BuildContext | None = None) -> Representation:
        """Make the representation."""
        from .keypoints import Keypoints

        return Keypoints(self)


class JointsSpec(RepresentationSpec):
    """Positions of the joints of a skeleton."""

    type: Literal["joints"] = "joints"
    names: tuple[str, ...] = Field(min_length=2)
    """Joint names. Names that differ in left and right only are each other's mirror image."""
    parents: tuple[int, ...] = Field(min_length=2)
    """For each joint the index of its parent, which comes before it; -1 for a root."""
    dims: Literal[2, 3] = 3
    """Numbers per joint: x, y and, if 3, depth in the same scale."""
    scale_pair: tuple[int, int] = (0, 1)
    """Two joints whose distance measures size, such as the shoulders."""
    rest: tuple[tuple[float, ...], ...] = ()
    """Resting pose in the unit frame, one row per joint; empty: an even ring, which stands for no real pose."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        count = len(self.names)
        _check("joints", count, self.dims, self.rest, self.scale_pair)
        if len(set(self.names)) != count:
            raise SpecError("joints spec", "names that differ", "a name twice")
        if len(self.parents) != count or any(not -1 <= parent < joint for joint, parent in enumerate(self.parents)):
            raise SpecError("joints spec", f"{count} parents, each before its joint or -1", repr(self.parents)[:80])
        return self

    def build(self, context: BuildContext | None = None) -> Representation:
        """Make the representation."""
        from .joints import Joints

        return Joints(self)


def _check(name: str, points: int, dims: int, rest: tuple[tuple[float, ...], ...], scale_pair: tuple[int, int]) -> None:
    if rest and (len(rest) != points or any(len(row) != dims for row in rest)):
        raise SpecError(f"{name} spec", f"rest with {points} rows of {dims} numbers", f"{len(rest)} rows")
    if scale_pair[0] == scale_pair[1] or not all(0 <= point < points for point in scale_pair):
        raise SpecError(f"{name} spec", f"scale_pair of two points in 0..{points - 1}", repr(scale_pair))


def _is_no_mirror(mirror: tuple[int, ...], points: int) -> bool:
    known = sorted(mirror) == list(range(points))
    return not known or any(mirror[mirror[point]] != point for point in range(points))
