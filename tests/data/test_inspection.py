"""The inspection names what was made wrong on purpose, and nothing else."""

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from headmotion.cli import cli
from headmotion.core.errors import CorpusError, HeadmotionError
from headmotion.data.clip import Clip
from headmotion.data.corpus import write_corpus
from headmotion.data.infer_representation import infer_representation
from headmotion.data.inspection import CorpusReport, inspect_corpus
from headmotion.data.inspection.audio_stats import audio_stats
from headmotion.data.inspection.motion_stats import motion_stats
from headmotion.data.shard_writer import write_shards
from headmotion.data.synthetic.talking_faces import synthetic_clip
from headmotion.sync import trained as syncing
from headmotion.sync.syncer_pyramid import SyncMeasure

SHARED = Path(__file__).parents[3] / "shared" / "data"
FACE = {"type": "landmarks68", "dims": 3}


@pytest.fixture(scope="module")
def talking() -> list[Clip]:
    """Six clips of six people."""
    return [replace(synthetic_clip(k, 4.0, speaker=k, clean=True), speaker=f"lab_{k}") for k in range(6)]


def as_shards(folder: Path, clips: Iterable[Clip]) -> Path:
    return write_shards(folder / "corpus", clips, representation=FACE, shard_bytes=1)


def titles(report: CorpusReport) -> dict[str, list[str]]:
    return {each.title: [name for name, _ in each.clips] for each in report.findings}


def test_good_clips_have_nothing_wrong(talking: list[Clip], tmp_path: Path) -> None:
    report = inspect_corpus(as_shards(tmp_path, talking))
    assert report.is_intact and titles(report) == {}
    summary = json.loads(json.dumps(report.summary(), allow_nan=False))
    assert (summary["clips"], summary["speakers"], summary["damaged"]) == (6, 6, 0)
    assert summary["splits"] == {"train": {"clips": 6, "speakers": 6, "hours": round(24 / 3600, 4)}}
    assert summary["motion"]["lips"]["median"] > 2 * summary["motion"]["nose"]["median"]
    assert summary["av_offset"]["method"] == "loudness"
    assert [abs(each["frames"]) <= 1 for each in summary["av_offset"]["groups"]] == [True]


def late(clip: Clip, frames: int) -> Clip:
    return replace(clip, audio=np.roll(clip.audio, 640 * frames))


@pytest.mark.parametrize("frames", [-4, 3])
def test_a_group_with_late_or_early_audio(frames: int, talking: list[Clip], tmp_path: Path) -> None:
    made = [replace(late(clip, -frames), id=f"x{clip.id}", speaker=f"studio_{k}") for k, clip in enumerate(talking)]
    report = inspect_corpus(as_shards(tmp_path, [*talking, *made]))
    (found,) = [each for each in report.findings if each.title == "audio and motion apart"]
    assert [name for name, _ in found.clips] == ["speakers studio*"]
    offset = int(re.search(r"\(([+-]\d+) frames, 6 clips\)", found.clips[0][1])[1])  # type: ignore[index]
    assert abs(offset - frames) <= 1 and ("late" if frames < 0 else "early") in found.clips[0][1]


@pytest.mark.parametrize(
    ("checks", "frames"),
    [
        ({"av_offset": -3}, -3),
        ({"av_offset_ms": -120, "av_confidence": 0.5}, -3),
        ({"av_offset_ms": -120, "av_confidence": 0.1}, None),
        ({"av_offset": True}, None),
        ({"av_offset": "-3"}, None),
    ],
)
def test_offsets_that_preparation_noted(
    checks: dict[str, object], frames: int | None, talking: list[Clip], tmp_path: Path
) -> None:
    report = inspect_corpus(as_shards(tmp_path, [replace(clip, checks=checks) for clip in talking]))
    assert ("audio and motion apart" in titles(report)) == (frames is not None)
    assert (report.method == "checks") == (frames is not None)
    if frames is not None:
        assert report.offsets == [pytest.approx(frames)] * 6


class FakeSyncers:
    """Sure at the finest level that all sound is late."""

    def __init__(self, points: int) -> None:
        self.representation = infer_representation((1, points, 2)).build(None)
        self.fps = 25.0

    def measure(self, landmarks: np.ndarray, audio: np.ndarray) -> list[SyncMeasure]:
        return [SyncMeasure(-3, 0.5, -0.12), SyncMeasure(1, 0.9, 0.08)]


def test_offsets_by_syncers(talking: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = as_shards(tmp_path, talking)
    monkeypatch.setattr(syncing, "load_syncers", lambda path: FakeSyncers(68))
    report = inspect_corpus(folder, syncers="syncers.safetensors")
    assert (report.method, report.offsets) == ("syncers", [-3.0] * 6)
    assert titles(report)["audio and motion apart"] == ["all clips"]
    monkeypatch.setattr(syncing, "load_syncers", lambda path: FakeSyncers(10))
    with pytest.raises(CorpusError, match="on which the syncers were trained"):
        inspect_corpus(folder, syncers="syncers.safetensors")


def frozen(clip: Clip) -> Clip:
    landmarks = clip.landmarks.copy()
    landmarks[20:50] = landmarks[20]
    return replace(clip, landmarks=landmarks)


def leaping(clip: Clip) -> Clip:
    landmarks = clip.landmarks.copy()
    landmarks[50:] += 100
    return replace(clip, landmarks=landmarks)


@pytest.mark.parametrize(
    ("change", "title"),
    [
        (frozen, "frozen faces"),
        (leaping, "jumps"),
        (lambda c: replace(c, landmarks=np.repeat(c.landmarks[:1], 100, 0)), "mouths that hardly open"),
        (lambda c: replace(c, audio=np.zeros_like(c.audio)), "silent clips"),
        (lambda c: replace(c, audio=np.full_like(c.audio, 0.5)), "silent clips"),
        (lambda c: replace(c, audio=np.clip(c.audio * 100, -1, 1)), "overdriven sound"),
        (lambda c: replace(c, landmarks=c.landmarks / 8), "small faces"),
        (lambda c: replace(c, landmarks=c.landmarks[:20], audio=c.audio[: 20 * 640]), "short clips"),
        (lambda c: replace(c, checks={"bridged_frames": 30}), "faces that preparation lost"),
    ],
)
def test_faulty_clips(change: Callable[[Clip], Clip], title: str, talking: list[Clip], tmp_path: Path) -> None:
    clips = [change(talking[0]), *talking[1:]]
    report = inspect_corpus(as_shards(tmp_path, clips))
    assert titles(report).get(title) == [talking[0].id]
    assert report.is_intact, "usable, if not good"


def test_faulty_index(talking: list[Clip], tmp_path: Path) -> None:
    clips = [replace(clip, speaker="", split="val", license="") for clip in talking[:2]]
    clips += [
        replace(clip, speaker="eve", split=split) for clip, split in zip(talking[2:], ("val", "test") * 2, strict=True)
    ]
    found = titles(inspect_corpus(as_shards(tmp_path, clips)))
    assert found["speakers in several splits"] == ["eve"]
    expected = {"2 clips of unknown speakers", "no clip in the split train", "2 clips without a license"}
    assert expected | {"more than half of the speech is by eve"} <= set(found)


def test_outliers(talking: list[Clip], tmp_path: Path) -> None:
    clips = [replace(talking[0], id=f"c{k}") for k in range(24)]
    clips[5] = replace(clips[5], audio=clips[5].audio * 0.01)
    assert titles(inspect_corpus(as_shards(tmp_path, clips)))["outliers"] == ["c5"]


def alter(path: Path) -> None:
    """Other tensor data of the same length, still finite."""
    content = bytearray(path.read_bytes())
    content[-4] ^= 1
    path.write_bytes(content)


def test_damaged_shards(talking: list[Clip], tmp_path: Path) -> None:
    folder = as_shards(tmp_path, talking)
    shards = [folder / f"shards/0000{k}.safetensors" for k in range(6)]
    shards[0].unlink()
    shards[1].write_bytes(shards[1].read_bytes()[:-1])
    shards[2].write_bytes(bytes(shards[2].stat().st_size))
    alter(shards[3])
    report = inspect_corpus(folder, tmp_path / "report.html")
    assert not report.is_intact
    assert titles(report)["damaged files"] == [f"shards/0000{k}.safetensors" for k in range(4)]
    assert titles(report)["damaged clips"] == [clip.id for clip in talking[:3]], "one bit is found by its sha256 alone"
    assert report.summary()["clips"] == 3 and "damaged files" in (tmp_path / "report.html").read_text()


def test_damaged_pairs(talking: list[Clip], tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "corpus", talking)
    first, second, third = (folder / f"{clip.id}.npz" for clip in talking[:3])
    first.unlink()
    second.write_bytes(b"nothing")
    np.savez(third, landmarks=np.zeros((100, 5, 3), np.float32))
    report = inspect_corpus(folder)
    assert titles(report)["damaged clips"] == [clip.id for clip in talking[:3]]
    assert len(report.clips) == 3


def test_all_is_damaged(talking: list[Clip], tmp_path: Path) -> None:
    folder = as_shards(tmp_path, talking[:2])
    shutil.rmtree(folder / "shards")
    report = inspect_corpus(folder, tmp_path / "report.html")
    assert not report.is_intact and not report.clips
    pairs = write_corpus(tmp_path / "pairs", talking[:1])
    (pairs / f"{talking[0].id}.npz").write_bytes(b"nothing")
    with pytest.raises(CorpusError, match="at least one clip that can be read"):
        inspect_corpus(pairs)


def test_points_without_a_mouth(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(100, 30, (1, 10, 2)) + np.cumsum(rng.normal(0, 0.3, (80, 10, 2)), axis=0)
    clip = Clip("a", "anna", "train", points.astype(np.float32), np.zeros(80 * 640, np.float32))
    folder = write_shards(tmp_path / "corpus", [clip], representation={"type": "keypoints", "points": 10})
    report = inspect_corpus(folder, tmp_path / "report.html")
    assert titles(report)["silent clips"] == ["a"] and report.offsets == [None]


def test_the_page_needs_no_other_file_and_trusts_no_name(talking: list[Clip], tmp_path: Path) -> None:
    bad = "<script>alert(1)</script>"
    clips = [
        replace(clip, speaker=bad, license=bad, split=split) for clip, split in zip(talking, "ab" * 3, strict=True)
    ]
    folder = as_shards(tmp_path, clips)
    inspect_corpus(folder, tmp_path / "one.html")
    text = (tmp_path / "one.html").read_text()
    assert "<script" not in text and "&lt;script&gt;" in text
    assert set(re.findall(r'(?:src|href)="([^;"]*)', text)) == {"data:image/svg+xml"} and text.count("<figure>") >= 6
    inspect_corpus(folder, tmp_path / "two.html")
    assert (tmp_path / "two.html").read_text() == text, "the same corpus, the same report"


def test_missing_packages_are_named(talking: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = as_shards(tmp_path, talking[:1])
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(HeadmotionError, match=r"pip install 'headmotion\[report\]'"):
        inspect_corpus(folder, tmp_path / "report.html")
    assert inspect_corpus(folder).is_intact, "statistics need neither"


def test_motion_stats_of_known_motion() -> None:
    representation = infer_representation((1, 68, 3)).build(None)
    rest = (representation.neutral().numpy() * 200).astype(np.float64)
    size = np.linalg.norm((rest[36] - rest[45])[:2])
    angles = np.radians(2.0) * np.arange(25)
    zero, one = np.zeros_like(angles), np.ones_like(angles)
    c, s = np.cos(angles), np.sin(angles)
    turn = np.stack([np.stack([c, zero, s], -1), np.stack([zero, one, zero], -1), np.stack([-s, zero, c], -1)], -2)
    turned = np.einsum("tij,pj->tpi", turn, rest).astype(np.float32)
    stats = motion_stats(turned, representation, 25.0)
    assert stats.head_turn == pytest.approx(50, rel=0.02), "2 degrees per frame"
    assert max(stats.energy.values()) < 1e-3 * stats.head_speed and not stats.frozen and not stats.jumps
    talking = np.repeat(rest[None], 25, 0)
    talking[:, list(representation.groups["lips"]), 1] += (np.arange(25) % 2)[:, None] * 0.1 * size
    stats = motion_stats(talking.astype(np.float32), representation, 25.0)
    assert stats.energy["lips"] == pytest.approx(2.5, rel=0.01), "a tenth of the unit, 25 times a second"
    assert stats.energy["eyes"] < 1e-3 and stats.head_speed < 1e-3


def test_audio_stats_of_known_sound() -> None:
    tone = 0.5 * np.sin(np.arange(16000) * 0.3).astype(np.float32)
    half = np.concatenate([tone, np.zeros(16000, np.float32)])
    assert audio_stats(tone).level_db == pytest.approx(-9.03, abs=0.05) and audio_stats(tone).silence == 0
    assert audio_stats(half).silence == 0.5 and audio_stats(half).clipped == 0
    assert audio_stats(np.zeros(10, np.float32)).level_db == pytest.approx(-100)


def test_command(talking: list[Clip], tmp_path: Path) -> None:
    folder = as_shards(tmp_path, talking[:2])
    result = CliRunner().invoke(cli, ["inspect-corpus", str(folder), "-q"])
    assert result.exit_code == 0 and json.loads(result.output)["clips"] == 2
    alter(folder / "shards/00000.safetensors")
    result = CliRunner().invoke(cli, ["inspect-corpus", str(folder), "-q", "-o", str(tmp_path / "r.html")])
    assert result.exit_code == 1 and result.output.strip() == str(tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared clips are not here")
def test_real_clips() -> None:
    report = inspect_corpus(SHARED / "clips")
    (found,) = [each for each in report.findings if each.level != "note"]
    assert found.clips == (("speakers mead*", "audio 80 ms late (-2 frames, 8 clips)"),), (
        "as known since they were taken"
    )
    groups = {each.name: each.frames for each in report.groups}
    assert groups["speakers grid*"] == groups["all clips"] == 0
