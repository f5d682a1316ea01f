"""Motion that somebody has made already, by whatever means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from typing_extensions import override

from ..core.errors import EvaluationError, MotionError
from ..core.interfaces.representation import Representation
from ..core.interfaces.specs import resolve_spec
from ..core.motion import Motion
from .eval_clip import Case
from .motion_source import Source

SUFFIXES = (".npz", ".json")


class MotionFiles(Source):
    """A folder with ``ID.npz`` or ``ID.json`` for each clip, written by `Motion.save`."""

    name = "motions"

    def __init__(self, folder: Path, representation: Representation) -> None:
        self.folder, self.representation = folder, representation

    @override
    def motion(self, case: Case) -> Motion:
        path = next((each for each in _candidates(self.folder, case.name) if each.is_file()), None)
        if path is None:
            raise MotionError(f"motion of {case.name}", f"a file {case.name}.npz or .json", f"none in {self.folder}")
        motion = self._in_pixels(Motion.load(path), path)
        if motion.fps != case.real.fps:
            motion = motion.resample(case.real.fps)
        if len(motion) < len(case.real) - 1:
            expected = f"{len(case.real)} frames at {case.real.fps} fps"
            raise MotionError(f"motion of {case.name}", expected, f"{len(motion)} in {path.name}")
        return case.moved(motion.values)

    def _in_pixels(self, motion: Motion, path: Path) -> Motion:
        shape = (self.representation.points, self.representation.dims)
        if motion.values.shape[1:] != shape:
            raise MotionError(f"motion file {path.name}", f"frames of {list(shape)}", str(list(motion.values.shape)))
        if motion.units == "px":
            return motion
        if motion.frame is None:
            raise MotionError(f"motion file {path.name}", "pixels, or a unit frame with its place", "neither")
        return replace(motion, values=self.representation.denormalize(motion.values, motion.frame), units="px")


def representation_in(folder: Path) -> Representation:
    """What the motions of a folder are in: as the first of them says.

    Raises:
        EvaluationError: there is none.
        MotionError: it cannot be read.
    """
    first = next(_files(folder), None)
    if first is None:
        raise EvaluationError("evaluation", "a folder with motion files (ID.npz, ID.json)", f"none in {folder}")
    spec = resolve_spec("representation", dict(Motion.load(first).representation))
    return spec.build()


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES and path.is_file())


def _candidates(folder: Path, name: str) -> Iterator[Path]:
    return (folder / f"{name}{suffix}" for suffix in SUFFIXES)
