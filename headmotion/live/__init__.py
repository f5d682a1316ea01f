"""A face that moves while somebody speaks: from a microphone to programs that animate characters."""

from .arkit_frames import arkit_frames
from .live_link_sender import LiveLinkSender
from .microphone import microphone
from .run_live import Sender, run_live
from .vmc_sender import VmcSender

__all__ = ["LiveLinkSender", "Sender", "VmcSender", "arkit_frames", "microphone", "run_live"]
