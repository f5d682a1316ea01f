"""Controls: edits of a motion that people ask for, whole or while it streams.

Each has one name, used in two ways. With a motion it edits it, ``scale_head(motion, 0.5)``; without one it makes the
control, ``scale_head(0.5)``, for ``Pipeline.generate`` and ``Pipeline.stream``.
"""

from .blink import Blink
from .chain import Chain, chain_lookahead_ms
from .close_silence import CloseSilence
from .control import Control, Edit, FrameControl, Setting, Step, Verb, verb
from .head import HoldPose, LookAt, ScaleHead
from .limits import Limit
from .lips import ScaleLips
from .options import from_options
from .smoothing import Smooth

scale_head = verb(ScaleHead)
scale_lips = verb(ScaleLips)
close_silence = verb(CloseSilence)
smooth = verb(Smooth)
blink = verb(Blink)
look_at = verb(LookAt)
hold_pose = verb(HoldPose)
limit = verb(Limit)

__all__ = [
    "Blink",
    "Chain",
    "CloseSilence",
    "Control",
    "Edit",
    "FrameControl",
    "HoldPose",
    "Limit",
    "LookAt",
    "ScaleHead",
    "ScaleLips",
    "Setting",
    "Smooth",
    "Step",
    "Verb",
    "blink",
    "chain_lookahead_ms",
    "close_silence",
    "from_options",
    "hold_pose",
    "limit",
    "look_at",
    "scale_head",
    "scale_lips",
    "smooth",
    "verb",
]
