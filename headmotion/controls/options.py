"""Controls by option name and number, as on a command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.interfaces.specs import ControlSpec, resolve_spec
from .blinks import Blink
from .control import Control
from .head import HoldPose, LookAt, ScaleHead
from .limits import Limit
from .mouth import ScaleLips
from .mouth_offset import OffsetMouth
from .silent_mouth import CloseSilence
from .smoothing import Smooth
from .weight_offset import OffsetWeights


def from_options(
    *,
    smooth: float | None = None,
    lips: float | None = None,
    close_silence: bool = False,
    head: float | None = None,
    hold_pose: bool = False,
    look_at: tuple[float, float] | None = None,
    limit: bool = False,
    blink: float | None = None,
    opening: float | Sequence[float] | None = None,
    weights: Mapping[str, float | Sequence[float]] | None = None,
    more: Sequence[ControlSpec | Mapping[str, Any] | str] = (),
    seed: int = 0,
) -> list[Control]:
    """Return the requested controls in a suitable order: jitter first, then lips, head and limits, and blinks last.

    Args:
        smooth: window of `Smooth` (ms).
        lips: gain of `ScaleLips`.
        close_silence: whether to close the mouth in silence.
        head: amount of `ScaleHead`.
        hold_pose: whether to hold the head exactly still.
        look_at: yaw and pitch of `LookAt` (degrees).
        limit: whether to apply `Limit` with its defaults.
        blink: rate of `Blink` (per minute).
        opening: change of `OffsetMouth`.
        weights: changes of `OffsetWeights`, by name.
        more: specs of further controls, such as those of plugins, which come last.
        seed: of the blinks.

    Raises:
        SpecError: a number out of range, or an unknown control.
    """
    # Smoothing after the blinks would blur them; limits after the head's controls bound their result.
    controls: list[Control | None] = [
        None if smooth is None else Smooth(smooth),
        None if lips is None else ScaleLips(lips),
        None if opening is None else OffsetMouth(opening),
        OffsetWeights(weights) if weights else None,
        CloseSilence() if close_silence else None,
        None if head is None else ScaleHead(head),
        HoldPose() if hold_pose else None,
        None if look_at is None else LookAt(*look_at),
        Limit() if limit else None,
        None if blink is None else Blink(blink, seed),
    ]
    further = [spec if isinstance(spec, ControlSpec) else resolve_spec("control", _fields(spec)) for spec in more]
    return [*(control for control in controls if control is not None), *(spec.build() for spec in further)]


def _fields(spec: Mapping[str, Any] | str) -> dict[str, Any] | str:
    return spec if isinstance(spec, str) else dict(spec)
