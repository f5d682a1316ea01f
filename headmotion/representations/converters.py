"""Converters between headmotion's representations.

Reading the list of converters needs no torch; each conversion imports what it needs when it is called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from ..core.errors import MotionError
from ..core.interfaces.converter import Converter
from ..core.interfaces.specs import RepresentationSpec
from .specs import BlendshapesSpec, JointPositionsSpec, Landmarks68Spec, Landmarks683DSpec

if TYPE_CHECKING:
    from torch import Tensor

    from ..core.interfaces.representation import Representation
    from ..core.motion import Motion
    from .joints import Joints


def to_plane(motion: Motion, target: Representation | None = None) -> Motion:
    """Project points with x, y and depth orthographically to x and y."""
    return _map_values(motion, {**_fields(motion), "dims": 2}, lambda values: values[..., :2])


def to_landmarks68(motion: Motion, target: Representation | None = None) -> Motion:
    """Drop the depth of `landmarks68-3d`."""
    return _map_values(motion, Landmarks68Spec(), lambda values: values[..., :2])


def to_landmarks68_3d(motion: Motion, target: Representation | None = None) -> Motion:
    """Rename `landmarks68` with ``dims`` 3 to `landmarks68-3d`.

    Raises:
        MotionError: the landmarks have no depth.
    """
    _check_depth(motion)
    return _map_values(motion, Landmarks683DSpec(), lambda values: values)


def mesh_to_landmarks68(motion: Motion, target: Representation | None = None) -> Motion:
    """Select the 68 of 478 points that are landmarks, without depth."""
    from .mesh478 import IBUG

    return _map_values(motion, Landmarks68Spec(), lambda values: values[..., list(IBUG), :2])


def mesh_to_landmarks68_3d(motion: Motion, target: Representation | None = None) -> Motion:
    """Select the 68 of 478 points that are landmarks, with depth.

    Raises:
        MotionError: the mesh has no depth.
    """
    from .mesh478 import IBUG

    _check_depth(motion)
    return _map_values(motion, Landmarks683DSpec(), lambda values: values[..., list(IBUG), :])


def without_jacobians(motion: Motion, target: Representation | None = None) -> Motion:
    """Drop the Jacobians of keypoints."""
    fields = _fields(motion)
    described = {**fields, "jacobians": False, "rest": fields.get("rest") or []}
    return _map_values(motion, described, lambda values: values[..., :2])


def to_joint_positions(motion: Motion, target: Representation | None = None) -> Motion:
    """Compute positions of joints and, after them, of end sites, which are named after their joints."""
    joints = cast("Joints", representation_of(motion))
    spec, count = joints.spec, len(joints.spec.names)
    names, parents = list(spec.names), list(spec.parents)
    for end in spec.ends:
        # A joint may have several end sites: "hand.end", "hand.end1", "hand.end2".
        number = sum(parent == end.joint for parent in parents[count:])
        names.append(f"{spec.names[end.joint]}.end{number or ''}")
        parents.append(end.joint)
    described = {
        "names": names,
        "parents": parents,
        "scale_pair": [joints.joint_of_row[row] for row in joints.scale_pair],
        "rest": joints.positions(joints.neutral()).tolist(),
    }
    return _map_values(motion, JointPositionsSpec.model_validate(described), joints.positions)


def to_blendshapes(motion: Motion, target: Representation | None = None) -> Motion:
    """Estimate ARKit's blend shapes from distances of landmarks, relative to the reference or the first frame."""
    from .blendshape_landmarks import landmarks_to_blendshapes

    # Without a reference the first frame is the best guess of the person's own resting face.
    resting_pose = motion.values[0] if motion.reference is None and len(motion) else motion.reference
    if resting_pose is None:
        resting_pose = representation_of(motion).neutral()
    plane = resting_pose[..., :2]
    return _map_values(motion, BlendshapesSpec(), lambda values: landmarks_to_blendshapes(values[..., :2], plane))


def from_blendshapes(motion: Motion, target: Representation | None = None) -> Motion:
    """Deform the neutral face of `landmarks68` by a small linear basis, frontal, in the motion's square."""
    from .blendshape_landmarks import blendshapes_to_landmarks

    face = Landmarks68Spec().build()

    def deform(values: Tensor) -> Tensor:
        landmarks = blendshapes_to_landmarks(values[..., 0], face.neutral().to(values))
        if motion.units == "unit" or motion.frame is None:
            return landmarks
        return face.denormalize(landmarks, motion.frame)

    return _map_values(motion, Landmarks68Spec(), deform)


ESTIMATED = "all but jawOpen, mouthPucker, mouthStretch and eyeBlink, which are estimated from distances"
CONVERTERS = (
    Converter("landmarks68", "landmarks68", to_plane, "depth"),
    Converter("landmarks68", "landmarks68-3d", to_landmarks68_3d),
    Converter("landmarks68", "blendshapes", to_blendshapes, ESTIMATED, framewise=False),
    Converter("landmarks68-3d", "landmarks68", to_landmarks68, "depth"),
    Converter("mesh478", "mesh478", to_plane, "depth"),
    Converter("mesh478", "landmarks68", mesh_to_landmarks68, "depth and all points but 68"),
    Converter("mesh478", "landmarks68-3d", mesh_to_landmarks68_3d, "all points but 68"),
    Converter("blendshapes", "landmarks68", from_blendshapes, "identity, gaze, cheeks, nose and tongue"),
    Converter("keypoints", "keypoints", without_jacobians, "Jacobians"),
    Converter("joints", "joint-positions", to_joint_positions, "the turn of each bone about itself"),
    Converter("joint-positions", "joint-positions", to_plane, "depth"),
)
"""All converters of headmotion."""


def representation_of(motion: Motion) -> Representation:
    """Build the representation of a motion and check that its values fit.

    Raises:
        MotionError: values of another shape.
    """
    representation = motion.build_representation()
    if motion.values.shape[1:] != (representation.points, representation.dims):
        expected = f"values [T, {representation.points}, {representation.dims}]"
        raise MotionError(f"motion of {representation.name}", expected, f"the shape {list(motion.values.shape)}")
    return representation


def _map_values(
    motion: Motion, target: RepresentationSpec | dict[str, Any], convert: Callable[[Tensor], Tensor]
) -> Motion:
    """Convert the values ``[T, P, D]`` and the reference ``[P, D]`` of a motion."""
    representation_of(motion)
    described = target if isinstance(target, dict) else target.model_dump(mode="json")
    reference = None if motion.reference is None else convert(motion.reference)
    return replace(motion, values=convert(motion.values), reference=reference, representation=described)


def _fields(motion: Motion) -> dict[str, Any]:
    """Return the fields of the motion's spec, with x and y only of its resting pose, if it has one."""
    resting_pose = [row[:2] for row in motion.representation.get("rest") or ()]
    return dict(motion.representation) | ({"rest": resting_pose} if resting_pose else {})


def _check_depth(motion: Motion) -> None:
    if motion.values.shape[2] != 3:
        got = f"{motion.values.shape[2]} numbers per point"
        remedy = "generate, detect or prepare it as landmarks68-3d: no converter finds depth"
        raise MotionError(f"motion of {motion.representation.get('type')}", "points with depth", got, remedy)
