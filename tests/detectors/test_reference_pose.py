"""Which face is meant, and what is said of one that will not do; poses at the end of a video."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from brightness import FACE, Brightness, pose, video
from hypothesis import given
from hypothesis import strategies as st

import headmotion as hm
from headmotion.core.interfaces.detector import box_of
from headmotion.detectors.pose_faults import faults
from headmotion.detectors.reference_pose import LONGEST_EDGE, PoseFinder
from headmotion.detectors.specs import MediapipeSpec


class FixedDetector(hm.Detector):
    """Returns fixed poses and records the pictures."""

    def __init__(self, *poses: torch.Tensor) -> None:
        super().__init__(MediapipeSpec())
        self.poses, self.pictures = poses, []

    def detect(self, images: Sequence[np.ndarray]) -> list[list[hm.Detection]]:
        self.pictures += images
        return [[hm.Detection(pose, box_of(pose)) for pose in self.poses]] * len(images)


PICTURE = np.zeros((200, 600, 3), np.uint8)
THREE = (pose(300, 100, 60), pose(500, 100, 50), pose(100, 100, 40))


def test_one_good_face_is_taken_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    poses = PoseFinder(FixedDetector(pose(100, 100, 40)), FACE).in_picture(PICTURE)
    torch.testing.assert_close(poses, pose(100, 100, 40)[None])
    assert not caplog.records


def test_of_several_the_largest_is_taken_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    poses = PoseFinder(FixedDetector(*THREE), FACE).in_picture(PICTURE)
    torch.testing.assert_close(poses[0], THREE[0])
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "3 faces: 1 at (100, " in caplog.text and "--face N" in caplog.text


@pytest.mark.parametrize(("face", "index"), [(1, 2), (2, 0), (3, 1)])
def test_faces_are_numbered_from_the_left(face: int, index: int, caplog: pytest.LogCaptureFixture) -> None:
    poses = PoseFinder(FixedDetector(*THREE), FACE, face).in_picture(PICTURE)
    torch.testing.assert_close(poses[0], THREE[index])
    assert not caplog.records


@pytest.mark.parametrize("face", [0, 4, -1, "leftmost"])
def test_a_face_that_is_not_there(face: int) -> None:
    with pytest.raises(hm.DetectorError, match=r"from 1 to 3.*3 faces: 1 at"):
        PoseFinder(FixedDetector(*THREE), FACE, face).in_picture(PICTURE)


@given(st.integers(1, 4000), st.integers(1, 4000))
def test_large_pictures_are_reduced_and_the_pose_comes_back_in_their_pixels(height: int, width: int) -> None:
    detector = FixedDetector(pose(40, 30, 50))
    poses = PoseFinder(detector, FACE).in_picture(np.zeros((height, width, 3), np.uint8))
    (searched,) = detector.pictures
    assert max(searched.shape[:2]) == min(max(height, width), LONGEST_EDGE)
    factor = max(1.0, max(height, width) / LONGEST_EDGE)
    torch.testing.assert_close(poses[0], pose(40, 30, 50) * factor, atol=1e-2, rtol=1e-4)


def test_depth_is_scaled_with_the_picture() -> None:
    solid = hm.PipelineSpec(representation={"type": "landmarks68", "dims": 3}).representation.build()  # type: ignore[arg-type]
    flat = pose(640, 300, 100)
    deep = torch.cat([flat, flat[:, :1] / 10 - 64], dim=1)
    poses = PoseFinder(FixedDetector(deep), solid).in_picture(np.zeros((1280, 2560, 3), np.uint8))
    torch.testing.assert_close(poses[0], deep * 2)


def turned(degrees: float) -> torch.Tensor:
    """The face turned about the vertical, its nose standing out by 0.4 of the distance of the eye corners."""
    flat = pose(0, 0, 100)
    depth = torch.zeros(68)
    depth[27:36] = torch.tensor([15.0, 25, 35, 40, 20, 25, 30, 25, 20])
    angle = torch.tensor(degrees).deg2rad()
    return torch.stack([flat[:, 0] * angle.cos() + depth * angle.sin() + 300, flat[:, 1] + 300], dim=1)


def test_faults_are_named() -> None:
    assert faults(turned(0), FACE, 600, 600) == faults(turned(30), FACE, 600, 600) == []
    (profile,) = faults(turned(65), FACE, 600, 600)
    assert "profile" in profile
    (on_head,) = faults(torch.tensor([300.0, 300]) - pose(0, 0, 50), FACE, 600, 600)
    assert on_head == "the face is turned by 180 degrees: turn the picture upright"
    (small,) = faults(pose(100, 100, 31), FACE, 200, 200)
    assert "31 px" in small
    (cut,) = faults(pose(100, 100, 40), FACE, 90, 200)
    assert "cut off" in cut and "of 68 points" in cut


def test_faults_are_logged_once_and_the_pose_is_returned(caplog: pytest.LogCaptureFixture) -> None:
    poses = PoseFinder(FixedDetector(pose(0, 100, 20)), FACE).in_picture(PICTURE)
    assert poses.shape == (1, 68, 2) and len(caplog.records) == 2


def test_a_video_ends_in_its_last_poses(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mp4", list(range(20, 220, 2)))
    poses = PoseFinder(Brightness(MediapipeSpec()), FACE, face=1).in_video(path, 4, Fraction(25))
    middles = poses[..., 0].mean(dim=1) - pose(0, 50, 50)[:, 0].mean()
    torch.testing.assert_close(middles, torch.tensor([212.0, 214, 216, 218]), atol=1.5, rtol=0)
    assert torch.all(middles.diff() > 0)


def test_poses_of_a_video_are_taken_at_the_rate_of_the_model(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mp4", list(range(20, 220, 2)), rate=50)
    poses = PoseFinder(Brightness(MediapipeSpec()), FACE, face=1).in_video(path, 3, Fraction(25))
    middles = poses[..., 0].mean(dim=1) - pose(0, 50, 50)[:, 0].mean()
    torch.testing.assert_close(middles, torch.tensor([210.0, 214, 218]), atol=1.5, rtol=0)


def test_a_gap_in_a_video_ends_the_search(tmp_path: Path) -> None:
    finder = PoseFinder(Brightness(MediapipeSpec()), FACE, face=1)
    assert finder.in_video(video(tmp_path / "a.mp4", [90, 0, 90, 90]), 4, Fraction(25)).shape == (2, 68, 2)
    assert finder.in_video(video(tmp_path / "b.mp4", [90]), 4, Fraction(25)).shape == (1, 68, 2)
    with pytest.raises(hm.DetectorError):
        finder.in_video(video(tmp_path / "c.mp4", [90, 90, 0]), 4, Fraction(25))
