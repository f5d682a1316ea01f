"""The face-alignment package: S3FD (Zhang et al. 2017) finds faces, 2D-FAN (Bulat et al. 2017) their landmarks."""

from __future__ import annotations

import importlib
import pickle
import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..core.device import pick_device
from ..core.errors import DetectorError
from ..core.files import reason_of
from ..core.interfaces.detector import Detection, Detector
from ..core.interfaces.renderer import Picture
from ..core.lazy import import_optional
from ..core.weights import find_weights, load_archive
from .specs import FaceAlignmentSpec

_NAME = "detector face-alignment"
_OTHERWISE = "or name the detector to have them fetched, use face-mesh, or pass landmarks"


class FaceAlignmentDetector(Detector):
    """68 landmarks by the networks of face-alignment 1.5.

    Its weight files are PyTorch archives of another project. They are read with ``torch.load(weights_only=True)``,
    which executes nothing from the file, and the package's own download is never used.
    """

    spec: FaceAlignmentSpec

    @cached_property
    def _network(self) -> Any:
        device = str(pick_device(self.spec.device, _NAME, DetectorError, usable=("cuda",)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the package warns about its own dependencies
            return _network(self.spec, device)

    @torch.inference_mode()
    def detect(self, images: Sequence[Picture]) -> list[list[Detection]]:
        """Return the faces in each of some pictures ``uint8 [H, W, 3]``, the largest first; perhaps none.

        Box and score are those of S3FD. The package takes one picture at a time.

        Raises:
            DetectorError: face-alignment or its weights are missing, or damaged.
        """
        return [self._faces(image) for image in images]

    def _faces(self, image: Picture) -> list[Detection]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the package warns where there is no face
            poses, _, boxes = self._network.get_landmarks_from_image(image, return_bboxes=True)
        faces = []
        for values, box in zip(poses, boxes, strict=True) if poses is not None else ():
            left, top, right, bottom, score = (float(number) for number in box)
            pose = torch.from_numpy(np.asarray(values, np.float32))
            faces.append(Detection(pose, (left, top, right, bottom), min(1.0, score)))
        return sorted(faces, key=lambda face: float((face.pose.amax(0) - face.pose.amin(0)).prod()), reverse=True)


def _network(spec: FaceAlignmentSpec, device: str) -> Any:
    """Return a ``FaceAlignment`` with both networks from files on this machine."""
    # It imports numba, scikit-image and OpenCV, which fail in their own ways.
    package = import_optional("face_alignment", "headmotion[face-alignment]", _NAME, DetectorError)
    api = importlib.import_module("face_alignment.api")
    s3fd = importlib.import_module("face_alignment.detection.sfd.sfd_detector")
    faces = find_weights(spec.face_weights, s3fd.models_urls["s3fd"], spec.fetch, _NAME, DetectorError, _OTHERWISE)
    landmarks = find_weights(
        spec.landmark_weights, api.models_urls["2DFAN-4"], spec.fetch, _NAME, DetectorError, _OTHERWISE
    )

    class LocalFaceAlignment(package.FaceAlignment):  # type: ignore[misc, name-defined]
        """``FaceAlignment`` with a file for the landmark network, for which the package only has its own URL."""

        def _load_native(self, name: str, size: int, device: str, dtype: torch.dtype) -> Any:
            net = package.models.FAN(size)
            net.load_state_dict(load_archive(landmarks, device))
            return net.to(device, dtype=dtype).eval()

    try:
        return LocalFaceAlignment(
            package.LandmarksType.TWO_D,
            device=device,
            compile=False,  # by default it takes a minute, and writes into the home folder
            face_detector="sfd",
            face_detector_kwargs={"path_to_detector": str(faces)},
        )
    except (RuntimeError, pickle.UnpicklingError, EOFError, OSError, KeyError, TypeError) as error:
        got = f"{_join_paths(faces, landmarks)} ({reason_of(error)})"
        raise DetectorError(_NAME, "its own, complete weights", got, "fetch them again") from None


def _join_paths(*paths: Path) -> str:
    return " and ".join(str(path) for path in paths)
