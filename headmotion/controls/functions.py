"""The controls by one name each: with a motion the name edits it, without one it makes the control."""

from __future__ import annotations

from .blinks import Blink
from .control import control_function
from .group import ScaleGroup
from .head import HoldPose, LookAt, ScaleHead
from .limits import Limit
from .mouth import ScaleLips
from .mouth_offset import OffsetMouth
from .pause_blinks import BlinkAtPauses
from .saccades import Saccade
from .silent_mouth import CloseSilence
from .smoothing import Smooth
from .weight_offset import OffsetWeights

scale_head = control_function(ScaleHead)
scale_lips = control_function(ScaleLips)
scale_group = control_function(ScaleGroup)
close_silence = control_function(CloseSilence)
smooth = control_function(Smooth)
blink = control_function(Blink)
blink_at_pauses = control_function(BlinkAtPauses)
saccade = control_function(Saccade)
look_at = control_function(LookAt)
hold_pose = control_function(HoldPose)
limit = control_function(Limit)
offset_mouth = control_function(OffsetMouth)
offset_weights = control_function(OffsetWeights)
