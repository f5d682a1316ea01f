"""One clip of a corpus, as it is given to whatever makes motion."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ..core.errors import CorpusError
from ..core.interfaces.representation import Representation, UnitSquare
from ..core.motion import Motion
from ..data.clip import SAMPLE_RATE, Clip
from ..media.audio import Audio, Wave


@dataclass(frozen=True, eq=False)
class Case:
    """Speech, the pose before it, and the motion that belongs to it."""

    number: int
    """Place among the clips that are evaluated."""
    name: str
    """The clip's id."""
    real: Motion
    """In pixels."""
    speech: Wave
    """``[S]`` at 16 kHz."""
    frame: UnitSquare
    """The unit frame of the first pose."""

    @classmethod
    def of(cls, clip: Clip, number: int, representation: Representation) -> Case:
        """A clip in a representation, which drops a depth that it does not know.

        Raises:
            CorpusError: the landmarks are of another representation.
            MotionError: all points of the first pose fall together.
        """
        points, dims = representation.points, representation.dims
        if clip.landmarks.shape[1] != points or clip.landmarks.shape[2] < dims:
            expected = f"landmarks [T, {points}, {dims} or more], as the motion has"
            raise CorpusError(f"clip {clip.id}", expected, f"the shape {list(clip.landmarks.shape)}")
        values = torch.tensor(clip.landmarks[..., :dims])
        frame = representation.frame_of(values[:1])
        spec = representation.spec.model_dump(mode="json")
        return cls(number, clip.id, Motion(values, clip.fps, spec, frame, reference=values[0]), clip.audio, frame)

    @property
    def reference(self) -> Tensor:
        """The first pose ``[P, D]`` in pixels."""
        return self.real.values[0]

    @property
    def audio(self) -> Audio:
        """The speech with its rate."""
        return Audio(self.speech, SAMPLE_RATE)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that is known of the clip."""
        parts = (self.name.encode("utf-8", "surrogatepass"), self.real.values.numpy().tobytes(), self.speech.tobytes())
        return hashlib.sha256(b"\0".join((*parts, str(self.real.fps).encode()))).hexdigest()

    def moved(self, values: Tensor) -> Motion:
        """Poses ``[T, P, D]`` in pixels as a motion of this clip, as long as the real one; the last is held."""
        missing = len(self.real) - len(values)
        if missing > 0:
            values = torch.cat([values, values[-1:].expand(missing, *values.shape[1:])])
        return Motion(
            values[: len(self.real)], self.real.fps, self.real.representation, self.frame, reference=self.reference
        )
