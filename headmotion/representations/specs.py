"""Specs of the representations that come with headmotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ..core.errors import SpecError
from ..core.interfaces.specs import BuildContext, RepresentationSpec
from ..core.limits import POINTS, limit, remedy
from ..core.short_repr import short_repr
from ..core.spec import Spec

if TYPE_CHECKING:
    from ..core.interfaces.representation import Representation


class Landmarks68Spec(RepresentationSpec):
    """The 68 face landmarks of the iBUG 300-W scheme."""

    type: Literal["landmarks68"] = "landmarks68"
    corpus_command: ClassVar[str] = "headmotion prepare VIDEOS -o CORPUS --representation landmarks68"
    dims: Literal[2, 3] = 2
    """Numbers per landmark: x, y and, if 3, depth in the same scale."""

    def build(self, context: BuildContext | None = None) -> Representation:
        """Build the representation."""
        from .landmarks68 import Landmarks68

        return Landmarks68(self)


class Landmarks683DSpec(RepresentationSpec):
    """The 68 face landmarks with depth."""

    type: Literal["landmarks68-3d"] = "landmarks68-3d"
    corpus_command: ClassVar[str] = "headmotion prepare VIDEOS -o CORPUS --representation landmarks68-3d"

    @property
    def dims(self) -> Literal[3]:
        """Numbers per landmark: x, y and depth in the same scale."""
        return 3

    def build(self, context: BuildContext | None = None) -> Representation:
        """Build the representation."""
        from .landmarks68 import Landmarks68

        return Landmarks68(self)


class Mesh478Spec(RepresentationSpec):
    """The 478 points of mediapipe's face mesh."""

    type: Literal["mesh478"] = "mesh478"
    corpus_command: ClassVar[str] = "headmotion prepare VIDEOS -o CORPUS --representation mesh478"
    dims: Literal[2, 3] = 3
    """Numbers per point: x, y and, if 3, depth in the same scale."""

    def build(self, context: BuildContext | None = None) -> Representation:
        """Build the representation."""
        from .mesh478 import Mesh478

        return Mesh478(self)


class BlendshapesSpec(RepresentationSpec):
    """The 52 blend shapes of ARKit, one number from 0 to 1 each."""

    type: Literal["blendshapes"] = "blendshapes"
    corpus_command: ClassVar[str] = "headmotion prepare VIDEOS -o CORPUS --representation blendshapes"

    def build(self, context: BuildContext | None = None) -> Representation:
        """Build the representation."""
        from .blendshapes import Blendshapes

        return Blendshapes(self)


class KeypointsSpec(RepresentationSpec):
    """Unsupervised keypoints of a network, optionally with a Jacobian each."""

    type: Literal["keypoints"] = "keypoints"
    points: int = Field(10, ge=2)
    """Number of keypoints."""
    jacobians: bool = False
    """Whether the position of each keypoint is followed by a 2 x 2 Jacobian (row by row), in the unit of positions."""
    mirror: tuple[int, ...] = ()
    """Keypoint ``i`` of a mirrored picture is keypoint ``mirror[i]`` of the original; empty: no two change places."""
    scale_pair: tuple[int, int] = (0, 1)
    """Two keypoints whose distance measures size."""
    rest: tuple[tuple[float, ...], ...] = ()
    """Resting pose in the unit frame, one row per keypoint; empty: a regular ring, which is no real pose."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _check_points("keypoints", self.points, 6 if self.jacobians else 2, self.rest, self.scale_pair)
        if self.mirror and not _is_mirror(self.mirror, self.points):
            raise SpecError("keypoints spec", f"mirror to swap pairs of 0..{self.points - 1}", repr(self.mirror))
        return self

    def build(self, context: BuildContext | None = None) -> Representation:
        """Build the representation."""
        from .keypoints import Keypoints

        return Keypoints(self)


class JointPositionsSpec(RepresentationSpec):
    """Positions of the joints of a skeleton."""

    type: Literal["joint-positions"] = "joint-positions"
    names: tuple[str, ...] = Field(min_length=2)
    """Joint names. Joints whose names differ in left and right only are mirror images of each other."""
    parents: tuple[int, ...] = Field(min_length=2)
    """For each joint the index of its parent, which comes before it; -1 for a root."""
    dims: Literal[2, 3] = 3
    """Numbers per joint: x, y and, if 3, depth in the same scale."""
    scale_pair: tuple[int, int] = (0, 1)
    """Two joints whose distance measures size, such as the shoulders."""
    rest: tuple[tuple[float, ...], ...] = ()
    """Resting pose in the unit frame, one row per joint; empty: a regular ring, which is no real pose."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _check_points("joint-positions", len(self.names), self.dims, self.rest, self.scale_pair)
        _check_tree("joint-positions", self.names, self.parents)
        return self

    def build(self, context: BuildContext | None = None) -> Representation:
        """Build the representation."""
        from .joints import JointPositions

        return JointPositions(self)


class EndSite(Spec):
    """The end of a bone without a further joint: a fingertip, the top of the head."""

    joint: int = Field(ge=0)
    """Index of the joint at which the bone begins."""
    offset: tuple[float, float, float]
    """From the joint to the end, in the joint's axes, in the unit of the skeleton."""


class JointsSpec(RepresentationSpec):
    """A skeleton whose root moves and whose joints rotate: one row of six numbers per position and per rotation."""

    type: Literal["joints"] = "joints"
    names: tuple[str, ...] = Field(min_length=2)
    """Joint names. Joints whose names differ in left and right only are mirror images of each other."""
    parents: tuple[int, ...] = Field(min_length=2)
    """For each joint the index of its parent, which comes before it; -1 for a root."""
    offsets: tuple[tuple[float, float, float], ...] = Field(min_length=2)
    """Position of each joint at rest relative to its parent, in any unit of length (that of the BVH file)."""
    ends: tuple[EndSite, ...] = ()
    """Ends of bones without a further joint."""
    moving: tuple[int, ...] = ()
    """Joints besides the roots whose position relative to the parent changes."""
    up: Literal["y", "z"] = "y"
    """Axis of the offsets that points up; x points to a side."""
    scale_pair: tuple[int, int] | None = None
    """Two points (rows) whose distance measures size; None: a left and a right joint, as near to a root as possible."""

    @property
    def moving_joints(self) -> tuple[int, ...]:
        """Joints whose positions are part of the motion, in the order of their rows."""
        moving = set(self.moving)
        return tuple(j for j, parent in enumerate(self.parents) if parent < 0 or j in moving)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        count = len(self.names)
        _check_tree("joints", self.names, self.parents)
        if len(self.offsets) != count:
            raise SpecError("joints spec", f"{count} offsets, one per joint", str(len(self.offsets)))
        if invalid := [j for j in (*self.moving, *(end.joint for end in self.ends)) if not 0 <= j < count]:
            raise SpecError("joints spec", f"moving joints and joints of ends in 0..{count - 1}", str(invalid[0]))
        # The default pair depends on the built skeleton; here any valid pair stands for it.
        _check_points("joints", len(self.moving_joints) + count, 6, (), self.scale_pair or (0, 1))
        return self

    def build(self, context: BuildContext | None = None) -> Representation:
        """Build the representation.

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
        raise SpecError(f"{name} spec", f"{count} parents, each before its joint or -1", short_repr(parents))


def _check_points(
    name: str, points: int, dims: int, rest: tuple[tuple[float, ...], ...], scale_pair: tuple[int, int]
) -> None:
    if points > limit(POINTS):
        raise SpecError(f"{name} spec", f"at most {limit(POINTS):,} points", f"{points:,}", remedy())
    if rest and (len(rest) != points or any(len(row) != dims for row in rest)):
        raise SpecError(f"{name} spec", f"rest with {points} rows of {dims} numbers", f"{len(rest)} rows")
    if scale_pair[0] == scale_pair[1] or not all(0 <= point < points for point in scale_pair):
        raise SpecError(f"{name} spec", f"scale_pair of two points in 0..{points - 1}", repr(scale_pair))


def _is_mirror(mirror: tuple[int, ...], points: int) -> bool:
    """Return whether a tuple is a permutation that is its own inverse."""
    return sorted(mirror) == list(range(points)) and all(mirror[mirror[point]] == point for point in range(points))
