"""The warning about a head that the border of its picture cuts."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

import headmotion as hm
from headmotion.media.image import read_picture

ASSETS = Path(hm.__file__).parent / "assets"
Margins = tuple[int, int, int, int]


@pytest.mark.parametrize(
    ("kept", "sides"),
    [
        ((0, 512, 0, 512), ""),
        ((60, 512, 0, 512), "top"),
        ((0, 512, 175, 512), "left"),
        ((0, 512, 0, 280), "right"),
        ((60, 512, 175, 280), "left, right, top"),
        ((0, 190, 0, 512), ""),
    ],
)
@pytest.mark.parametrize("quarters", [0, 1])
def test_it_names_the_sides_beyond_which_the_head_reaches(
    kept: Margins, sides: str, quarters: int, caplog: pytest.LogCaptureFixture
) -> None:
    top, bottom, left, right = kept
    picture = read_picture(ASSETS / "portrait.png")[top:bottom, left:right]
    pose = np.load(ASSETS / "portrait_landmarks.npz")["landmarks"][:, :2] - np.float32([left, top])
    if quarters:  # to the left: what was above is at the left
        pose = np.stack([pose[:, 1], picture.shape[1] - 1 - pose[:, 0]], axis=1)
        picture = np.ascontiguousarray(np.rot90(picture))
        turned = {"top": "left", "left": "bottom", "right": "top"}
        sides = ", ".join(
            name for name in ("left", "right", "top", "bottom") if name in map(turned.get, sides.split(", "))
        )
    pipe = hm.load("ms-sync", device="cpu")
    motion = pipe.generate((np.zeros(640, np.float32), 16_000), reference=pose.astype(np.float32))
    with caplog.at_level(logging.WARNING, "headmotion"):
        list(pipe.renderer.frames([motion], picture))
    messages = [message for message in caplog.messages if "reaches" in message]
    assert len(messages) == bool(sides)
    assert not sides or f"({sides})" in messages[0]
