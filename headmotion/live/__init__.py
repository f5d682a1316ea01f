"""A face that moves with live speech: from a microphone to a window, or to programs that animate characters."""

from .arkit_frames import arkit_frames
from .live_link_sender import LiveLinkSender
from .microphone import microphone
from .run_live import Sender, run_live
from .vmc_sender import VmcSender
from .window import Window, WindowClosed

__all__ = [
    "LiveLinkSender",
    "Sender",
    "VmcSender",
    "Window",
    "WindowClosed",
    "arkit_frames",
    "microphone",
    "run_live",
]
