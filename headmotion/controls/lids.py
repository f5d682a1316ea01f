"""Lids that close, in representations with the openings of the eyes or with shapes of closed lids."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from ..core.errors import MotionError
from .control import ControlContext

CLOSURE = 0.95
"""Share of the way to the lower lid that the upper lid moves. The remaining gap preserves the outline of the eye."""
SHAPES = ("eyeBlinkLeft", "eyeBlinkRight")
"""Names of ARKit's blend shapes of closed lids."""

LidEdit = Callable[[Tensor, Tensor], Tensor]
"""Closes the eyes of frames ``[t, P, D]`` by shares ``[t]``, 0..1, and returns new frames."""


def lid_edit(context: ControlContext, control: str) -> LidEdit:
    """Return what closes the eyes of a representation.

    Args:
        context: has the representation.
        control: name of the control, for the error.

    Raises:
        MotionError: a representation without openings of eyes and shapes of closed lids.
    """
    representation = context.representation
    if eyes := [name for name in representation.openings if name.endswith("eye")]:
        upper, lower = zip(*context.pairs(control, *eyes), strict=True)
        return _point_edit(list(upper), list(lower))
    names = representation.point_names
    if representation.dims == 1 and set(SHAPES) <= set(names):
        return _shape_edit([names.index(name) for name in SHAPES])
    expected = f"a representation with the openings 'left_eye' and 'right_eye', or with the shapes {', '.join(SHAPES)}"
    raise MotionError(control, expected, f"{representation.name} with {', '.join(representation.openings) or 'none'}")


def _point_edit(upper: list[int], lower: list[int]) -> LidEdit:
    def edit(frames: Tensor, amounts: Tensor) -> Tensor:
        edited, shares = frames.clone(), CLOSURE * amounts.to(frames.dtype)[:, None, None]
        edited[:, upper] += shares * (frames[:, lower] - frames[:, upper])
        return edited

    return edit


def _shape_edit(shapes: list[int]) -> LidEdit:
    def edit(frames: Tensor, amounts: Tensor) -> Tensor:
        edited, shares = frames.clone(), amounts.to(frames.dtype)[:, None, None]
        # Weights that are beyond 1 stay where they are.
        edited[:, shapes] += shares * (1 - frames[:, shapes]).clamp(min=0)
        return edited

    return edit
