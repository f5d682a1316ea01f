"""The GRID corpus as it is found: videos with sound, prepared with pictures; pairs whose videos are read as frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import headmotion as hm
from headmotion.core.interfaces.specs import BuildContext
from headmotion.data.corpus import open_corpus
from headmotion.detectors.specs import FaceMeshSpec
from headmotion.preparation import Summary, prepare

FACE = hm.resolve_spec("representation", "landmarks68-3d").build()


@pytest.fixture(scope="module")
def detector() -> hm.Detector:
    return FaceMeshSpec(max_faces=1).build(BuildContext(FACE, 1))


def apart(detector: hm.Detector, picture: np.ndarray, points: np.ndarray) -> float:
    """Distance of points ``[68, 2 or more]`` from those found in a picture ``[3, H, W]``, in eye distances."""
    ((found,),) = detector.detect([np.ascontiguousarray(picture.transpose(1, 2, 0))])
    seen = found.pose[:, :2].numpy()
    return float(np.linalg.norm(seen - points[:, :2], axis=1).mean() / np.linalg.norm(seen[36] - seen[45]))


def test_speakers_of_any_size_of_picture(shared: Path, tmp_path: Path, detector: hm.Detector) -> None:
    """s4 at 720 x 576, and a speaker at 360 x 288."""
    for name in ("s4/pwap8s.mp4", "unnamed3/sentence3.mp4"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).symlink_to(shared / "data/grid_more" / name)
    folder = prepare(
        tmp_path / "in", tmp_path / "c", {"type": "face-mesh", "max_faces": 1}, frames=128, workers=0, quiet=True
    )
    assert str(Summary.read(folder)) == "2 clips, 0.1 minutes; rejected: none"
    corpus = open_corpus(folder)
    assert corpus.picture_size == (128, 128) and corpus.speakers == {"s4", "unnamed3"}
    for number in range(2):
        read = corpus.read(number, ["motion", "frames"], first=40, count=1)
        assert apart(detector, read.frames[0], read.motion[0]) < 0.03
        assert 74 <= corpus.frame_counts[number] <= 76


def test_pairs_with_videos_are_read_as_frames(shared: Path, detector: hm.Detector) -> None:
    """300 of 899 clips; landmarks come in the pixels of the pictures, and were found in larger ones."""
    pairs = open_corpus(shared / "data/grid_s1")
    with_pictures = pairs.select(tracks=["frames"])
    assert (len(pairs), len(with_pictures)) == (899, 300) and with_pictures.picture_size == (128, 128)
    for number in (0, 150, 299):
        read = with_pictures.read(number, ["motion", "frames"], first=30, count=2)
        assert read.frames.shape == (2, 3, 128, 128) and read.motion.shape == (2, 68, 3)
        assert apart(detector, read.frames[1], read.motion[1]) < 0.03
