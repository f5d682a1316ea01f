"""Messages of motion: frames with exact time stamps, as compact bytes or as JSON. Importing this needs no torch."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..core.errors import ServingError

HEADER = struct.Struct("<2sBBIQIIQII")
"""Magic, version, kind, frames, first frame, numerator and denominator of the rate, samples, points, dims: 40 bytes."""
MAGIC, VERSION, MOTION = b"hm", 1, 1

Values = NDArray[np.float32]
"""Frames ``[T, P, D]``."""


@dataclass(frozen=True)
class MotionMessage:
    """Consecutive frames of a session; frame ``k`` of it lies at ``k / fps`` seconds."""

    values: Values
    """Frames ``[T, P, D]``; without any the message only confirms samples."""
    first: int
    """Number of the first frame, from 0 at the beginning of the session."""
    fps: Fraction
    """Frames per second."""
    samples: int
    """Samples per channel that the server has processed."""

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.values)

    @property
    def end(self) -> int:
        """Number of the frame after the last."""
        return self.first + len(self.values)

    def times(self) -> list[Fraction]:
        """Return the exact time of each frame (seconds)."""
        return [k / self.fps for k in range(self.first, self.end)]

    def to_bytes(self) -> bytes:
        """Return the message as a header of 40 bytes and ``float32`` values, little endian."""
        frames, points, dims = self.values.shape
        rate = (self.fps.numerator, self.fps.denominator)
        header = HEADER.pack(MAGIC, VERSION, MOTION, frames, self.first, *rate, self.samples, points, dims)
        return header + np.ascontiguousarray(self.values, "<f4").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` returned.

        Raises:
            ServingError: anything else.
        """
        if len(data) >= HEADER.size:
            magic, version, kind, frames, first, numerator, denominator, samples, points, dims = HEADER.unpack_from(
                data
            )
            known = (magic, version, kind) == (MAGIC, VERSION, MOTION) and numerator and denominator
            if known and len(data) == HEADER.size + 4 * frames * points * dims:
                values = np.frombuffer(data, "<f4", offset=HEADER.size).reshape(frames, points, dims)
                return cls(values, first, Fraction(numerator, denominator), samples)
        raise ServingError("client", "a message of motion", f"{len(data)} other bytes", "use a server of this version")

    def to_json(self) -> str:
        """Return the message as a JSON object."""
        time = str(self.first / self.fps)
        fields = {"type": "motion", "first": self.first, "time": time, "fps": str(self.fps), "samples": self.samples}
        # Nine digits are enough to read a float32 back to the last bit.
        return json.dumps(fields | {"values": [[[float(f"{x:.9g}") for x in p] for p in f] for f in self.values]})

    @classmethod
    def from_json(cls, fields: dict[str, Any], points: int, dims: int) -> Self:
        """Read what `to_json` returned, as a parsed object.

        Args:
            fields: the object.
            points: points per frame, for a message without frames.
            dims: numbers per point.

        Raises:
            ServingError: anything else.
        """
        try:
            values = np.array(fields["values"], np.float32).reshape(-1, points, dims)
            return cls(values, int(fields["first"]), Fraction(fields["fps"]), int(fields["samples"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ServingError("client", "a message of motion", f"another one ({error})") from None
