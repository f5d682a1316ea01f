"""Pictures of faces are the fixed square of each clip, with landmarks in their pixels; labels are what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blobs import Blobs, BlobsSpec, content, nodding, picture, talking, video
from click.testing import CliRunner

from headmotion.cli import cli
from headmotion.core.errors import SpecError
from headmotion.data.corpus import Corpus, open_corpus, write_corpus
from headmotion.data.synthetic.talking_faces import synthetic_clip
from headmotion.preparation import Summary, prepare
from headmotion.preparation.face_pictures import cut_square


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    video(folder / "cut.mkv", [*nodding(60), *nodding(60, ground=1)], talking(4.8))
    gap = [picture() if 30 <= k < 33 else each for k, each in enumerate(nodding(60))]
    video(folder / "gap.mkv", gap, talking(2.4))
    video(folder / "slow.mkv", nodding(34), talking(2.4), rate=14)
    video(
        folder / "two.mkv", [picture((75 + k / 5, 60, 60), (215, 60, 58), width=256) for k in range(60)], talking(2.4)
    )
    video(folder / "short.mkv", nodding(30), talking(1.2))
    large = np.kron(picture((70, 60, 70)), np.ones((12, 12, 1), np.uint8))
    video(folder / "large.mkv", [large] * 55, talking(2.2))
    return folder


def _two_people() -> list[np.ndarray]:
    return [picture((75 + k / 5, 60, 60), (215, 60, 58), width=256) for k in range(60)]


def run(videos: Path, output: Path, **options: object) -> Corpus:
    return open_corpus(prepare(videos, output, BlobsSpec(), workers=0, quiet=True, **options))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def corpus(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return run(videos, tmp_path_factory.mktemp("made") / "c", frames=64, labels=True)


def red_box(image: np.ndarray) -> np.ndarray:
    """Left, top, right and bottom edge of what is red in a picture ``[3, H, W]``."""
    red, green, blue = image.astype(int)
    rows, columns = np.nonzero((red > 150) & (green < 100) & (blue < 100))
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


def test_landmarks_are_in_the_pixels_of_the_pictures(corpus: Corpus) -> None:
    assert len(corpus) == 7 and corpus.picture_size == (64, 64)
    for number, clip in enumerate(corpus):
        assert clip.image_size == (64, 64) and clip.frames.size == (64, 64)
        read = corpus.read(number, ["motion", "frames"])
        checked = 0
        for points, image, box in zip(read.motion, read.frames, clip.labels, strict=True):
            if clip.source == "gap.mkv" and 30 <= checked < 33:  # nobody is there, and the pose is a guess
                checked += 1
                continue
            edges = np.concatenate([points[:, :2].min(0), points[:, :2].max(0)])
            middle = (edges[:2] + edges[2:]) / 2
            seen = red_box(image)
            np.testing.assert_allclose((seen[:2] + seen[2:]) / 2, middle, atol=1.0)
            # The square is as long as the longer edge of the face's box, and a face fills half of its clip's square.
            assert abs((seen[2] - seen[0]) - (edges[2:] - edges[:2]).max()) < 2.0
            assert box[1] > 0
            checked += 1
        assert checked == len(clip.landmarks) > 50


def test_the_square_of_a_clip_does_not_move(corpus: Corpus) -> None:
    clip = next(clip for clip in corpus if clip.source == "cut.mkv")
    assert np.ptp([red_box(image)[0] for image in clip.frames.read()]) > 2, "the face does"
    ground = clip.frames.read()[:, :, 2:6, 20:40].astype(int)
    assert np.abs(ground - ground[0]).mean() < 4


def test_labels_belong_to_their_frames(corpus: Corpus) -> None:
    assert corpus.label_names == ("middle", "length")
    for clip in corpus:
        if clip.source == "large.mkv":  # the labels of this detector are pixels of the reduced picture
            continue
        x, _, side = clip.checks["crop_box"]
        middles = (clip.landmarks[..., 0].min(1) + clip.landmarks[..., 0].max(1)) / 2
        np.testing.assert_allclose(clip.labels[:, 0], middles * side / 64 + x, atol=0.02 * side)


def test_without_them_nothing_changes(videos: Path, corpus: Corpus, tmp_path: Path) -> None:
    plain = run(videos, tmp_path / "plain")
    assert plain.tracks == {"motion", "audio", "wave"} and len(plain) == len(corpus)
    for clip, other in zip(plain, corpus, strict=True):
        np.testing.assert_allclose(clip.landmarks / 4, other.landmarks, atol=1e-3)
        assert clip.id == other.id and np.array_equal(clip.audio, other.audio)


def test_workers_and_quality(videos: Path, corpus: Corpus, tmp_path: Path, installed: None) -> None:
    folder = prepare(
        videos, tmp_path / "c", BlobsSpec(), workers=2, quiet=True, frames=64, labels=True, frame_quality=90
    )
    assert content(folder) == content(Path(corpus.entries[0].folder))
    small = run(videos, tmp_path / "small", frames=64, frame_quality=20)
    frames: list[Any] = [each[0].frames for each in (small, corpus)]
    sizes = [sum(map(len, each.encoded_pictures())) for each in frames]
    assert sizes[0] < 0.7 * sizes[1]


def test_what_does_not_fit(videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for crop in ("face", "none"):
        with pytest.raises(SpecError, match="the crop 'shot' with frames"):
            run(videos, tmp_path / "c", frames=64, crop=crop)
    with pytest.raises(SpecError, match="frames"):
        run(videos, tmp_path / "c", frames=8)
    landmarks = write_corpus(tmp_path / "landmarks", [synthetic_clip(0, 1.0)])
    with pytest.raises(SpecError, match="videos, for a detector with labels"):
        run(landmarks, tmp_path / "c", labels=True)
    monkeypatch.delattr(Blobs, "labels")
    with pytest.raises(SpecError, match=r"a detector that gives labels, got .*squares"):
        run(videos, tmp_path / "c", labels=True)
    assert not (tmp_path / "c").exists()


def test_a_folder_of_pairs_with_videos(videos: Path, corpus: Corpus, tmp_path: Path) -> None:
    clips = [synthetic_clip(k, 2.0, speaker=k) for k in range(2)]
    for clip in clips:
        folder = tmp_path / "in"
        folder.mkdir(exist_ok=True)
        np.savez(folder / f"{clip.id}.npz", landmarks=clip.landmarks, fps=25, crop_box=[10, 20, 100])
        video(folder / f"{clip.id}.mp4", nodding(50))
    import soundfile

    for clip in clips:
        soundfile.write(folder / f"{clip.id}.flac", clip.audio, 16_000)
    result = CliRunner().invoke(cli, ["prepare", str(folder), "-o", str(tmp_path / "c"), "--frames", "32", "-q"])
    assert result.exit_code == 0, result.output
    made = open_corpus(tmp_path / "c")
    assert made.picture_size == (24, 32) and Summary.read(tmp_path / "c").clips == 2
    np.testing.assert_allclose(made[0].landmarks[..., 0], (clips[0].landmarks[..., 0] - 10) * 0.32, atol=1e-3)


def test_a_square_beyond_the_picture_goes_on_with_its_border() -> None:
    image = np.zeros((10, 20, 3), np.uint8)
    image[:, :10] = 200
    cut = cut_square(image, (-10, -5, 20), 1.0, 40)
    assert cut.shape == (40, 40, 3) and (cut == 200).all()
    halves = cut_square(image, (10, 0, 20), 2.0, 10)
    assert (halves[:, :4] == 200).all() and (halves[:, 6:] == 0).all()
