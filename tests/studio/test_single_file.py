"""A talk as one HTML file, opened from a disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

import headmotion as hm
from headmotion.studio.faces import bundled_face
from headmotion.studio.single_file import talk_page

FRAMES = 10


def test_saved_page_has_no_links_and_plays_from_a_disk(page: Any, tmp_path: Path) -> None:
    face = bundled_face()
    motion = hm.Motion(np.tile(face.pose, (FRAMES, 1, 1)), fps=25)
    speech = hm.Audio(np.random.default_rng(0).normal(0, 0.1, 6400).astype(np.float32), 16_000)
    text = talk_page(face.described("head"), motion, speech)
    assert not re.search(r"https?://|src=|href=", text)
    (tmp_path / "talk.html").write_text(text, "utf-8")
    page.goto((tmp_path / "talk.html").as_uri())
    page.wait_for_selector("body[data-ready]")
    assert page.evaluate("[portrait.width, portrait.height]") == [512, 512]
    assert page.evaluate("Number(position.max)") == FRAMES / 25
