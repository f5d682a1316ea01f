"""The face-alignment detector. Its real weights are not here: weights drawn at random go through the package's own
loading, and landmarks are read from heat maps that a stand-in network draws where they are known to lie.

The package is in the environment that `make test` keeps for it; elsewhere only what needs no package is tested.
"""

from __future__ import annotations

import http.client
import inspect
import socket
import sys
import urllib.error
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.detectors.specs import FaceAlignmentSpec
from headmotion.testing import check_plugin

FACES, LANDMARKS = "s3fd-619a316812.pth", "2DFAN4-11f355bf06.pth.tar"
CONTEXT = hm.BuildContext(hm.PipelineSpec().representation.build(), 0)
BLANK = np.zeros((120, 120, 3), np.uint8)

needs_package = pytest.mark.skipif(
    find_spec("face_alignment") is None,
    reason="face-alignment is not in this environment: `make test` runs these in .venv-face-alignment",
)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    return tmp_path / "torch/hub/checkpoints"


def no_network(*_: Any, **__: Any) -> None:
    raise AssertionError("the network was reached")


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package's own functions without numba, which would take twenty seconds to compile them."""
    from face_alignment import utils

    for name, value in list(vars(utils).items()):
        if hasattr(value, "py_func"):
            monkeypatch.setattr(utils, name, value.py_func)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Both weight files in the package's format, drawn at random."""
    from face_alignment.detection.sfd.net_s3fd import s3fd
    from face_alignment.models import FAN

    folder = tmp_path_factory.mktemp("weights")
    for name, network in ((FACES, s3fd()), (LANDMARKS, FAN(4))):
        torch.save(network.state_dict(), folder / name)
    return folder / FACES, folder / LANDMARKS


# Weights


@needs_package
def test_missing_weights_are_fetched_only_on_request(hub: Path) -> None:
    with pytest.raises(hm.DetectorError) as caught:
        FaceAlignmentSpec().build(CONTEXT).detect([BLANK])
    text = str(caught.value)
    assert f"put {FACES} (from https://" in text and str(hub) in text and "\n" not in text
    assert "face-mesh" in text and "landmarks" in text


def test_building_and_checking_reach_for_nothing(hub: Path) -> None:
    FaceAlignmentSpec(fetch=True).build(CONTEXT)
    results = [each for checked in check_plugin("detectors").values() for each in checked]
    assert results and all(each.conforms for each in results)


@needs_package
@pytest.mark.parametrize(
    "failure",
    [
        urllib.error.URLError(socket.gaierror(-3, "Temporary failure in name resolution")),
        urllib.error.HTTPError("https://host", 404, "Not Found", http.client.HTTPMessage(), None),
        TimeoutError("timed out"),
        http.client.IncompleteRead(b"", 100),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_a_failed_fetch_says_which_file_to_put_where(
    hub: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(url: str, timeout: float) -> None:
        raise failure

    monkeypatch.setattr(urllib.request, "urlopen", fail)
    with pytest.raises(hm.DetectorError) as caught:
        FaceAlignmentSpec(fetch=True).build(CONTEXT).detect([BLANK])
    assert f"put {FACES} (from https://" in str(caught.value) and str(hub) in str(caught.value)
    assert "\n" not in str(caught.value) and not list(hub.glob("*"))


@needs_package
def test_a_given_file_must_be_there(hub: Path) -> None:
    with pytest.raises(hm.DetectorError, match=rf"weights {FACES}.*no file nowhere\.pth"):
        FaceAlignmentSpec(face_weights="nowhere.pth").build(CONTEXT).detect([BLANK])


@needs_package
def test_damaged_weights_run_nothing(hub: Path, drawn: tuple[Path, Path], tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "harm",))

    torch.save({"weight": Harmful()}, tmp_path / "bad.pth")
    (tmp_path / "short.pth").write_bytes(drawn[0].read_bytes()[:5000])
    (tmp_path / "empty.pth").write_bytes(b"")
    torch.save({"weight": torch.zeros(2)}, tmp_path / "other.pth")
    for name in ("bad", "short", "empty", "other"):
        path = str(tmp_path / f"{name}.pth")
        with pytest.raises(hm.DetectorError, match=f"{name}\\.pth") as caught:
            FaceAlignmentSpec(face_weights=path, landmark_weights=str(drawn[1])).build(CONTEXT).detect([BLANK])
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "harm").exists()


def test_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "face_alignment", None)
    with pytest.raises(hm.DetectorError, match=r"pip install 'headmotion\[face-alignment\]'"):
        FaceAlignmentSpec().build(CONTEXT).detect([BLANK])


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device that must be missing")
def test_device_that_is_not_there(hub: Path) -> None:
    with pytest.raises(hm.DetectorError, match="device of this machine"):
        FaceAlignmentSpec(device="cuda").build(CONTEXT).detect([BLANK])


# Landmarks


def heat(crops: torch.Tensor) -> list[torch.Tensor]:
    """Heat maps ``[N, 68, 64, 64]`` that peak on a diagonal: landmark ``k`` at ``(10 + k / 2, 12 + k / 2)``."""
    maps = torch.zeros(len(crops), 68, 64, 64)
    for k in range(68):
        maps[:, k, 12 + k // 2, 10 + k // 2] = 1
    return [maps]


@needs_package
def test_landmarks_come_from_the_package_in_pixels(
    hub: Path, drawn: tuple[Path, Path], interpreted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = FaceAlignmentSpec(face_weights=str(drawn[0]), landmark_weights=str(drawn[1]), device="cpu").build(
        CONTEXT
    )
    network = detector._network
    loaded, stored = network.face_alignment_net.state_dict(), torch.load(drawn[1], weights_only=True)
    assert loaded.keys() == stored.keys() and all(torch.equal(loaded[name], stored[name]) for name in stored)
    network.face_alignment_net, network.flip_input = heat, False
    boxes = [np.array([100.0, 100, 160, 160, 0.9]), np.array([200.0, 50, 320, 170, 0.8])]
    monkeypatch.setattr(network.face_detector, "detect_from_image", lambda image: boxes)
    (detections,) = detector.detect([np.zeros((400, 400, 3), np.uint8)])
    assert [(one.box, round(one.score, 3)) for one in detections] == [
        ((200, 50, 320, 170), 0.8),
        ((100, 100, 160, 160), 0.9),
    ]
    found = torch.stack([detection.pose for detection in detections])
    assert found.shape == (2, 68, 2) and found.dtype == torch.float32
    steps = found[:, 66] - found[:, 0]
    torch.testing.assert_close(steps[:, 0], steps[:, 1], atol=2, rtol=0)
    # Twice the box, twice the landmarks; the crop of FAN has 200 / 195 of the box's scale, its maps 64 cells.
    assert steps[0, 0] > 1.8 * steps[1, 0]
    torch.testing.assert_close(steps[0], torch.tensor([33.0, 33]) / 64 * 200 * 240 / 195, atol=2, rtol=0)


@needs_package
@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_weights_in_the_hub_are_used_and_no_face_is_no_detection(hub: Path, drawn: tuple[Path, Path]) -> None:
    hub.mkdir(parents=True)
    for path in drawn:
        (hub / path.name).symlink_to(path)
    detector = FaceAlignmentSpec().build(CONTEXT)
    detector._network.face_detector.filter_threshold = 2.0  # random weights see faces anywhere
    assert detector.detect([BLANK]) == [[]]


@needs_package
def test_the_interface_of_the_package_is_the_one_expected() -> None:
    import face_alignment

    known = inspect.signature(face_alignment.FaceAlignment.__init__).parameters
    assert {"device", "compile", "face_detector", "face_detector_kwargs"} <= set(known)
    assert "_load_native" in vars(face_alignment.FaceAlignment)
    assert face_alignment.api.models_urls["2DFAN-4"].endswith(LANDMARKS)
