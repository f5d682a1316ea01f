"""Specs of the representations that come with headmotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from ..core.errors import SpecError
from ..core.interfaces.specs import BuildContext, RepresentationSpec
from ..core.spec import Spec

if TYPE_CHECKING:
    from ..core.interfaces.representation import Representation


class Landmarks68Spec(RepresentationSpec):
    """The 68 face landmarks of the iBUG 300-W scheme."""

    type: Literal["landmarks68"] = "landmarks68"
    dims: Literal[2, 3] = 2
    """Numbers per landmark: x, y and, if 3, depth in the same scale."""

    def build(self, context: BuildContext | None = None) -> Representation:
        """Make the representation."""
        from .landmarks68 import Landmarks68

        return Landmarks68(self)


class Landmarks683DSpec(RepresentationSpec):
    """The 68 face landmarks with depth."""

    type: Literal["landmarks68-3d"] = "landmarks68-3d"

    @property
    def dims(self) -> Literal[3]:
        """Numbers per landmark: x, y and depth in the same scale."""
        return 3

    def build(self, context: BuildContext | None = None) -> Representation:
        """Make the representation."""
        from .landmarks68 import Landmarks68

        return Landmarks68(self)


class Mesh478Spec(RepresentationSpec):
    """The 478 points of mediapipe's face mesh."""

    type: Literal["mesh478"] = "mesh478"
    dims: Literal[2, 3] = 3
    """Numbers per point: x, y and, if 3, depth in the same scale."""

    def build(self, context: BuildContext | None = None) -> Representation:
        """Make the representation."""
        from .mesh478 import Mesh478

        return Mesh478(self)


class BlendshapesSpec(RepresentationSpec):
    """The 52 blend shapes of ARKit, one number from 0 to 1 each."""

    type: Literal["blendshapes"] = "blendshapes"

    def build(self, context: BuildContext | None = None) -> Representation:
        """Make the representation."""
        from .blendshapes import Blendshapes

        return Blendshapes(self)


class KeypointsSpec(RepresentationSpec):
    """Keypoints that a network found by itself, each with the Jacobian of its neighborhood if wanted."""

    type: Literal["keypoints"] = "keypoints"
    points: int = Field(10, ge=2)
    """Number of keypoints."""
    jacobians: bool = False
    """Whether each keypoint carries a 2 x 2 Jacobian behind its position (row by row), in the unit of positions."""
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


class JointPositionsSpec(RepresentationSpec):
    """Positions of the joints of a skeleton."""

    type: Literal["joint-positions"] = "joint-positions"
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
        _check("joint-positions", len(self.names), self.dims, self.rest, self.scale_pair)
        _check_tree("joint-positions", self.names, self.parents)
        return self

    def build(self, context: BuildContext | None = None) -> Representation:
        """Make the representation."""
        from .joint_positions import JointPositions

        return JointPositions(self)


class EndSite(Spec):
    """Where a bone ends that has no further joint: a fingertip, the top of the head."""

    joint: int = Field(ge=0)
    """Index of the joint at which the bone begins."""
    offset: tuple[float, float, float]
    """From the joint to the end, in the joint's axes, in the unit of the skeleton."""


class JointsSpec(RepresentationSpec):
    """A skeleton whose root moves and whose joints turn: one row of six numbers per place and per rotation."""

    type: Literal["joints"] = "joints"
    names: tuple[str, ...] = Field(min_length=2)
    """Joint names. Names that differ in left and right only are each other's mirror image."""
    parents: tuple[int, ...] = Field(min_length=2)
    """For each joint the index of its parent, which comes before it; -1 for a root."""
    offsets: tuple[tuple[float, float, float], ...] = Field(min_length=2)
    """For each joint its place at rest relative to its parent, in any unit of length (that of the BVH file)."""
    ends: tuple[EndSite, ...] = ()
    """Where bones end that have no further joint."""
    moving: tuple[int, ...] = ()
    """Joints besides the roots that also change their place relative to their parent."""
    up: Literal["y", "z"] = "y"
    """Axis of the offsets that points up; x points to a side."""
    scale_pair: tuple[int, int] | None = None
    """Two points (rows) whose distance measures size; None: the joints on both sides that are nearest to a root."""

    @property
    def moving_joints(self) -> tuple[int, ...]:
        """Joints whose places are part of the motion, in the order of their rows."""
        return tuple(j for j, parent in enumerate(self.parents) if parent < 0 or j in self.moving)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        count = len(self.names)
        _check_tree("joints", self.names, self.parents)
        if len(self.offsets) != count:
            raise SpecError("joints spec", f"{count} offsets, one per joint", str(len(self.offsets)))
        if any(not 0 <= joint < count for joint in (*self.moving, *(end.joint for end in self.ends))):
            raise SpecError("joints spec", f"moving joints and joints of ends in 0..{count - 1}", "another")
        _check("joints", len(self.moving_joints) + count, 6, (), self.scale_pair or (0, 1))
        return self

    def build(self, context: BuildContext | None = None) -> Representation:
        """Make the representation.

        Raises:
            SpecError: all offsets are 0.
        """
        from .joints import Joints

        return Joints(self)


def _check_tree(name: str, names: tuple[str, ...], parents: tuple[int, ...]) -> None:
    count = len(names)
    if len(set(names)) != count:
        raise SpecError(f"{name} spec", "names that differ", "a name twice")
    if len(parents) != count or any(not -1 <= parent < joint for joint, parent in enumerate(parents)):
        raise SpecError(f"{name} spec", f"{count} parents, each before its joint or -1", repr(parents)[:80])


def _check(name: str, points: int, dims: int, rest: tuple[tuple[float, ...], ...], scale_pair: tuple[int, int]) -> None:
    if rest and (len(rest) != points or any(len(row) != dims for row in rest)):
        raise SpecError(f"{name} spec", f"rest with {points} rows of {dims} numbers", f"{len(rest)} rows")
    if scale_pair[0] == scale_pair[1] or not all(0 <= point < points for point in scale_pair):
        raise SpecError(f"{name} spec", f"scale_pair of two points in 0..{points - 1}", repr(scale_pair))


def _is_no_mirror(mirror: tuple[int, ...], points: int) -> bool:
    known = sorted(mirror) == list(range(points))
    return not known or any(mirror[mirror[point]] != point for point in range(points))
