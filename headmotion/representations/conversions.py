"""Motions of one representation as motions of another: what `converters` names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from torch import Tensor

from ..core.errors import MotionError
from ..core.interfaces.representation import Representation
from ..core.interfaces.specs import RepresentationSpec, resolve_spec
from ..core.motion import Motion
from .blendshape_landmarks import estimated, raised
from .joints import Joints
from .mesh478 import IBUG
from .specs import BlendshapesSpec, JointPositionsSpec, Landmarks68Spec, Landmarks683DSpec


def to_plane(motion: Motion) -> Motion:
    """Points of three numbers as points of two: orthographic projection."""
    return _mapped(motion, {**_fields(motion), "dims": 2}, lambda poses: poses[..., :2])


def to_landmarks68(motion: Motion) -> Motion:
    """68 landmarks with depth without it."""
    return _mapped(motion, Landmarks68Spec(), lambda poses: poses[..., :2])


def to_landmarks68_3d(motion: Motion) -> Motion:
    """`landmarks68` with ``dims`` 3 under the name that says so.

    Raises:
        MotionError: the landmarks have no depth.
    """
    _with_depth(motion)
    return _mapped(motion, Landmarks683DSpec(), lambda poses: poses)


def mesh_to_landmarks68(motion: Motion) -> Motion:
    """The 68 of 478 points that stand for landmarks, in the plane."""
    return _mapped(motion, Landmarks68Spec(), lambda poses: poses[..., list(IBUG), :2])


def mesh_to_landmarks68_3d(motion: Motion) -> Motion:
    """The 68 of 478 points that stand for landmarks, with depth.

    Raises:
        MotionError: the mesh has no depth.
    """
    _with_depth(motion)
    return _mapped(motion, Landmarks683DSpec(), lambda poses: poses[..., list(IBUG), :])


def without_jacobians(motion: Motion) -> Motion:
    """The positions of keypoints alone."""
    fields = _fields(motion)
    rest = [row[:2] for row in fields.get("rest") or ()]
    return _mapped(motion, {**fields, "jacobians": False, "rest": rest}, lambda poses: poses[..., :2])


def to_positions(motion: Motion) -> Motion:
    """Where the joints of a skeleton are, and after them the end sites, which are named after their joints."""
    joints = cast("Joints", representation_of(motion))
    spec, count = joints.spec, len(joints.spec.names)
    names, parents = list(spec.names), list(spec.parents)
    for end in spec.ends:
        at = sum(parent == end.joint for parent in parents[count:])
        names.append(f"{spec.names[end.joint]}.end{at or ''}")
        parents.append(end.joint)
    rest = joints.places(joints.neutral()).tolist()
    pair = [joints.places_of[row] for row in joints.scale_pair]
    described = {"names": names, "parents": parents, "scale_pair": pair, "rest": rest}
    return _mapped(motion, JointPositionsSpec.model_validate(described), joints.places)


def to_blendshapes(motion: Motion) -> Motion:
    """What distances of landmarks say of ARKit's shapes; at rest is the reference, or the first frame."""
    rest = motion.values[0] if motion.reference is None and len(motion) else motion.reference
    if rest is None:
        rest = representation_of(motion).neutral()
    return _mapped(motion, BlendshapesSpec(), lambda poses: estimated(poses[..., :2], rest[..., :2]))


def from_blendshapes(motion: Motion) -> Motion:
    """The neutral face of `landmarks68` moved by a small linear basis, in the motion's frame, looking ahead."""
    face = Landmarks68Spec().build()

    def placed(poses: Tensor) -> Tensor:
        moved = raised(poses[..., 0], face.neutral().to(poses))
        return moved if motion.units == "unit" or motion.frame is None else face.denormalize(moved, motion.frame)

    return _mapped(motion, Landmarks68Spec(), placed)


def representation_of(motion: Motion) -> Representation:
    """What a motion is of, built, once its values are known to fit.

    Raises:
        MotionError: values of another shape.
    """
    spec = resolve_spec("representation", dict(motion.representation))
    built = spec.build()
    if motion.values.shape[1:] != (built.points, built.dims):
        got = f"the shape {list(motion.values.shape)}"
        raise MotionError(f"motion of {built.name}", f"values [T, {built.points}, {built.dims}]", got)
    return built


def _mapped(motion: Motion, target: RepresentationSpec | dict[str, Any], poses: Callable[[Tensor], Tensor]) -> Motion:
    """The motion with values and reference mapped."""
    representation_of(motion)
    described = target if isinstance(target, dict) else target.model_dump(mode="json")
    reference = None if motion.reference is None else poses(motion.reference)
    return replace(motion, values=poses(motion.values), reference=reference, representation=described)


def _fields(motion: Motion) -> dict[str, Any]:
    rest = [row[:2] for row in motion.representation.get("rest") or ()]
    return dict(motion.representation) | ({"rest": rest} if rest else {})


def _with_depth(motion: Motion) -> None:
    if motion.values.shape[2] != 3:
        got = f"{motion.values.shape[2]} numbers per point"
        raise MotionError(f"motion of {motion.representation.get('type')}", "points with depth", got)
