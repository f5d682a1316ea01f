"""The detector `face-mesh` beside MediaPipe's own pipeline with the same networks, in `.venv-mediapipe`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from found import poses

import headmotion as hm
from headmotion.detectors.face_landmarker.blendshape_network import OUTPUTS
from headmotion.detectors.specs import FaceMeshSpec
from headmotion.media.image import read_picture
from headmotion.representations.blendshapes import NAMES

mediapipe = pytest.importorskip(
    "mediapipe", reason="mediapipe is not in this environment: `make test` runs these in .venv-mediapipe"
)


def context(name: str) -> hm.BuildContext:
    return hm.BuildContext(hm.PipelineSpec(representation=name).representation.build(), 0)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def original(shared: Path) -> Any:
    task = mediapipe.tasks.BaseOptions(model_asset_path=str(shared / "data/models/face_landmarker.task"))
    options = mediapipe.tasks.vision.FaceLandmarkerOptions(base_options=task, output_face_blendshapes=True)
    with mediapipe.tasks.vision.FaceLandmarker.create_from_options(options) as landmarker:
        yield lambda picture: landmarker.detect(
            mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(picture))
        )


def pictures(shared: Path) -> Iterator[np.ndarray]:
    for path in sorted((shared / "data/clips").glob("*.jpg"))[::4]:
        yield read_picture(path)
    for path in sorted((shared / "data/videos").glob("*.m*"))[::2]:
        with av.open(str(path)) as container:
            yield from [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][::30]


def test_points_are_those_of_mediapipe(original: Any, shared: Path) -> None:
    """Over all pictures, in eye distances: mean 0.0003, largest 0.0017."""
    detector, distances = FaceMeshSpec().build(context("mesh478")), []
    for picture in pictures(shared):
        height, width = picture.shape[:2]
        (face,) = original(picture).face_landmarks
        true = np.array([(point.x * width, point.y * height, point.z * width) for point in face])
        found = poses(detector, picture)[0].numpy()
        distances.append(np.linalg.norm(found - true, axis=1).mean() / np.linalg.norm((true[33] - true[263])[:2]))
    assert len(distances) > 20 and np.mean(distances) < 0.001 and max(distances) < 0.005


def test_blend_shapes_are_those_of_mediapipe(original: Any, shared: Path) -> None:
    detector = FaceMeshSpec().build(context("blendshapes"))
    for picture in list(pictures(shared))[::3]:
        (true,) = original(picture).face_blendshapes
        assert tuple(shape.category_name for shape in true) == OUTPUTS
        found = dict(zip(NAMES, poses(detector, picture)[0][:, 0].tolist(), strict=True))
        assert max(abs(found[shape.category_name] - shape.score) for shape in true[1:]) < 0.03
