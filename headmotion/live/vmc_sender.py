"""Blend shapes by the VMC protocol, which VSeeFace, Warudo, VNyan and receivers for Unity, Unreal and Blender read.

It is OSC over UDP (https://protocol.vmc.info/english): ``/VMC/Ext/Blend/Val`` with a name and a weight for each blend
shape, ``/VMC/Ext/Blend/Apply`` to show them, ``/VMC/Ext/T`` with the time and ``/VMC/Ext/OK``. Names are ARKit's, as
models made for "perfect sync" have them.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ..core.lazy import import_optional
from ..core.motion import Motion
from .arkit_frames import arkit_frames
from .udp_target import UdpTarget

VMC_PORT = 39539
"""Port on which receivers of the protocol listen by default."""


class VmcSender:
    """Sends each frame as one OSC bundle, so that none is shown in part.

    Args:
        host: address of the receiver.
        port: its UDP port.

    Raises:
        HeadmotionError: the package python-osc is missing, or the address is invalid.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = VMC_PORT) -> None:
        package = "headmotion[live]", "vmc"
        bundles = import_optional("pythonosc.osc_bundle_builder", *package)
        messages = import_optional("pythonosc.osc_message_builder", *package)
        self._bundles = bundles
        self._new_message = messages.OscMessageBuilder
        self._target = UdpTarget("vmc", host, port)

    def send(self, frame: Motion, time: Fraction) -> None:
        """Send one frame, shown ``time`` seconds after the first.

        Raises:
            MotionError: no converter leads from the motion to blend shapes.
        """
        for weights in arkit_frames(frame):
            bundle = self._bundles.OscBundleBuilder(self._bundles.IMMEDIATELY)
            for name, weight in weights.items():
                bundle.add_content(self._message("/VMC/Ext/Blend/Val", name, weight))
            bundle.add_content(self._message("/VMC/Ext/Blend/Apply"))
            bundle.add_content(self._message("/VMC/Ext/T", float(time)))
            bundle.add_content(self._message("/VMC/Ext/OK", 1))
            self._target.send(bundle.build().dgram)

    def close(self) -> None:
        """Send no more."""
        self._target.close()

    def _message(self, address: str, *arguments: str | float) -> Any:
        builder = self._new_message(address)
        for argument in arguments:
            builder.add_arg(argument, "f" if isinstance(argument, float) else None)
        return builder.build()
