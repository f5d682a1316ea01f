"""The detector `face-mesh` and its tracker, on the bundled portrait and, where they are, on real clips.

Tolerances are mean distances over the points in units of the distance between the outer eye corners.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch
from found import poses

import headmotion as hm
from headmotion.detectors.face_landmarker.crops import Crop
from headmotion.detectors.face_landmarker.detector import FaceMeshDetector
from headmotion.detectors.face_landmarker.search import windows
from headmotion.detectors.face_landmarker.tracker import SEARCH_EVERY
from headmotion.detectors.face_landmarker.weights import shared_networks
from headmotion.detectors.reference_pose import PoseFinder
from headmotion.detectors.specs import FaceMeshSpec
from headmotion.media.image import read_picture
from headmotion.representations.blendshapes import NAMES

ASSETS = Path(str(files("headmotion"))) / "assets"
CENTER = (225, 126)
"""The middle of the portrait's face."""
NOISE = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)


def context(name: str = "landmarks68", **fields: Any) -> hm.BuildContext:
    part = hm.PipelineSpec(representation={"type": name, **fields}).representation.build()  # type: ignore[arg-type]
    return hm.BuildContext(part, 0)


@pytest.fixture(scope="module")
def detector() -> FaceMeshDetector:
    built = FaceMeshSpec().build(context(dims=3))
    assert isinstance(built, FaceMeshDetector)
    return built


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return read_picture(ASSETS / "portrait.png")


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return np.load(ASSETS / "portrait_landmarks.npz")["landmarks"]


def distance(found: Any, true: Any) -> float:
    found, true = np.asarray(found)[:, :2], np.asarray(true)[:, :2]
    eyes = (36, 45) if len(true) == 68 else (33, 263)
    return float(np.linalg.norm(found - true, axis=1).mean() / np.linalg.norm(true[eyes[0]] - true[eyes[1]]))


def canvas(height: int, width: int, *faces: tuple[np.ndarray, int, int]) -> np.ndarray:
    picture = np.full((height, width, 3), (120, 130, 140), np.uint8)
    for face, x, y in faces:
        picture[y : y + len(face), x : x + face.shape[1]] = face
    return picture


def scaled(picture: np.ndarray, edge: int) -> np.ndarray:
    return cv2.resize(picture, (edge, edge), interpolation=cv2.INTER_AREA)


# What is found


def test_bundled_portrait(detector: FaceMeshDetector, portrait: np.ndarray, truth: np.ndarray) -> None:
    """The stored landmarks are those of an older face mesh with networks for eyes and lips: measured 0.012."""
    (found,) = poses(detector, portrait)
    assert found.shape == (68, 3) and found.dtype == torch.float32
    assert distance(found, truth) < 0.015
    assert np.abs(found[:, 2].numpy() - truth[:, 2]).mean() < 0.05 * np.linalg.norm(truth[36, :2] - truth[45, :2])


def test_representations_are_parts_of_the_same_mesh(detector: FaceMeshDetector, portrait: np.ndarray) -> None:
    (mesh,) = poses(FaceMeshSpec().build(context("mesh478")), portrait)
    assert mesh.shape == (478, 3)
    motion = hm.Motion(mesh[None], Fraction(25), {"type": "mesh478"})
    torch.testing.assert_close(motion.to("landmarks68-3d").values[0], poses(detector, portrait)[0])
    (flat,) = poses(FaceMeshSpec().build(context()), portrait)
    torch.testing.assert_close(motion.to("landmarks68").values[0], flat)


def test_blend_shapes(portrait: np.ndarray) -> None:
    (shapes,) = poses(FaceMeshSpec().build(context("blendshapes")), portrait)
    assert shapes.shape == (52, 1) and bool(((shapes >= 0) & (shapes <= 1)).all())
    assert shapes[NAMES.index("mouthSmileLeft")] > 0.5 > shapes[NAMES.index("eyeBlinkLeft")]  # she smiles


def test_only_faces_are_found() -> None:
    with pytest.raises(hm.SpecError, match="landmarks68"):
        FaceMeshSpec().build(context("keypoints"))


def test_weights_are_in_no_checkpoint(detector: FaceMeshDetector, portrait: np.ndarray) -> None:
    poses(detector, portrait)
    assert not detector.state_dict()


def test_device_that_is_not_there(portrait: np.ndarray) -> None:
    absent = next((name for name in ("mps", "cuda") if name == "mps" or not torch.cuda.is_available()), "mps")
    with pytest.raises(hm.DetectorError, match="a device of this machine"):
        poses(FaceMeshSpec.model_validate({"type": "face-mesh", "device": absent}).build(context()), portrait)


# Wherever the face is


def test_a_mirrored_picture_gives_the_mirrored_face(
    detector: FaceMeshDetector, portrait: np.ndarray, truth: np.ndarray
) -> None:
    (found,) = poses(detector, np.ascontiguousarray(portrait[:, ::-1]))
    (straight,) = poses(detector, portrait)
    mirrored = straight[list(context(dims=3).representation.mirror)].numpy() * [-1, 1, 1] + [portrait.shape[1], 0, 0]
    assert distance(found, mirrored) < 0.03


@pytest.mark.parametrize("degrees", [20, 45, -60, 90, 135, 180, -90])
def test_a_turned_face(detector: FaceMeshDetector, portrait: np.ndarray, truth: np.ndarray, degrees: int) -> None:
    turn = cv2.getRotationMatrix2D(CENTER, degrees, 1)
    (found,) = poses(detector, cv2.warpAffine(portrait, turn, (512, 512)))
    assert distance(found, truth[:, :2] @ turn[:, :2].T + turn[:, 2]) < 0.03


@pytest.mark.parametrize(("edge", "x", "y"), [(512, 400, 300), (384, 0, 800), (272, 1000, 20)])
def test_a_small_face_in_a_large_picture(
    detector: FaceMeshDetector, portrait: np.ndarray, truth: np.ndarray, edge: int, x: int, y: int
) -> None:
    (found,) = poses(detector, canvas(1280, 1280, (scaled(portrait, edge), x, y)))
    assert distance((np.asarray(found) - [x, y, 0]) * 512 / edge, truth) < 0.03


def test_a_face_of_20_pixels_is_found_and_said_to_be_small(
    detector: FaceMeshDetector, portrait: np.ndarray, truth: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    picture = canvas(480, 640, (scaled(portrait, 112), 200, 200))
    with caplog.at_level("WARNING", "headmotion"):
        (found,) = PoseFinder(detector, context(dims=3).representation).in_picture(picture)
    assert distance((np.asarray(found) - [200, 200, 0]) * 512 / 112, truth) < 0.1
    (warning,) = caplog.messages
    assert warning.startswith("the face is small (13 px between the outer eye corners)")


def test_a_picture_larger_than_can_be_warped(detector: FaceMeshDetector, portrait: np.ndarray) -> None:
    wide = np.full((600, 40_000, 3), 120, np.uint8)
    wide[40:552, 100:612] = portrait
    assert not poses(detector, wide)  # too small a part of the whole


def test_all_faces_are_found_the_largest_first(detector: FaceMeshDetector, portrait: np.ndarray) -> None:
    face = portrait[40:200, 140:300]
    picture = canvas(320, 560, (scaled(face, 140), 10, 90), (scaled(face, 240), 170, 40), (scaled(face, 120), 430, 100))
    centers = [float(pose[30, 0]) for pose in poses(detector, picture)]
    assert len(centers) == 3 and 200 < centers[0] < 400 and centers[1] < 160 and centers[2] > 430
    assert len(poses(FaceMeshSpec(max_faces=1).build(context()), picture)) == 1


def test_first_frames_of_real_clips(detector: FaceMeshDetector, shared: Path) -> None:
    """Video at 128 x 128, landmarks of an older face mesh from the larger original: over all 300 clips 0.012."""
    found = []
    for clip in sorted((shared / "data/grid_s1").glob("*.mp4"))[::15]:
        stored = np.load(clip.with_suffix(".npz"))
        (x, y, side), true = stored["crop_box"], stored["landmarks"][0]
        with av.open(str(clip)) as container:
            picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
        scale = side / picture.shape[0]
        # Pixels of both pictures have their middles at whole numbers.
        place = np.array([x, y, 0]) + np.array([0.5, 0.5, 0]) * (scale - 1)
        found.append(distance(np.asarray(poses(detector, picture)[0]) * scale + place, true))
    assert len(found) >= 10 and max(found) < 0.03 and np.mean(found) < 0.014


def test_pictures_in_a_batch(detector: FaceMeshDetector, portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """The networks are called for all pictures together, and the faces are those of each picture by itself."""
    turned = cv2.warpAffine(portrait, cv2.getRotationMatrix2D(CENTER, 90, 1), (512, 512))
    face = portrait[40:200, 140:300]
    two = canvas(320, 560, (scaled(face, 240), 20, 40), (scaled(face, 200), 320, 60))
    pictures = [portrait, NOISE, two, turned]
    calls, find = [], detector._landmarker.find
    monkeypatch.setattr(detector._landmarker, "find", lambda looks: calls.append(len(looks)) or find(looks))
    expected = [poses(detector, picture) for picture in pictures]
    separate = len(calls)
    calls.clear()
    found = detector.detect(pictures)
    assert [len(each) for each in found] == [len(each) for each in expected] == [1, 0, 2, 1]
    assert calls[0] == 4 and len(calls) < 0.7 * separate
    for several, alone in zip(found, expected, strict=True):
        for detection, pose in zip(several, alone, strict=True):
            torch.testing.assert_close(detection.pose, pose, atol=0.05, rtol=0)
    assert detector.detect([]) == []


def test_labels_are_blend_shapes_of_any_detection(detector: FaceMeshDetector, portrait: np.ndarray) -> None:
    assert isinstance(detector, hm.SupportsLabels) and detector.label_names == NAMES
    (found,) = detector.detect([portrait])
    (tracked,) = detector.tracker().push(portrait)
    labels = detector.labels([*found, tracked])
    assert labels.shape == (2, 52) and labels.dtype == torch.float32
    (shapes,) = poses(FaceMeshSpec().build(context("blendshapes")), portrait)
    torch.testing.assert_close(labels, torch.stack([shapes[:, 0]] * 2), atol=1e-3, rtol=0)
    assert detector.labels([]).shape == (0, 52)
    with pytest.raises(hm.DetectorError, match="detections of its own"):
        detector.labels([hm.Detection(found[0].pose, found[0].box)])


# What is no face

BAD = {
    "noise": lambda _: NOISE,
    "one color": lambda _: np.full((512, 512, 3), (200, 150, 130), np.uint8),
    "black": lambda _: NOISE * 0,
    "one pixel": lambda _: NOISE[:1, :1],
    "a long line": lambda _: np.zeros((30_000, 2, 3), np.uint8),
    "a wide line": lambda _: np.zeros((2, 70_000, 3), np.uint8),
    "a face of 10 pixels": lambda portrait: canvas(480, 640, (scaled(portrait, 56), 200, 200)),
    "half a face": lambda portrait: portrait[:, 225:],
}


@pytest.mark.parametrize("kind", BAD)
def test_no_face_is_found_in_time(detector: FaceMeshDetector, portrait: np.ndarray, kind: str) -> None:
    begun = time.process_time()
    assert not poses(detector, BAD[kind](portrait)) and time.process_time() - begun < 5


@pytest.mark.parametrize("name", ["chelsea", "coins", "coffee", "clock", "moon", "rocket"])
def test_cats_coins_and_things_are_no_faces(detector: FaceMeshDetector, name: str) -> None:
    data = pytest.importorskip("skimage.data")
    picture = getattr(data, name)()
    picture = picture if picture.ndim == 3 else np.stack([picture] * 3, axis=-1)
    assert not poses(detector, picture)


@pytest.mark.parametrize(
    "picture",
    [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8)],
)
def test_what_is_no_picture_is_one_line(detector: FaceMeshDetector, picture: np.ndarray) -> None:
    for look in (lambda picture: detector.detect([NOISE, picture]), detector.tracker().push):
        with pytest.raises(hm.DetectorError, match=r"a picture uint8 \[H, W, 3\]"):
            look(picture)


# Videos


def moving(portrait: np.ndarray, frames: int, step: float = 3.0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Frames of a face that moves to the right, and where their pixels lie in the portrait's."""
    for k in range(frames):
        move = np.array([[1, 0, step * k], [0, 1, 0]], np.float64)
        yield cv2.warpAffine(portrait, move, (512, 512), borderMode=cv2.BORDER_REPLICATE), np.array([step * k, 0, 0])


def test_a_face_is_followed_without_the_finder(
    detector: FaceMeshDetector, portrait: np.ndarray, truth: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker, looks, find = detector.tracker(), [], detector._video_landmarker.find
    monkeypatch.setattr(detector._video_landmarker, "find", lambda *given: looks.append(1) or find(*given))
    counts = []
    for picture, moved in moving(portrait, SEARCH_EVERY):
        (found,) = tracker.push(picture)
        assert distance(np.asarray(found.pose) - moved, truth) < 0.03
        counts.append(len(looks))
    assert counts[0] > 0 and counts == [counts[0]] * SEARCH_EVERY


def test_detectors_share_networks_and_graphs_which_give_the_same_to_the_last_bit(portrait: np.ndarray) -> None:
    shared_networks.cache_clear()
    first, second = (FaceMeshSpec().build(context(dims=3)) for _ in range(2))
    assert isinstance(first, FaceMeshDetector) and isinstance(second, FaceMeshDetector)
    with torch.inference_mode():  # of the caller, who is the first to need them
        trackers = [first.tracker(), second.tracker()]
        found = [first.detect([portrait])[0][0].pose, first.tracker().push(portrait)[0].pose]
    assert first._landmarker._networks is second._landmarker._networks
    graphs = {(each._video_landmarker._run_finder, each._video_landmarker._run_mesh) for each in (first, second)}
    assert len(graphs) == 1
    again = [second.detect([portrait])[0][0].pose, trackers[1].push(portrait)[0].pose]
    for before, after in zip(found, again, strict=True):
        assert torch.equal(before, after)


def test_a_still_face_stands_still(detector: FaceMeshDetector, portrait: np.ndarray) -> None:
    tracker = detector.tracker()
    before, after = [tracker.push(portrait)[0].pose for _ in range(6)][-2:]
    assert distance(after, before) < 0.005


def test_a_lost_face_is_found_again(detector: FaceMeshDetector, portrait: np.ndarray) -> None:
    tracker, elsewhere = detector.tracker(), np.ascontiguousarray(np.roll(portrait, 200, axis=1))
    counts = [len(tracker.push(picture)) for picture in (portrait, elsewhere, portrait * 0, portrait * 0, portrait)]
    assert counts == [1, 1, 0, 0, 1]


def test_a_face_that_comes_is_found_and_each_keeps_to_itself(detector: FaceMeshDetector, portrait: np.ndarray) -> None:
    face = portrait[40:200, 140:300]
    one = canvas(320, 560, (scaled(face, 240), 20, 40))
    two = canvas(320, 560, (scaled(face, 240), 20, 40), (scaled(face, 200), 320, 60))
    tracker = detector.tracker()
    assert len(tracker.push(one)) == 1
    found = [tracker.push(two) for _ in range(SEARCH_EVERY + 1)]
    assert [len(each) for each in found[:2]] == [1, 1] and len(found[-1]) == 2
    assert found[-1][0].pose[:, 0].mean() < 280 < found[-1][1].pose[:, 0].mean()


def test_a_restarted_tracker_has_seen_nothing(detector: FaceMeshDetector, portrait: np.ndarray) -> None:
    tracker = detector.tracker()
    first = tracker.push(portrait)[0].pose
    tracker.push(np.ascontiguousarray(np.roll(portrait, 5, axis=1)))
    tracker.restart()
    torch.testing.assert_close(tracker.push(portrait)[0].pose, first)
    torch.testing.assert_close(first, poses(detector, portrait)[0])


def test_one_face_at_most(portrait: np.ndarray) -> None:
    face = portrait[40:200, 140:300]
    tracker = FaceMeshSpec(max_faces=1).build(context()).tracker()  # type: ignore[attr-defined]
    two = canvas(320, 560, (scaled(face, 240), 20, 40), (scaled(face, 200), 320, 60))
    assert [len(tracker.push(two)) for _ in range(3)] == [1, 1, 1]


def test_pictures_without_a_face(detector: FaceMeshDetector) -> None:
    tracker = detector.tracker()
    assert [tracker.push(NOISE) for _ in range(3)] == [[]] * 3


# Geometry


def test_crops_lead_there_and_back() -> None:
    crop = Crop(40, 30, 20, 10, 0.3)
    corners = np.array([[0, 0], [256, 0], [256, 256], [128, 128]], np.float32)
    placed = crop.to_picture(corners, 256)
    np.testing.assert_allclose(placed[3], [40, 30], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(placed[1] - placed[0]), 20, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(placed[2] - placed[1]), 10, atol=1e-4)
    mirrored = crop.mirrored().to_picture(corners, 256)
    np.testing.assert_allclose(mirrored[0], placed[1], atol=1e-4)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_crop_in_a_window_is_the_same_place(mirrored: bool) -> None:
    window, inner = Crop(100, 50, 40, 40, 0.7), Crop(0.3, 0.6, 0.2, 0.1, -0.4)
    window = window.mirrored() if mirrored else window
    point = np.array([[0.9, 0.2]], np.float32)
    through = window.to_picture(inner.to_picture(point, 1), 1)
    np.testing.assert_allclose(inner.within(window).to_picture(point, 1), through, atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(480, 640), (33, 1000), (1, 1), (30_000, 2)])
@pytest.mark.parametrize("parts", [1, 2, 4])
def test_windows_cover_the_picture(height: int, width: int, parts: int) -> None:
    squares = windows(np.zeros((height, width, 3), np.uint8), parts)
    assert len(squares) < 60
    if squares:
        for middle, edge in (("x", width), ("y", height)):
            positions = [
                (getattr(each, middle) - each.width / 2, getattr(each, middle) + each.width / 2) for each in squares
            ]
            assert min(low for low, _ in positions) <= 0 and max(high for _, high in positions) >= edge
