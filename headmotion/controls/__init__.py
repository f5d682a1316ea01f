"""Controls: common edits of a motion, of a finished one or while it streams.

Each control has one name, used in two ways. With a motion the name edits it: ``scale_head(motion, 0.5)``. Without a
motion it makes the control, ``scale_head(0.5)``, for ``Pipeline.generate`` and ``Pipeline.stream``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..core.hookspecs import hookimpl
from ..core.lazy import lazy_names
from ..core.spec import Spec

if TYPE_CHECKING:
    from .blinks import Blink as Blink
    from .chain import ControlChain as ControlChain
    from .chain import chain_lookahead_ms as chain_lookahead_ms
    from .control import Control as Control
    from .control import ControlContext as ControlContext
    from .control import ControlFunction as ControlFunction
    from .control import FrameControl as FrameControl
    from .control import MotionEdit as MotionEdit
    from .control import StreamingEdit as StreamingEdit
    from .control import SupportsSnapshot as SupportsSnapshot
    from .control import control_function as control_function
    from .functions import blink as blink
    from .functions import blink_at_pauses as blink_at_pauses
    from .functions import close_silence as close_silence
    from .functions import hold_pose as hold_pose
    from .functions import limit as limit
    from .functions import look_at as look_at
    from .functions import offset_mouth as offset_mouth
    from .functions import offset_weights as offset_weights
    from .functions import saccade as saccade
    from .functions import scale_group as scale_group
    from .functions import scale_head as scale_head
    from .functions import scale_lips as scale_lips
    from .functions import smooth as smooth
    from .group import ScaleGroup as ScaleGroup
    from .head import HoldPose as HoldPose
    from .head import LookAt as LookAt
    from .head import ScaleHead as ScaleHead
    from .limits import Limit as Limit
    from .mouth import ScaleLips as ScaleLips
    from .mouth_offset import OffsetMouth as OffsetMouth
    from .options import from_options as from_options
    from .pause_blinks import BlinkAtPauses as BlinkAtPauses
    from .saccades import Saccade as Saccade
    from .silent_mouth import CloseSilence as CloseSilence
    from .smoothing import Smooth as Smooth
    from .weight_offset import OffsetWeights as OffsetWeights

_HOMES = {
    "blinks": "Blink",
    "chain": "ControlChain chain_lookahead_ms",
    "control": "Control ControlContext ControlFunction FrameControl MotionEdit StreamingEdit SupportsSnapshot"
    " control_function",
    "functions": "blink blink_at_pauses close_silence hold_pose limit look_at offset_mouth offset_weights saccade"
    " scale_group scale_head scale_lips smooth",
    "group": "ScaleGroup",
    "head": "HoldPose LookAt ScaleHead",
    "limits": "Limit",
    "mouth": "ScaleLips",
    "mouth_offset": "OffsetMouth",
    "options": "from_options",
    "pause_blinks": "BlinkAtPauses",
    "saccades": "Saccade",
    "silent_mouth": "CloseSilence",
    "smoothing": "Smooth",
    "weight_offset": "OffsetWeights",
}
"""Public names by the module that defines them. No module has the name of a control, which it would hide."""
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME_OF)  # pyright: ignore[reportUnsupportedDunderAll]

__getattr__, __dir__ = lazy_names(__name__, _HOME_OF)


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """Return the specs of the controls."""
    from . import specs

    return (
        specs.ScaleHeadSpec,
        specs.HoldPoseSpec,
        specs.LookAtSpec,
        specs.ScaleLipsSpec,
        specs.OffsetMouthSpec,
        specs.CloseSilenceSpec,
        specs.ScaleGroupSpec,
        specs.OffsetWeightsSpec,
        specs.SmoothSpec,
        specs.BlinkSpec,
        specs.BlinkAtPausesSpec,
        specs.SaccadeSpec,
        specs.LimitSpec,
    )
