"""Blend shapes as the app Live Link Face sends them, which Unreal Engine's Live Link plugin for ARKit reads.

A packet is big-endian: version (1 byte, 6), device and subject (length in 4 bytes and UTF-8 each), the frame's number,
its fraction and its rate as numerator and denominator (4 bytes each), the count of values (1 byte, 61) and the values
as 4-byte floats: 52 blend shapes in ARKit's order, then yaw, pitch and roll of the head and of both eyes.
"""

from __future__ import annotations

import struct
from fractions import Fraction

from ..core.motion import Motion
from ..export.live_link import ANGLES, SHAPES
from .arkit_frames import arkit_frames
from .udp_target import UdpTarget

LIVE_LINK_PORT = 11111
"""Port on which Unreal Engine listens by default."""
VERSION = 6
DEVICE = "00000000-0000-4000-8000-686561646d6f"
"""Identity of the sending device; the engine distinguishes devices by it."""
_SWAPPED = {"JawRight": "JawLeft", "JawLeft": "JawRight", "MouthRight": "MouthLeft", "MouthLeft": "MouthRight"}
PACKET_SHAPES = tuple(_SWAPPED.get(name, name) for name in SHAPES)
"""Blend shapes in the order of packets, in which left precedes right, unlike in the app's files."""


class LiveLinkSender:
    """Sends each frame as one UDP packet. Angles of head and eyes are 0, because blend shapes have none.

    Args:
        host: address of the computer with the engine.
        port: its UDP port.
        subject: name under which the engine lists the face.

    Raises:
        HeadmotionError: the address is invalid.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = LIVE_LINK_PORT, subject: str = "headmotion") -> None:
        self._target, self._subject = UdpTarget("live link", host, port), subject

    def send(self, frame: Motion, time: Fraction) -> None:
        """Send one frame, shown ``time`` seconds after the first.

        Raises:
            MotionError: no converter leads from the motion to blend shapes.
        """
        for weights in arkit_frames(frame):
            self._target.send(packet(weights, time, frame.fps, self._subject))

    def close(self) -> None:
        """Send no more."""
        self._target.close()


def packet(weights: dict[str, float], time: Fraction, fps: Fraction, subject: str) -> bytes:
    """Return the packet of one frame.

    Args:
        weights: by ARKit's names; those that are missing are 0.
        time: since the first frame (seconds).
        fps: frames per second.
        subject: name of the face.
    """
    by_name = {name.lower(): weight for name, weight in weights.items()}
    values = [by_name.get(name.lower(), 0.0) for name in PACKET_SHAPES] + [0.0] * len(ANGLES)
    number, fraction = divmod(time * fps, 1)
    names = b"".join(struct.pack("!i", len(name)) + name for name in (DEVICE.encode(), subject.encode()))
    stamp = struct.pack("!ifii", int(number), float(fraction), fps.numerator, fps.denominator)
    return bytes([VERSION]) + names + stamp + struct.pack(f"!B{len(values)}f", len(values), *values)
