"""Folders of videos, good and bad, to a corpus."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blobs import BlobsSpec, content, nodding, picture, pose, talking, video

import headmotion as hm
from headmotion.data.corpus import open_corpus
from headmotion.preparation import Summary, prepare

HOURS = 4


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory, rotate_video: Callable[[Path], Path]) -> Path:
    """Every kind of file that one may meet, in one folder."""
    folder = tmp_path_factory.mktemp("videos")
    (folder / "ann/day 1").mkdir(parents=True)
    speech = talking(4)
    video(folder / "ann/day 1/good.mkv", nodding(100), speech)
    video(folder / "ann/other.mp4", nodding(120), speech, rate=30, audio_codec="aac")
    video(folder / "cut.mkv", [*nodding(60), *nodding(60, ground=1)], talking(4.8))
    video(folder / "gap.mkv", [picture() if 50 <= k < 55 else each for k, each in enumerate(nodding(100))], speech)
    video(folder / "leaves.mkv", [picture() if 50 <= k < 56 else each for k, each in enumerate(nodding(100))], speech)
    video(folder / "two.mkv", [picture((75 + k / 20, 60, 70), (215, 60, 60), width=256) for k in range(60)], speech)
    video(folder / "varying.mkv", nodding(80), speech, stamps_ms=np.cumsum([0] + [30, 50, 70] * 27)[:80].tolist())
    video(folder / "portrait.mp4", nodding(100), speech, audio_codec="aac")
    rotate_video(folder / "portrait.mp4")
    video(folder / "no_audio.mkv", nodding(100))
    video(folder / "silent.mkv", nodding(100), speech * 0)
    video(folder / "one_fps.mkv", nodding(10), talking(10), rate=1)
    video(folder / "nobody.mkv", [picture()] * 60, speech)
    video(folder / "far.mkv", [picture((60, 60, 40))] * 60, speech)
    video(folder / "short.mkv", nodding(40), speech)
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("no video " * 100)
    whole = video(folder / "cut_off.mpg", nodding(200), talking(8), codec="mpeg1video", audio_codec="mp2").read_bytes()
    (folder / "cut_off.mpg").write_bytes(whole[: len(whole) // 2])
    _damage(video(folder / "damaged.mp4", nodding(200), talking(8), audio_codec="aac"))
    _long(folder / "long.mkv")
    (folder / "notes.txt").write_text("not looked at")
    return folder


def _damage(path: Path) -> None:
    raw = path.read_bytes()
    middle, count = len(raw) // 2, len(raw) // 8
    path.write_bytes(raw[:middle] + b"\xff" * count + raw[middle + count :])


def _long(path: Path) -> None:
    """Three seconds of talk in the middle of hours with hardly any picture or sound."""
    middle = HOURS * 1_800_000
    stamps = [
        *range(0, middle, 60_000),
        *range(middle, middle + 3000, 40),
        *range(2 * middle - 60_000, 2 * middle, 60_000),
    ]
    pictures = [next(nodding(1)) if middle <= stamp < middle + 3000 else picture() for stamp in stamps]
    quiet = np.zeros(16_000, np.float32)
    sound = [(at, quiet) for at in range(0, 2 * middle, 300_000)]
    sound[len(sound) // 2] = (middle, talking(3))
    video(path, pictures, sound, stamps_ms=stamps)


@pytest.fixture(scope="module")
def corpus(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made in this process."""
    output = tmp_path_factory.mktemp("made") / "corpus"
    return prepare(videos, output, BlobsSpec(), license="CC0", distribute=True, workers=0, quiet=True)


def refused(corpus: Path) -> dict[str, str]:
    """The reason by video; every clip of those here has the same."""
    lines = [json.loads(line) for line in (corpus / "rejected.jsonl").read_text().splitlines()]
    return {line["source"]: line["reason"] for line in lines}


def test_good_videos_become_clips_and_others_have_a_reason(corpus: Path) -> None:
    assert refused(corpus) == {
        "damaged.mp4": "damaged",
        "empty.mp4": "unreadable",
        "far.mkv": "face_too_small",
        "leaves.mkv": "too_short",
        "no_audio.mkv": "no_audio",
        "nobody.mkv": "no_face",
        "one_fps.mkv": "low_frame_rate",
        "short.mkv": "too_short",
        "silent.mkv": "silence",
        "text.mp4": "unreadable",
    }
    taken = [entry.source for entry in open_corpus(corpus).entries]
    assert taken == [
        "ann/day 1/good.mkv",
        "ann/other.mp4",
        "cut.mkv",
        "cut.mkv",
        "cut_off.mpg",
        "gap.mkv",
        "leaves.mkv",
        "long.mkv",
        "portrait.mp4",
        "two.mkv",
        "two.mkv",
        "varying.mkv",
    ]


def test_clips_are_whole(corpus: Path) -> None:
    clips = list(open_corpus(corpus))
    assert clips
    for clip in clips:
        assert clip.landmarks.shape[1:] == (68, 3) and len(clip.audio) == 640 * len(clip.landmarks)
        assert clip.fps == 25 and clip.image_size == (256, 256)
        assert (clip.license, clip.distribute) == ("CC0", True)
        assert np.abs(clip.audio).max() > 0.01


def by_source(corpus: Path, name: str) -> list[Any]:
    return [clip for clip in open_corpus(corpus) if clip.source == name]


def in_source(clip: Any) -> np.ndarray:
    x, y, side = clip.checks["crop_box"]
    return clip.landmarks * side / 256 + np.array([x, y, 0])


def test_landmarks_and_audio_are_those_of_the_video(corpus: Path) -> None:
    (clip,) = by_source(corpus, "ann/day 1/good.mkv")
    true = np.stack([pose(70 + 5 * np.sin(k / 10), 60, 70).numpy() for k in range(100)])
    assert np.abs(in_source(clip) - true)[..., :2].max() < 2
    np.testing.assert_allclose(clip.audio, talking(4), atol=1e-4)


def test_speech_in_the_middle_of_hours(corpus: Path) -> None:
    (clip,) = by_source(corpus, "long.mkv")
    assert (clip.checks["start_seconds"], clip.seconds) == (HOURS * 1800, 2.96 + 2)
    loud = np.abs(clip.audio) > 0.02
    assert loud[:40_000].any() and not loud[3 * 16_000 + 200 :].any()


def test_shots_people_gaps_and_phones(corpus: Path) -> None:
    one, other = by_source(corpus, "cut.mkv")
    assert one.id.endswith("-000-00") and other.id.endswith("-001-00")
    assert (one.seconds, other.seconds, other.checks["start_seconds"]) == (2.4, 2.4, 2.4)
    left, right = sorted(by_source(corpus, "two.mkv"), key=lambda clip: clip.checks["crop_box"])
    assert left.speaker == right.speaker == "two" and {left.id[-2:], right.id[-2:]} == {"00", "01"}
    np.testing.assert_array_equal(left.audio, right.audio)
    (filled,) = by_source(corpus, "gap.mkv")
    assert (filled.seconds, filled.checks["bridged_frames"]) == (4, 5)
    (rest,) = by_source(corpus, "leaves.mkv")
    assert rest.seconds == 2
    (upright,) = by_source(corpus, "portrait.mp4")
    middle = np.ptp(in_source(upright)[..., :2], axis=1)[0] / 2 + in_source(upright)[0, :, :2].min(axis=0)
    np.testing.assert_allclose(middle, [60, 70], atol=2)


def test_speakers_come_from_folders_and_stay_in_one_split(corpus: Path) -> None:
    entries = open_corpus(corpus).entries
    assert {entry.source: entry.speaker for entry in entries}["ann/other.mp4"] == "ann"
    splits: dict[str, set[str]] = {}
    for entry in entries:
        splits.setdefault(entry.speaker, set()).add(entry.split)
    assert all(len(each) == 1 for each in splits.values())


def test_summary(corpus: Path) -> None:
    summary = Summary.read(corpus)
    assert summary.clips == 12 and str(summary).startswith(
        "12 clips, 0.7 minutes; rejected: 1 damaged, 1 face_too_small"
    )


def test_worker_processes_make_the_same(videos: Path, corpus: Path, tmp_path: Path, installed: None) -> None:
    made = prepare(videos, tmp_path / "c", BlobsSpec(), license="CC0", distribute=True, workers=2, quiet=True)
    assert content(made) == content(corpus)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_hours_need_no_more_memory_than_seconds(videos: Path, tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from blobs import BlobsSpec
from headmotion.preparation import prepare
for video in sys.argv[1:]:
    prepare(video, Path(video).name + ".made", BlobsSpec(), workers=0, quiet=True)
    (peak,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(int(peak.split()[1]) // 1000)
"""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", code, str(videos / "gap.mkv"), str(videos / "long.mkv")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    short, long = map(int, done.stdout.split())
    assert long - short < 60  # megabytes; its wave alone has 900


def test_nothing_usable_is_reported_and_may_be_repeated(videos: Path, tmp_path: Path) -> None:
    given = [videos / name for name in ("silent.mkv", "empty.mp4")]
    made = prepare(given, tmp_path / "c", BlobsSpec(), workers=0, quiet=True)
    assert content(made).keys() == {"rejected.jsonl"} and refused(made)["silent.mkv"] == "silence"
    assert str(Summary.read(made)) == "0 clips, 0.0 minutes; rejected: 1 silence, 1 unreadable"
    prepare(given, tmp_path / "c", BlobsSpec(), min_level_db=-100, workers=0, quiet=True)
    prepare(videos / "gap.mkv", tmp_path / "c", BlobsSpec(), workers=0, quiet=True)
    assert Summary.read(made).clips == 1
    with pytest.raises(hm.CorpusError, match="corpus already"):
        prepare(given, tmp_path / "c", BlobsSpec(), workers=0, quiet=True)


@pytest.mark.parametrize("crop", ["face", "none"])
def test_other_crops(videos: Path, tmp_path: Path, crop: Any) -> None:
    made = prepare(videos / "gap.mkv", tmp_path / "c", BlobsSpec(), crop=crop, workers=0, quiet=True)
    (clip,) = open_corpus(made)
    assert clip.image_size == ((120, 160) if crop == "none" else (256, 256)) and "crop_box" not in clip.checks


@pytest.mark.parametrize("workers", [0, 1])
def test_a_detector_that_does_not_work_is_no_fault_of_the_videos(
    videos: Path, tmp_path: Path, installed: None, workers: int
) -> None:
    with pytest.raises(hm.DetectorError, match="expected its model"):
        prepare(videos / "gap.mkv", tmp_path / "c", BlobsSpec(works=False), workers=workers, quiet=True)
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("name", ["corpus.json", "index.safetensors", "shards"])
def test_what_is_in_the_folder_is_not_written_over(videos: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / name).write_text("precious")
    with pytest.raises(hm.CorpusError, match="a new folder"):
        prepare(videos / "gap.mkv", tmp_path / "c", BlobsSpec(), workers=0, quiet=True)
    assert content(tmp_path / "c") == {name: b"precious"}


@pytest.mark.parametrize(
    "values", [{"workers": -1}, {"stall_seconds": 0}, {"min_second": 1}, {"crop": "head"}], ids=str
)
def test_bad_arguments(videos: Path, tmp_path: Path, values: dict[str, Any]) -> None:
    with pytest.raises(hm.SpecError):
        prepare(videos, tmp_path / "c", BlobsSpec(), quiet=True, **values)
    assert not (tmp_path / "c").exists()


def test_landmarks_with_sound_files(corpus: Path, tmp_path: Path) -> None:
    import soundfile

    (clip,) = by_source(corpus, "gap.mkv")
    (tmp_path / "in/bob").mkdir(parents=True)
    np.savez(tmp_path / "in/bob/a.npz", landmarks=clip.landmarks, fps=25)
    soundfile.write(tmp_path / "in/bob/a.flac", clip.audio, 16_000)
    made = prepare(tmp_path / "in", tmp_path / "c", speaker="folder", license="CC0", quiet=True)
    (read,) = open_corpus(made)
    assert (read.speaker, read.license) == ("bob", "CC0")
    np.testing.assert_array_equal(read.landmarks, clip.landmarks)
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    assert prepare(tmp_path / "in", made, speaker="folder", license="CC0", quiet=True) == made  # as after a kill
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*")} == before
    np.savez(tmp_path / "in/bob/b.npz", landmarks=clip.landmarks, fps=25)
    for choices in ({"license": "CC0"}, {"license": "CC-BY", "speaker": "folder"}, {"license": "CC0", "val": 0.2}):
        with pytest.raises(hm.CorpusError, match="is a corpus already"):
            prepare(tmp_path / "in", made, quiet=True, **choices)  # type: ignore[arg-type]
