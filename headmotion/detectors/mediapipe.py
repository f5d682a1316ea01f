"""MediaPipe's face mesh (Kartynnik et al. 2019; with attention to eyes and lips: Grishchenko et al. 2020)."""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..core.errors import DetectorError, describe
from ..core.interfaces.detector import Detection, Detector, box_of
from ..core.interfaces.renderer import Picture
from ..core.interfaces.representation import Representation
from ..core.lazy import import_optional
from ..representations.mesh478 import IBUG
from .specs import MediapipeSpec
from .tiled_search import Points, TiledSearch

MESH_POINTS = 478

_NAME = "detector mediapipe"
_log_lock = threading.Lock()


class MediapipeDetector(Detector):
    """A mesh of 478 points, or 68 landmarks of it; depth has the scale of x and y and is 0 near the head's center."""

    spec: MediapipeSpec

    def __init__(self, spec: MediapipeSpec, representation: Representation) -> None:
        super().__init__(spec)
        self._dims, self._mirror = representation.dims, representation.mirror
        self._selected = IBUG if representation.points == len(IBUG) else range(representation.points)

    @cached_property
    def _search(self) -> TiledSearch:
        try:
            mesh = _from_task(self.spec) if self.spec.model else _from_solution(self.spec)
        except AttributeError as error:  # of a property, torch would report the property as missing instead
            remedy = "install mediapipe in an environment of its own, with the protobuf that it asks for"
            raise DetectorError(_NAME, "a mediapipe that works", describe(error), remedy) from error
        selected = list(self._selected)
        return TiledSearch(lambda square: mesh(square)[:, selected], self._mirror, several=self.spec.max_faces > 1)

    def detect(self, images: Sequence[Picture]) -> list[list[Detection]]:
        """Return the faces in each of some pictures ``uint8 [H, W, 3]``, the largest first; perhaps none.

        MediaPipe takes one picture at a time, and gives no score.

        Raises:
            DetectorError: mediapipe is not installed, or has no model.
        """
        return [[self._detection(face) for face in self._search(image)] for image in images]

    def _detection(self, face: Points) -> Detection:
        pose = torch.from_numpy(face[:, : self._dims].copy())
        return Detection(pose, box_of(pose))


def _from_solution(spec: MediapipeSpec) -> Callable[[Picture], Points]:
    """Return detection by the graph that mediapipe up to 0.10.30 contains with its models."""
    mediapipe = _package()
    solutions = getattr(mediapipe, "solutions", None)
    if solutions is None:
        raise DetectorError(
            _NAME,
            "a model file, since this mediapipe contains none",
            f"mediapipe {mediapipe.__version__} and no 'model'",
            "get face_landmarker.task (ai.google.dev/edge/mediapipe, Face Landmarker) and give its path as 'model'",
        )
    with _quiet_native_log():
        graph = solutions.face_mesh.FaceMesh(
            static_image_mode=True,
            refine_landmarks=True,
            max_num_faces=spec.max_faces,
            min_detection_confidence=spec.min_confidence,
        )
        graph.process(np.zeros((16, 16, 3), np.uint8))  # its threads log until they have started

    def find(square: Picture) -> Points:
        with _quiet_native_log():
            detections = graph.process(square).multi_face_landmarks
        return _to_pixels([face.landmark for face in detections or ()], len(square))

    weakref.finalize(find, graph.close)
    return find


def _from_task(spec: MediapipeSpec) -> Callable[[Picture], Points]:
    """Return detection by the task interface, which 0.10.21 has too, with a model file of the user."""
    path = Path(spec.model or "")
    if not path.is_file():
        raise DetectorError(_NAME, "an existing .task file as 'model'", str(path))
    mediapipe = _package()
    vision = mediapipe.tasks.vision
    options = vision.FaceLandmarkerOptions(
        base_options=mediapipe.tasks.BaseOptions(model_asset_path=str(path)),
        num_faces=spec.max_faces,
        min_face_detection_confidence=spec.min_confidence,
    )
    try:
        with _quiet_native_log():
            task = vision.FaceLandmarker.create_from_options(options)
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise DetectorError(_NAME, "a face landmarker .task file", f"{path} ({reason})") from None

    def find(square: Picture) -> Points:
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=square)
        with _quiet_native_log():
            detections = task.detect(image).face_landmarks
        return _to_pixels(detections, len(square))

    weakref.finalize(find, task.close)  # newer versions fail if they are closed at the end of the process
    return find


def _package() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its version of protobuf warns about itself
        return import_optional("mediapipe", "headmotion[mediapipe]", _NAME, DetectorError)


def _to_pixels(faces: Sequence[Any], edge: int) -> Points:
    """Return points ``[N, 478, 3]`` in pixels of faces in fractions of a square's edge; z has the scale of x."""
    points = [[(point.x, point.y, point.z) for point in face] for face in faces]
    return np.array(points or np.zeros((0, MESH_POINTS, 3)), np.float32) * np.float32(edge)


@contextlib.contextmanager
def _quiet_native_log() -> Iterator[None]:
    """Redirect file descriptor 2, to which MediaPipe's native code logs whatever its settings are."""
    with _log_lock:
        try:
            standard_error = os.dup(2)
        except OSError:  # there is none, as under pythonw or after 2>&-
            standard_error = -1
        if standard_error < 0:
            yield
            return
        with Path(os.devnull).open("w") as null:
            os.dup2(null.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
