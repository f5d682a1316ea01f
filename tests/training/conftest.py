"""Fixtures that the tests of training share."""

from __future__ import annotations

from pathlib import Path

import pytest

from headmotion.data.synthetic.talking_faces import write_synthetic


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_synthetic(tmp_path_factory.mktemp("data") / "small", clips=8, seconds=2.2, clips_per_speaker=2)
