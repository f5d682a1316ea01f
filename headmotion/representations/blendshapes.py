"""The 52 blend shapes of ARKit's face tracking (Apple, ARFaceAnchor.BlendShapeLocation): how far each is raised.

Left and right are the person's own.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..core.errors import MotionError
from ..core.representation import Frame, Representation
from .geometry import checked_frame, checked_poses
from .sides import mirror_by_name
from .specs import BlendshapesSpec

NAMES = (
    *("eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft"),
    *("eyeSquintLeft", "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight"),
    *("eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight", "eyeWideRight", "jawForward", "jawLeft"),
    *("jawRight", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft"),
    *("mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight", "mouthRollLower", "mouthRollUpper"),
    *("mouthShrugLower", "mouthShrugUpper", "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft"),
    *("mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft", "browDownRight"),
    *("browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft"),
    *("cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut"),
)
"""In the order of Live Link Face's files."""

STEMS = {"lips": "mouth", "jaw": "jaw", "eyes": "eye", "brows": "brow", "nose": "nose", "cheeks": "cheek"}
"""How the names of a group begin; the group ``lips`` is the mouth's."""
COLUMNS, ROWS = 13, 4
FOOT, HEIGHT = 0.92, 0.8
"""Where a bar of the drawing begins, and how high it is at 1, in parts of its row."""


class Blendshapes(Representation):
    """52 values, one number each, 0 at rest and 1 where a shape is raised to the full.

    Values are no lengths: normalizing changes nothing, and a mirror only swaps the sides. They are drawn as bars, four
    rows of thirteen in the unit frame; a face is drawn by converting to `landmarks68`.
    """

    name = "blendshapes"
    points = len(NAMES)
    dims = 1
    point_names = NAMES
    contours = {}  # noqa: RUF012
    openings = {}  # noqa: RUF012
    groups = {  # noqa: RUF012
        group: tuple(k for k, name in enumerate(NAMES) if name.startswith(stem)) for group, stem in STEMS.items()
    }
    scale_pair = (0, COLUMNS - 1)
    edges = ()
    mirror = mirror_by_name(NAMES)
    drawing_edges = tuple((k, len(NAMES) + k) for k in range(len(NAMES)))

    def __init__(self, spec: BlendshapesSpec) -> None:
        super().__init__(spec)

    def neutral(self) -> Tensor:
        """Nothing raised, ``[52, 1]``."""
        return torch.zeros(self.points, 1)

    def frame_of(self, values: Tensor) -> Frame:
        """The unit square, whatever the poses ``[..., 52, 1]``.

        Raises:
            MotionError: wrong number of shapes, none, or not finite.
        """
        poses = checked_poses(self, values, 1)[..., :1]
        if not poses.numel() or not bool(torch.isfinite(poses).all()):
            raise MotionError(self.name, "at least one pose of finite numbers", "none, or NaN or infinity")
        return Frame(0.5, 0.5, 1.0)

    def normalize(self, values: Tensor, frame: Frame) -> Tensor:
        """The values themselves ``[..., 52, 1]``; numbers beyond the first are dropped.

        Raises:
            MotionError: the values or the frame do not fit.
        """
        checked_frame(self.name, frame)
        return checked_poses(self, values, 1)[..., :1]

    def denormalize(self, values: Tensor, frame: Frame) -> Tensor:
        """The values themselves ``[..., 52, 1]``.

        Raises:
            MotionError: the values or the frame do not fit.
        """
        return self.normalize(values, frame)

    def flip(self, values: Tensor) -> Tensor:
        """The sides swapped, ``[..., 52, 1]``."""
        return checked_poses(self, values, 1)[..., list(self.mirror), :1]

    def to_points2d(self, values: Tensor) -> Tensor:
        """The upper ends of the bars, ``[..., 52, 2]``."""
        return self._at(checked_poses(self, values, 1)[..., 0])

    def to_drawing2d(self, values: Tensor) -> Tensor:
        """The upper ends of the bars, then the lower ones, ``[..., 104, 2]``."""
        tips = self.to_points2d(values)
        return torch.cat([tips, self._at(torch.zeros_like(tips[..., 0]))], dim=-2)

    def _at(self, heights: Tensor) -> Tensor:
        index = torch.arange(self.points, device=heights.device)
        x = ((index % COLUMNS + 0.5) / COLUMNS).to(heights).expand_as(heights)
        return torch.stack([x, (index // COLUMNS + FOOT - HEIGHT * heights) / ROWS], dim=-1)
