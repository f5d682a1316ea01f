"""Which detector is built from what, and what happens where its package is missing or of another kind."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from found import poses

import headmotion as hm
from headmotion.detectors.mediapipe import _quiet_native_log
from headmotion.detectors.resolve import detector_spec
from headmotion.detectors.specs import FaceAlignmentSpec, FaceMeshSpec, MediapipeSpec
from headmotion.representations.landmarks68 import GROUPS, MIRROR
from headmotion.representations.mesh478 import IBUG

BLANK = np.zeros((64, 64, 3), np.uint8)


def context(name: str = "landmarks68", **fields: Any) -> hm.BuildContext:
    part = hm.PipelineSpec(representation={"type": name, **fields}).representation.build()  # type: ignore[arg-type]
    return hm.BuildContext(part, 0)


class FakeGraph:
    """MediaPipe's legacy graph, which sees one face in the middle of everything that is not black."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    def close(self) -> None: ...

    def process(self, image: np.ndarray) -> SimpleNamespace:
        assert image.dtype == np.uint8 and image.shape[0] == image.shape[1] and image.flags.c_contiguous
        return SimpleNamespace(multi_face_landmarks=[SimpleNamespace(landmark=mesh())] if image.any() else None)


def mesh() -> list[SimpleNamespace]:
    """478 points of which the picks are a symmetric face, 0.4 high so that a second look shows the same square."""
    points = [SimpleNamespace(x=0.5, y=0.5, z=0.0) for _ in range(478)]
    for landmark, point in enumerate(IBUG):
        side, row = np.sign(MIRROR[landmark] - landmark), min(landmark, MIRROR[landmark])
        points[point] = SimpleNamespace(x=0.5 - side * 0.1, y=0.3 + row * 0.4 / 66, z=0.01)
    return points


@pytest.fixture
def legacy(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = SimpleNamespace(
        __version__="0.10.21", solutions=SimpleNamespace(face_mesh=SimpleNamespace(FaceMesh=FakeGraph))
    )
    monkeypatch.setitem(sys.modules, "mediapipe", fake)


def test_both_are_registered_and_read_without_torch() -> None:
    assert detector_spec("mediapipe") == MediapipeSpec()
    assert detector_spec({"type": "face-alignment", "device": "cpu"}) == FaceAlignmentSpec(device="cpu")
    assert detector_spec("models/face_landmarker.task") == MediapipeSpec(model="models/face_landmarker.task")
    with pytest.raises(hm.SpecError, match="mediapipe"):
        detector_spec("mediapip")


def test_weights_are_fetched_only_for_who_asks_by_name() -> None:
    assert detector_spec("face-alignment") == FaceAlignmentSpec(fetch=True)
    assert not hm.PipelineSpec(detector="face-alignment").detector.fetch  # type: ignore[arg-type, union-attr, attr-defined]


def test_the_bundled_detector_is_the_default() -> None:
    assert detector_spec("auto") == detector_spec(None) == detector_spec("face-mesh") == FaceMeshSpec()


def test_a_pipeline_may_name_its_detector() -> None:
    spec = hm.PipelineSpec(detector={"type": "mediapipe", "max_faces": 2})  # type: ignore[arg-type]
    assert spec.detector == MediapipeSpec(max_faces=2)
    assert hm.PipelineSpec.model_validate_json(spec.model_dump_json()) == spec
    assert hm.PipelineSpec().detector is None


@pytest.mark.parametrize("spec", [MediapipeSpec(), FaceAlignmentSpec()])
def test_only_faces_are_found(spec: hm.DetectorSpec) -> None:
    with pytest.raises(hm.SpecError, match="landmarks68"):
        spec.build(context("keypoints"))


def test_face_alignment_has_no_depth() -> None:
    with pytest.raises(hm.SpecError, match="dims 2"):
        FaceAlignmentSpec().build(context(dims=3))


def test_picks_are_symmetric_and_all_different() -> None:
    assert len(set(IBUG)) == 68 and max(IBUG) < 468
    middle = {IBUG[landmark] for landmark in range(68) if MIRROR[landmark] == landmark}
    assert middle == {152, 168, 197, 5, 4, 2, 0, 17, 13, 14}  # points that the mesh itself has on its middle line
    assert {33, 133, 263, 362} <= {IBUG[landmark] for landmark in GROUPS["eyes"]}  # the corners


@pytest.mark.parametrize("dims", [2, 3])
def test_mesh_becomes_landmarks_in_pixels(legacy: None, dims: int) -> None:
    (found,) = poses(MediapipeSpec(max_faces=1).build(context(dims=dims)), np.full((100, 200, 3), 9, np.uint8))
    assert found.shape == (68, dims) and found.dtype == torch.float32
    # The picture is 200 x 200 for the network.
    torch.testing.assert_close(found[0], torch.tensor([80.0, 60.0, 2.0][:dims]))
    torch.testing.assert_close(found[16], torch.tensor([120.0, 60.0, 2.0][:dims]))


def test_no_face_is_one_line(legacy: None) -> None:
    assert not poses(MediapipeSpec().build(context()), BLANK)


def test_mediapipe_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(hm.DetectorError, match=r"pip install 'headmotion\[mediapipe\]'"):
        MediapipeSpec().build(context()).detect([BLANK])


def test_mediapipe_without_models_asks_for_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", SimpleNamespace(__version__="1.2.2"))
    with pytest.raises(hm.DetectorError, match=r"mediapipe 1\.2\.2.*face_landmarker\.task"):
        MediapipeSpec().build(context()).detect([BLANK])
    with pytest.raises(hm.DetectorError, match=r"nowhere\.task"):
        MediapipeSpec(model="nowhere.task").build(context()).detect([BLANK])


def test_mediapipe_works_without_a_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_descriptor(descriptor: int) -> int:
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr("headmotion.detectors.mediapipe.os.dup", no_descriptor)  # as under pythonw or after 2>&-
    with _quiet_native_log():
        pass
    with pytest.raises(KeyError) as raised, _quiet_native_log():
        raise KeyError
    assert raised.value.__context__ is None


def test_a_mediapipe_that_does_not_work_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside another version of protobuf its graph has no such attribute as it looks for."""
    monkeypatch.setattr("headmotion.detectors.mediapipe._package", lambda: SimpleNamespace(solutions=SimpleNamespace()))
    detector = MediapipeSpec().build(context())
    with pytest.raises(
        hm.DetectorError, match=r"^detector mediapipe: expected a mediapipe that works, got AttributeErr"
    ):
        detector.detect([np.zeros((8, 8, 3), np.uint8)])
