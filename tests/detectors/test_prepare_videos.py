"""Videos to a corpus with the real mediapipe, in the environment that `make test` keeps for it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from headmotion.data.corpus import open_corpus
from headmotion.preparation import Summary, prepare

pytest.importorskip(
    "mediapipe", reason="mediapipe is not in this environment: `make test` runs this in .venv-mediapipe"
)

STORED = {"grid_lbax4n.mpg": "LipNet__GRID_lbax4n__0", "grid_lbbc2a.mpg": "LipNet__GRID_lbbc2a__0"}


@pytest.fixture(scope="module")
def corpus(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    videos = [shared / "data/videos" / name for name in (*STORED, "no_audio.mp4")]
    return prepare(videos, tmp_path_factory.mktemp("made") / "c", "mediapipe", workers=2, quiet=True)


def test_what_is_made(corpus: Path) -> None:
    assert str(Summary.read(corpus)) == "2 clips, 0.1 minutes; rejected: 1 no_audio"
    assert json.loads((corpus / "rejected.jsonl").read_text())["source"] == "no_audio.mp4"


def test_landmarks_and_sound_are_those_that_were_found_before(corpus: Path, shared: Path) -> None:
    """In distances of the outer eye corners, measured: 0.014 and 0.008."""
    clips = list(open_corpus(corpus))
    assert len(clips) == 2
    for clip in clips:
        stored = np.load(shared / "data/clips" / f"{STORED[clip.source]}.npz")["landmarks"]
        x, y, side = clip.checks["crop_box"]
        found = clip.landmarks * side / 256 + np.array([x, y, 0])
        size = np.linalg.norm(stored[:, 36, :2] - stored[:, 45, :2], axis=1)
        distances = np.linalg.norm((found - stored)[..., :2], axis=-1).mean(axis=1) / size
        assert found.shape == stored.shape and distances.mean() < 0.02
        wave, _ = soundfile.read(shared / "data/clips" / f"{STORED[clip.source]}.flac", dtype="float32")
        assert np.corrcoef(wave, clip.audio)[0, 1] > 0.999
