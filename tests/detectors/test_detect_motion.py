"""The motion in a video or picture file: one person, at a constant rate, with every interpolated frame reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from brightness import Brightness, video
from PIL import Image

import headmotion as hm
from headmotion.detectors.detect_motion import detect_motion
from headmotion.detectors.specs import MediapipeSpec


class BrightnessSpec(MediapipeSpec):
    def build(self, context: Any) -> hm.Detector:
        return Brightness(self)


def centers(motion: hm.Motion) -> np.ndarray:
    return np.asarray(motion.values[:, :, 0].mean(dim=1))


def test_a_face_is_followed_and_gaps_are_interpolated(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = video(tmp_path / "a.mp4", [0, 60, 80, 0, 0, 140, 160, 0])
    motion = detect_motion(path, detector=BrightnessSpec(), face=1)
    assert len(motion) == 8 and motion.fps == 25 and motion.units == "px" and motion.reference is not None
    expected = centers(motion)[1] + np.array([0, 0, 20, 40, 60, 80, 100, 100])
    np.testing.assert_allclose(centers(motion), expected, atol=3)
    assert "4 of 8 frames show no face" in caplog.text
    assert len(detect_motion(path, detector=BrightnessSpec(), fps=50)) == 16


def test_a_picture_is_a_motion_of_one_frame(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), (90, 90, 90)).save(tmp_path / "a.png")
    motion = detect_motion(tmp_path / "a.png", detector=BrightnessSpec(), face=2)
    assert len(motion) == 1
    saved = motion.save(tmp_path / "a.npz")
    reference = hm.build({}, device="cpu").reference(saved)
    torch.testing.assert_close(reference.poses[0], motion.values[0])


@pytest.mark.parametrize(
    ("name", "error"),
    [("none.mp4", "No such file"), ("text.txt", "a picture or a video"), ("dark.mp4", "a face in the video")],
)
def test_a_mistake_is_one_line(tmp_path: Path, name: str, error: str) -> None:
    (tmp_path / "text.txt").write_text("text")
    video(tmp_path / "dark.mp4", [0, 0])
    with pytest.raises(hm.HeadmotionError, match=error):
        detect_motion(tmp_path / name, detector=BrightnessSpec())
