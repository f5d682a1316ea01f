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
import numpy.typing as npt
import torch
from torch import Tensor

from ..core.errors import DetectorError
from ..core.interfaces.detector import Detector
from ..core.interfaces.renderer import Picture
from ..core.interfaces.representation import Representation
from ..core.lazy import import_optional
from ..representations.mesh478 import IBUG
from .specs import MediapipeSpec
from .tiled_search import Points, Search

MESH = 478
"""Points of a face."""

_NAME = "detector mediapipe"
_silence = threading.Lock()


class FaceMesh(Detector):
    """A mesh of 478 points or 68 landmarks out of it; depth has the scale of x and y, 0 near the head's center."""

    spec: MediapipeSpec

    def __init__(self, spec: MediapipeSpec, representation: Representation) -> None:
        super().__init__(spec)
        self._dims, self._mirror = representation.dims, representation.mirror
        self._picked = IBUG if representation.points == len(IBUG) else range(representation.points)

    @cached_property
    def _search(self) -> Search:
        mesh = _from_task(self.spec) if self.spec.model else _from_solution(self.spec)
        picked = list(self._picked)
        return Search(lambda square: mesh(square)[:, picked], self._mirror, several=self.spec.max_faces > 1)

    def detect(self, image: npt.NDArray[np.uint8]) -> Tensor:
        """All faces ``[N, P, D]`` of a picture ``uint8 [H, W, 3]``, the largest first.

        Raises:
            DetectorError: no face was found; or mediapipe is not installed, or has no model.
        """
        faces = self._search(image)
        if not faces:
            remedy = "take or cut a picture in which the face is upright, larger and turned to the camera"
            raise DetectorError(_NAME, "a face in the picture", "none", remedy)
        return torch.from_numpy(np.stack(faces)[:, :, : self._dims])


def _from_solution(spec: MediapipeSpec) -> Callable[[Picture], Points]:
    """The graph that mediapipe up to 0.10.30 carries with its models."""
    mediapipe = _package()
    solutions = getattr(mediapipe, "solutions", None)
    if solutions is None:
        raise DetectorError(
            _NAME,
            "a model file, since this mediapipe carries none",
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
            found = graph.process(square).multi_face_landmarks
        return _points([face.landmark for face in found or ()], len(square))

    weakref.finalize(find, graph.close)
    return find


def _from_task(spec: MediapipeSpec) -> Callable[[Picture], Points]:
    """The task interface, which 0.10.21 has too, with a model file of the user's."""
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
        reason = " ".join(str(error).split())[:120]
        raise DetectorError(_NAME, "a face landmarker .task file", f"{path} ({reason})") from None

    def find(square: Picture) -> Points:
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=square)
        with _quiet_native_log():
            found = task.detect(image).face_landmarks
        return _points(found, len(square))

    weakref.finalize(find, task.close)  # left to the end of the process, newer versions fail in closing
    return find


def _package() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its protobuf warns of itself
        return import_optional("mediapipe", "headmotion[mediapipe]", _NAME, DetectorError)


def _points(faces: Sequence[Any], edge: int) -> Points:
    """Each face's 478 points, from fractions of a square's edge to pixels; z has the scale of x."""
    found = [[(point.x, point.y, point.z) for point in face] for face in faces]
    return np.array(found or np.zeros((0, MESH, 3)), np.float32) * np.float32(edge)


@contextlib.contextmanager
def _quiet_native_log() -> Iterator[None]:
    """MediaPipe's native code logs to file descriptor 2 whatever it is told; a user should see what matters."""
    with _silence, Path(os.devnull).open("w") as nowhere:
        kept = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
