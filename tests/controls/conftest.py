"""A small pipeline with random weights."""

from __future__ import annotations

import pytest

import headmotion as hm


@pytest.fixture(scope="session")
def pipe() -> hm.Pipeline:
    small = {"type": "ms-sync", "preset": "small", "hidden_size": 32, "pose_size": 16, "branch_size": 16}
    return hm.build({"generator": small}, device="cpu")
