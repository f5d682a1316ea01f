"""Controls: common edits of a motion, of a finished one or while it streams.

Each control has one name, used in two ways. With a motion the name edits it: ``scale_head(motion, 0.5)``. Without a
motion it makes the control, ``scale_head(0.5)``, for ``Pipeline.generate`` and ``Pipeline.stream``.
"""

from .blink import Blink
from .chain import ControlChain, chain_lookahead_ms
from .close_silence import CloseSilence
from .control import (
    Control,
    ControlContext,
    ControlFunction,
    FrameControl,
    MotionEdit,
    StreamingEdit,
    SupportsSnapshot,
    control_function,
)
from .group import ScaleGroup
from .head import HoldPose, LookAt, ScaleHead
from .limits import Limit
from .mouth import ScaleLips
from .offset_weights import OffsetWeights
from .options import from_options
from .smoothing import Smooth

scale_head = control_function(ScaleHead)
scale_lips = control_function(ScaleLips)
scale_group = control_function(ScaleGroup)
close_silence = control_function(CloseSilence)
smooth = control_function(Smooth)
blink = control_function(Blink)
look_at = control_function(LookAt)
hold_pose = control_function(HoldPose)
limit = control_function(Limit)
offset_weights = control_function(OffsetWeights)

__all__ = [
    "Blink",
    "CloseSilence",
    "Control",
    "ControlChain",
    "ControlContext",
    "ControlFunction",
    "FrameControl",
    "HoldPose",
    "Limit",
    "LookAt",
    "MotionEdit",
    "OffsetWeights",
    "ScaleGroup",
    "ScaleHead",
    "ScaleLips",
    "Smooth",
    "StreamingEdit",
    "SupportsSnapshot",
    "blink",
    "chain_lookahead_ms",
    "close_silence",
    "control_function",
    "from_options",
    "hold_pose",
    "limit",
    "look_at",
    "offset_weights",
    "scale_group",
    "scale_head",
    "scale_lips",
    "smooth",
]
