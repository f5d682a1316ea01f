"""Motion: frames of a representation at an exact rate."""

from __future__ import annotations

import html
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .arguments import as_integer, as_list, as_path
from .conversion import convert
from .errors import HeadmotionError, MotionError
from .interfaces.representation import Representation, UnitSquare
from .interfaces.specs import RepresentationSpec, resolve_spec
from .motion_file import file_errors, other_reader, stored_fields, write_motion
from .plugins import registry
from .short_repr import shown
from .timing import Rate, as_fps, frame_count, resample_frames

VIEW_HEIGHT = 250
"""Height of the view in a notebook (px)."""


class Sound(Protocol):
    """Sound that a motion belongs to, such as an `Audio`."""

    def read(self, rate: int = 16000) -> NDArray[np.float32]:
        """Return all of it as one channel ``[S]`` at a rate (Hz)."""
        ...


@dataclass(frozen=True, eq=False)
class Motion:
    """Values float32 ``[T, P, D]`` at ``fps`` frames per second; frame ``k`` lies at ``k / fps`` seconds.

    Raises:
        MotionError: values of another shape or no floating-point numbers, or a rate that is none.
    """

    values: Tensor
    """Frames ``[T, P, D]``, float32, in ``units``."""
    fps: Fraction
    """Frames per second, exact."""
    representation: Mapping[str, Any] = field(default_factory=lambda: {"type": "landmarks68"})
    """The representation's spec as JSON values."""
    frame: UnitSquare | None = None
    """The square of the source picture that the unit frame covers."""
    units: str = "px"
    """``px`` (pixels of the source picture) or ``unit`` (the unit frame)."""
    reference: Tensor | None = None
    """The pose ``[P, D]`` that the motion starts from, in the motion's own units."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Origin of the motion: model, seed, conversions."""
    basis: Mapping[str, Tensor] = field(default_factory=dict)
    """Tensors of a fitted representation by name, float32, so that the motion can be understood by itself; else empty.
    """
    speech: Sound | None = None
    """What it was generated for, if that is known; for views of it, and not stored in files."""

    def __post_init__(self) -> None:
        try:
            values = torch.as_tensor(self.values)
        except (TypeError, ValueError, RuntimeError):
            raise MotionError("motion", "floating-point values [T, P, D]", shown(self.values)) from None
        if values.dim() != 3 or not values.is_floating_point():
            raise MotionError("motion", "floating-point values [T, P, D]", f"{values.dtype} {list(values.shape)}")
        # The class is frozen; this is its only place that converts what it is given.
        object.__setattr__(self, "values", values.to(torch.float32))
        object.__setattr__(self, "fps", as_fps(self.fps))

    def __repr__(self) -> str:
        points, dims = self.values.shape[1:]
        what = f"{self.representation.get('type')} {points} x {dims}, {self.units}"
        return f"<Motion: {len(self)} frames at {self.fps} fps, {what}>"

    def _repr_html_(self) -> str | None:
        """Return what notebooks show: the page that ``save("motion.html")`` writes, in a frame of its own."""
        if not len(self) or ".html" not in registry().motion_writers:
            return None
        with tempfile.TemporaryDirectory(prefix="headmotion-view-") as folder:
            try:
                page = self.save(Path(folder) / "motion.html").read_text("utf-8")
            except HeadmotionError:  # NaN, for example: the line that `repr` gives is all there is to see
                return None
        height = f'width="100%" height="{VIEW_HEIGHT}" style="border: 0"'
        return f'<iframe srcdoc="{html.escape(page)}" sandbox="allow-scripts" {height} title="Motion"></iframe>'

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, frames: slice) -> Motion:
        """Return a range of frames; its first lies at 0 seconds.

        Raises:
            MotionError: anything but a slice of whole numbers with the step 1.
        """
        if not isinstance(frames, slice) or any(
            not (end is None or hasattr(end, "__index__")) for end in (frames.start, frames.stop, frames.step)
        ):
            raise MotionError("motion", "a range of frames, such as motion[5:10]", shown(frames))
        if frames.step not in (None, 1):
            remedy = "motion.resample(fps) has fewer frames per second, motion.values.flip(0) the frames in reverse"
            raise MotionError("motion", "consecutive frames, such as motion[5:10]", f"a step of {frames.step}", remedy)
        is_start = frames.start in (None, 0)  # else the speech belongs to other frames
        return replace(self, values=self.values[frames], speech=self.speech if is_start else None)

    @property
    def duration(self) -> Fraction:
        """Exact length (seconds)."""
        return len(self) / self.fps

    def timestamps(self) -> list[Fraction]:
        """Return the exact time of each frame (seconds)."""
        return [Fraction(k) / self.fps for k in range(len(self))]

    def resample(self, fps: Rate, frames: int | None = None) -> Motion:
        """Return the motion at another rate, linear between frames; the last frame is held beyond the end.

        Args:
            fps: frames per second.
            frames: number of frames; None covers the motion's own duration.

        Raises:
            MotionError: not a frame rate.
        """
        target = as_fps(fps)
        total = frame_count(self.duration, target) if frames is None else as_integer(frames, "frames")
        return replace(self, values=resample_frames(self.values, self.fps, target, total), fps=target)

    def build_representation(self) -> Representation:
        """Build the representation of the motion, with its basis if it is a fitted one.

        Raises:
            SpecError: an unknown representation.
            MotionError: the basis does not fit it.
        """
        spec = resolve_spec("representation", dict(self.representation))
        representation = spec.build()
        try:
            representation.load_state_dict(dict(self.basis))
        except RuntimeError as error:
            if self.basis:
                reason = str(error).splitlines()[-1].strip()
                raise MotionError(f"motion of {spec.type_name()}", "a basis that fits", reason) from None
            # Without a basis the representation refuses what needs one.
        return representation

    def to(self, representation: Representation | RepresentationSpec | Mapping[str, Any] | str) -> Motion:
        """Convert the motion into another representation by the shortest path of converters.

        Each step and what it loses is noted under ``converted`` in the provenance. A motion that has the requested
        representation already is returned unchanged.

        Args:
            representation: a type such as ``landmarks68``, an object with ``type`` and further fields that the result
                must have, a spec, or a built representation, as a fitted one must be given (``pipe.representation``).

        Raises:
            MotionError: no converter leads there; the types that can be reached are named.
        """
        return convert(self, representation)

    @staticmethod
    def concatenate(motions: Sequence[Motion]) -> Motion:
        """Join consecutive motions, such as those that a stream returns.

        Raises:
            MotionError: no motion at all, or motions of different shapes, rates, units or representations.
        """
        motions = as_list(motions, "motion", "motions to concatenate", lambda motion: isinstance(motion, Motion))
        if not motions:
            raise MotionError("motion", "at least one motion to concatenate", "none")
        # A stream returns many empty motions; the first with frames sets rate and units.
        filled = [motion for motion in motions if len(motion)] or motions[:1]
        for motion in filled[1:]:
            if _layout(motion) != _layout(filled[0]):
                raise MotionError("motion", f"motions like the first, {filled[0]!r}", repr(motion))
        return replace(filled[0], values=torch.cat([motion.values for motion in filled]))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a motion file; it appears whole or not at all.

        ``.npz`` (keys ``values``, ``fps``, ``meta``) and ``.json`` hold all of the motion. Other suffixes are those of
        other programs, such as ``.csv``, ``.bvh`` or ``.glb``.

        Raises:
            MotionError: another suffix, a motion that the format cannot hold, or a file that cannot be written.
        """
        return write_motion(self, as_path(path, "motion file", MotionError))

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Motion:
        """Read a file that `save` wrote, bit for bit, or one of another format that is read, such as ``.csv``.

        Raises:
            MotionError: no such file, not a motion file, one of a format that is only written, or damaged.
        """
        source = as_path(path, "motion file", MotionError)
        if (reader := other_reader(source)) is not None:
            return reader(source)
        with file_errors(source):
            return Motion(**stored_fields(source))

    def summary(self) -> dict[str, Any]:
        """Describe the motion by JSON values, without its frames."""
        frames, points, dims = self.values.shape
        return {
            "frames": frames,
            "points": points,
            "dims": dims,
            "fps": str(self.fps),
            "seconds": float(self.duration),
            "units": self.units,
            "representation": dict(self.representation),
            "provenance": dict(self.provenance),
        }

    def meta(self) -> dict[str, Any]:
        """Return what the file holds besides the frames and their rate, as JSON values."""
        return {
            "representation": dict(self.representation),
            "frame": None if self.frame is None else vars(self.frame),
            "units": self.units,
            "reference": None if self.reference is None else self.reference.tolist(),
            "provenance": dict(self.provenance),
            **({"basis": sorted(self.basis)} if self.basis else {}),
        }


def _layout(motion: Motion) -> tuple[Any, ...]:
    """Return what motions have in common that can be joined."""
    return motion.values.shape[1:], motion.fps, motion.units, dict(motion.representation)
