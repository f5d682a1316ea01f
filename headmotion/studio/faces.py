"""Faces of the page: pictures with the landmarks in them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..core.collected_warnings import collected_warnings
from ..core.errors import DetectorError, MotionError, ServingError, SpecError
from ..core.interfaces.renderer import Picture
from ..core.interfaces.representation import Representation
from ..core.interfaces.specs import BuildContext
from ..core.npz import read_arrays
from ..detectors.reference_pose import PoseFinder
from ..detectors.resolve import detector_spec
from ..media.image import read_reduced
from ..pipeline.pipeline import Pipeline
from ..pipeline.reference import Reference
from ..representations.specs import Landmarks68Spec
from ..serving.references import picture_file
from .face_packet import Crop, face_packet

MAX_PICTURE_EDGE = 1024
"""Longer pictures are reduced by a whole factor, whose result is at least this long (px)."""
BUNDLED = "portrait"
"""Name of the face that comes with headmotion."""


@dataclass(frozen=True, eq=False)
class Face:
    """A picture of a face.

    The landmarks by which it is drawn are those of `landmarks68`, whatever the representation of a model.
    """

    picture: Picture
    """``uint8 [H, W, 3 or 4]``."""
    pose: npt.NDArray[np.float32]
    """Landmarks ``[68, 2]`` in it (px)."""
    warnings: tuple[str, ...] = ()
    """What was said when they were found."""

    def described(self, crop: Crop) -> dict[str, Any]:
        """Return what the page needs to draw it: `face_packet`, and the ``landmarks`` in the whole picture."""
        packet = face_packet(self.picture, self.pose, landmarks68(), crop)
        return {"landmarks": self.pose.tolist(), **packet}

    def with_points(self, landmarks: npt.ArrayLike) -> Face:
        """Return the face with other landmarks ``[68, 2]`` (px).

        Raises:
            ServingError: one lies far outside of the picture.
        """
        pose, edge = np.asarray(landmarks, np.float32), max(self.picture.shape[:2])
        if not (np.abs(pose) <= 2 * edge).all():
            raise ServingError("face", f"landmarks within the picture of {edge} px", "some far outside")
        return Face(self.picture, pose)

    def reference(self, pipeline: Pipeline) -> Reference:
        """Return the pose that motion of a model starts from: that of the face, if the model can have it."""
        if pipeline.representation.spec.type_name() == "landmarks68":
            return pipeline.reference(self.pose)
        with tempfile.TemporaryDirectory(prefix="headmotion-studio-") as folder:
            path = Path(folder) / "face.png"
            Image.fromarray(self.picture).save(path)
            try:
                return pipeline.reference(path)
            except (DetectorError, MotionError, SpecError):  # nothing finds its representation in a picture
                return pipeline.reference(None)


class FaceFinder:
    """Finds the landmarks of the largest face in a picture."""

    def find(self, content: bytes) -> Face:
        """Return the face in the content of a PNG, JPEG or WebP.

        Raises:
            ServingError: no such picture.
            DetectorError: no face in it.
        """
        with picture_file(content) as path:
            picture, _ = read_reduced(path, MAX_PICTURE_EDGE, alpha=True)
        with collected_warnings() as warnings:
            pose = self._finder.in_picture(np.ascontiguousarray(picture[..., :3]))[0]
        return Face(picture, pose[:, :2].numpy(), tuple(warnings))

    @cached_property
    def _finder(self) -> PoseFinder:
        context = BuildContext(landmarks68(), 0, 4, Fraction(25))
        return PoseFinder(detector_spec().build(context), landmarks68())


def bundled_face() -> Face:
    """Return the face that comes with headmotion."""
    with as_file(files("headmotion") / "assets") as assets:
        picture, _ = read_reduced(assets / "portrait.png", None)
        landmarks = read_arrays(assets / "portrait_landmarks.npz", "landmarks")["landmarks"]
    return Face(picture, np.asarray(landmarks, np.float32).reshape(-1, 68, landmarks.shape[-1])[-1, :, :2])


@cache
def landmarks68() -> Representation:
    """Return the representation by which faces are drawn."""
    return Landmarks68Spec().build()
