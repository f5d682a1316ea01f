"""One clip of a corpus, as motion sources and metrics get it."""

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
class EvalClip:
    """Speech, the real motion that belongs to it, and the first pose, from which generated motion starts."""

    index: int
    """Position among the evaluated clips."""
    name: str
    """The clip's id."""
    real: Motion
    """In pixels."""
    speech: Wave
    """``[S]`` at 16 kHz."""
    unit_square: UnitSquare
    """The unit square of the first pose."""

    @classmethod
    def from_clip(cls, clip: Clip, index: int, representation: Representation) -> EvalClip:
        """Return a clip of a corpus in a representation, without a depth that the representation lacks.

        Args:
            clip: the clip.
            index: its position among the evaluated clips.
            representation: what motion is measured in.

        Raises:
            CorpusError: the landmarks are of another representation.
            MotionError: all points of the first pose are at one position.
        """
        points, dims = representation.points, representation.dims
        if clip.landmarks.shape[1] != points or clip.landmarks.shape[2] < dims:
            expected = f"landmarks [T, {points}, {dims} or more], as the motion has"
            raise CorpusError(f"clip {clip.id}", expected, f"the shape {list(clip.landmarks.shape)}")
        # A copy, because the clip's array is mapped from the corpus and cannot be written to.
        values = torch.tensor(clip.landmarks[..., :dims])
        square = representation.frame_of(values[:1])
        spec = representation.spec.model_dump(mode="json")
        return cls(index, clip.id, Motion(values, clip.fps, spec, square, reference=values[0]), clip.audio, square)

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
        """SHA-256 of id, landmarks, speech and rate."""
        # Ids may hold surrogates, because file names may be any bytes.
        parts = (self.name.encode("utf-8", "surrogatepass"), self.real.values.numpy().tobytes(), self.speech.tobytes())
        return hashlib.sha256(b"\0".join((*parts, str(self.real.fps).encode()))).hexdigest()

    def to_motion(self, values: Tensor) -> Motion:
        """Return poses ``[T, P, D]`` in pixels as a motion of this clip, cut or held to the length of the real one."""
        missing = len(self.real) - len(values)
        # Sources may end a frame early, by their own rounding of durations.
        if missing > 0:
            values = torch.cat([values, values[-1:].expand(missing, *values.shape[1:])])
        values = values[: len(self.real)]
        return Motion(values, self.real.fps, self.real.representation, self.unit_square, reference=self.reference)
