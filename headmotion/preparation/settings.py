"""The settings that decide how a video becomes clips. Equal settings give equal clips."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import Literal, Self

from pydantic import Field, model_validator

from .. import __version__
from ..core.errors import SpecError
from ..core.interfaces.specs import DetectorSpec, RepresentationSpec
from ..core.spec import Spec, SpecField

FPS = Fraction(25)
"""Frames per second of all prepared clips."""
SAMPLES_PER_FRAME = 640
"""At 16 kHz."""

CropMode = Literal["shot", "face", "none"]


class Settings(Spec):
    """How clips are cut, and the limits beyond which a clip is rejected."""

    detector: SpecField[DetectorSpec]
    """Detector of the faces."""
    representation: SpecField[RepresentationSpec] | None = None
    """What the motion of clips is; None: 68 landmarks, with depth if the detector has it."""
    crop: CropMode = "shot"
    """``shot``: one fixed square per clip, which keeps head motion; ``face``: a square around the face of each frame;
    ``none``: pixels of the video itself."""
    frames: int | None = Field(None, ge=16, le=1024)
    """Edge of the pictures of the face that are kept, in pixels, with the landmarks in the same pixels; None: none are.
    Needs the crop ``shot``."""
    frame_quality: int = Field(90, ge=1, le=100)
    """Quality of these pictures, which are JPEG."""
    labels: bool = False
    """Keep what the detector measures of each frame besides the pose, such as blend shapes."""
    cut_threshold: float = Field(27.0, gt=0)
    """Mean change of hue, saturation and value (0..255) between frames at which a new shot begins."""
    gap_frames: int = Field(5, ge=0)
    """Greatest number of consecutive frames without a face that are interpolated; a longer gap ends a clip."""
    min_seconds: float = Field(2.0, gt=0)
    """Least duration of a clip."""
    max_seconds: float = Field(20.0, gt=0)
    """Greatest duration of a clip; a longer one is divided."""
    min_fps: float = Field(12.0, ge=0)
    """Least number of different pictures per second."""
    max_bridged: float = Field(0.1, ge=0, le=1)
    """Greatest share of frames whose face was interpolated."""
    max_jump: float = Field(0.3, gt=0)
    """Greatest mean movement of the points from one frame to the next, in lengths of the face."""
    min_face_px: float = Field(32.0, ge=0)
    """Least distance of the outer eye corners, median over the clip, in pixels of the video."""
    min_level_db: float = Field(-50.0, le=0)
    """Least level of the loudest tenth of a second, dB below full scale."""
    syncers: str | None = None
    """Path of trained syncers, which measure the offset of audio and motion; None: it is not measured."""
    syncers_sha256: str = ""
    """SHA-256 of their weights."""
    max_offset_ms: float = Field(80.0, ge=0)
    """Greatest offset of audio and motion, in either direction."""

    @model_validator(mode="after")
    def _check_divisible(self) -> Self:
        # A face that stays longer than a clip is divided evenly, and each part must still be long enough.
        if self.max_seconds < 2 * self.min_seconds:
            got = f"{self.min_seconds:g} and {self.max_seconds:g}"
            raise SpecError("preparation", "a greatest duration of at least twice the least one (seconds)", got)
        if self.frames is not None and self.crop != "shot":
            remedy = "a face fills another square in each frame otherwise"
            raise SpecError("preparation", "the crop 'shot' with frames", repr(self.crop), remedy)
        return self

    @property
    def digest(self) -> str:
        """SHA-256 (hexadecimal) of all settings and of the version, because results may change with either."""
        return hashlib.sha256(f"{__version__} {self.model_dump_json()}".encode()).hexdigest()
