"""The 52 blend shapes of ARKit's face tracking (Apple, ARFaceAnchor.BlendShapeLocation), drawn as bars.

Left and right are the person's own.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..core.errors import MotionError
from ..core.interfaces.representation import Representation, UnitSquare
from .mirror_names import mirror_by_name
from .point_representation import checked_frame, checked_poses
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
"""Names of the blend shapes, in the order of Live Link Face's files."""

STEMS = {"lips": "mouth", "jaw": "jaw", "eyes": "eye", "brows": "brow", "nose": "nose", "cheeks": "cheek"}
"""Prefix of the names in each group; the group ``lips`` is the mouth's."""
COLUMNS, ROWS = 5, 4
"""Bars of one side. Those that belong to both sides form one column between the sides."""
TOP, BOTTOM, EDGE, INNER = 0.32, 0.68, 0.25, 0.45
"""Positions of the first and last row and of a side's outer and inner column, in the unit frame."""
BAR_HEIGHT = 0.85
"""Height of a bar at value 1, as a share of the distance between rows."""
OPENING_WIDTHS = 0.76
"""Opening of the mouth at ``jawOpen`` 1, in widths of it, as in `blendshape_landmarks`."""
PARTING = ("jawOpen", "mouthClose", "mouthFunnel", "mouthLowerDown", "mouthUpperUp")
"""Beginnings of the names of the shapes that part the lips, or undo that while the jaw is open."""


class Blendshapes(Representation):
    """52 blend shapes, one number each: 0 at rest, 1 at full strength.

    Values are no lengths: normalizing changes nothing, and a mirror only swaps the sides. They are drawn as bars in the
    unit frame, the person's left at the right; to draw a face, convert to `landmarks68`.
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
    edges = ()
    mirror = mirror_by_name(NAMES)
    # Values have no length to measure size by, but every representation names a pair.
    scale_pair = (0, mirror[0])
    drawing_edges = tuple((k, len(NAMES) + k) for k in range(len(NAMES)))

    def __init__(self, spec: BlendshapesSpec) -> None:
        super().__init__(spec)
        # Bars need the mirror of the class, so they cannot be computed in its body.
        self._feet, self._heights = _bars()

    def neutral(self) -> Tensor:
        """Return the resting pose ``[52, 1]``, all zeros."""
        return torch.zeros(self.points, 1)

    def frame_of(self, values: Tensor) -> UnitSquare:
        """Return the square 0..1 for any poses ``[..., 52, 1]``.

        Raises:
            MotionError: wrong number of shapes, none, or not finite.
        """
        poses = checked_poses(self, values, 1)[..., :1]
        if not poses.numel() or not bool(torch.isfinite(poses).all()):
            raise MotionError(self.name, "at least one pose of finite numbers", "none, or NaN or infinity")
        return UnitSquare(0.5, 0.5, 1.0)

    def normalize(self, values: Tensor, frame: UnitSquare) -> Tensor:
        """Return the values unchanged, ``[..., 52, 1]``; numbers beyond the first are dropped.

        Raises:
            MotionError: the values or the frame do not fit.
        """
        checked_frame(self.name, frame)
        return checked_poses(self, values, 1)[..., :1]

    def denormalize(self, values: Tensor, frame: UnitSquare) -> Tensor:
        """Return the values unchanged, ``[..., 52, 1]``.

        Raises:
            MotionError: the values or the frame do not fit.
        """
        return self.normalize(values, frame)

    def flip(self, values: Tensor) -> Tensor:
        """Return values ``[..., 52, 1]`` with left and right swapped."""
        return checked_poses(self, values, 1)[..., list(self.mirror), :1]

    def mouth_opening(self, pose: Tensor) -> float:
        """Return how far the mouth of a pose ``[52, 1]`` is open, in widths of it, as the jaw has it."""
        jaw, lips = (float(pose[NAMES.index(name), 0]) for name in ("jawOpen", "mouthClose"))
        return OPENING_WIDTHS * max(0.0, jaw - lips)

    def close_mouth(self, pose: Tensor) -> Tensor:
        """Return a pose ``[52, 1]`` without the shapes that part the lips."""
        closed = pose.clone()
        closed[[k for k, name in enumerate(NAMES) if name.startswith(PARTING)]] = 0.0
        return closed

    def to_points2d(self, values: Tensor) -> Tensor:
        """Return the upper ends of the bars, ``[..., 52, 2]``."""
        return self._bar_ends(checked_poses(self, values, 1)[..., 0])

    def to_drawing2d(self, values: Tensor) -> Tensor:
        """Return the upper ends of the bars, then the lower ends, ``[..., 104, 2]``."""
        tips = self.to_points2d(values)
        return torch.cat([tips, self._bar_ends(torch.zeros_like(tips[..., 0]))], dim=-2)

    def _bar_ends(self, values: Tensor) -> Tensor:
        rise = torch.stack([torch.zeros_like(values), -values * self._heights.to(values)], dim=-1)
        return self._feet.to(values) + rise


def _bars() -> tuple[Tensor, Tensor]:
    """Return the lower ends of the bars ``[52, 2]``, symmetric about x = 0.5, and their heights at value 1 ``[52]``."""
    feet, heights = torch.zeros(len(NAMES), 2), torch.zeros(len(NAMES))
    left = [k for k, name in enumerate(NAMES) if "Left" in name]
    both = [k for k, name in enumerate(NAMES) if Blendshapes.mirror[k] == k]
    for number, k in enumerate(left):
        x = EDGE + (INNER - EDGE) * (number % COLUMNS) / (COLUMNS - 1)
        y = TOP + (BOTTOM - TOP) * (number // COLUMNS) / (ROWS - 1)
        feet[k], feet[Blendshapes.mirror[k]] = torch.tensor([1 - x, y]), torch.tensor([x, y])
    heights[left] = heights[[Blendshapes.mirror[k] for k in left]] = BAR_HEIGHT * (BOTTOM - TOP) / (ROWS - 1)
    for number, k in enumerate(both):
        feet[k] = torch.tensor([0.5, TOP + (BOTTOM - TOP) * number / (len(both) - 1)])
    heights[both] = BAR_HEIGHT * (BOTTOM - TOP) / (len(both) - 1)
    return feet, heights
