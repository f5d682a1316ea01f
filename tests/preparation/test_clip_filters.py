"""The limits by which a clip is rejected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from blobs import FACE, BlobsSpec, pose, talking

import headmotion as hm
from headmotion.core.checkpoint import save_checkpoint
from headmotion.preparation.clip_filters import REASONS, ClipFilters
from headmotion.preparation.face_tracks import FaceTrack
from headmotion.preparation.settings import Settings
from headmotion.sync.pyramid import Pyramid
from headmotion.sync.specs import PyramidSpec
from headmotion.sync.syncer_pyramid import SyncerPyramid, SyncMeasure
from headmotion.sync.trained import load_syncers


def checks(**limits: Any) -> ClipFilters:
    return ClipFilters(Settings(detector=BlobsSpec(), **limits), FACE)


def track(count: int = 100, length: float = 70, **changes: Any) -> FaceTrack:
    poses = np.stack([pose(100 + np.sin(k / 5), 100, length).numpy() for k in range(count)])
    seen = {"picture_numbers": np.arange(count), "detected": np.ones(count, bool), "labels": np.zeros((count, 0), "f4")}
    return FaceTrack(**{"first_frame": 0, "poses": poses} | seen | changes)


def jumping() -> FaceTrack:
    poses = track().poses.copy()
    poses[50:] += np.float32([30, 0, 0])
    return track(poses=poses)


@pytest.mark.parametrize(
    ("reason", "of"),
    [
        ("", track()),
        ("too_short", track(49)),
        ("", track(50)),
        ("low_frame_rate", track(picture_numbers=np.arange(100) // 3)),
        ("", track(picture_numbers=np.arange(100) // 2)),
        ("face_lost", track(detected=np.arange(100) >= 11)),
        ("", track(detected=np.arange(100) >= 10)),
        ("jump", jumping()),
        ("face_too_small", track(length=50)),
    ],
)
def test_faces(reason: str, of: FaceTrack) -> None:
    figures, found = checks().check_track(of)
    assert found == reason and figures["seconds"] == len(of.poses) / 25
    assert reason in REASONS or not reason


def test_limits_are_those_of_the_settings() -> None:
    assert checks(min_seconds=0.5, max_seconds=1).check_track(track(13))[1] == ""
    assert checks(max_jump=0.5).check_track(jumping())[1] == ""
    assert checks(min_face_px=20).check_track(track(length=50))[1] == ""


def test_speech_and_silence() -> None:
    wave = talking(4)
    figures, reason = checks().check_audio(track().poses, wave)
    assert reason == "" and -25 < figures["level_db"] < -15
    assert checks().check_audio(track().poses, wave * 0)[1] == "silence"
    assert checks().check_audio(track().poses, wave * np.float32(0.01))[1] == "silence"
    alone = wave * (np.arange(len(wave)) > 60_000)  # a quarter of a second is enough
    assert checks().check_audio(track().poses, alone)[1] == ""


@pytest.mark.parametrize(
    ("offset_ms", "reason"), [(0, ""), (80, ""), (-80, ""), (120, "av_offset"), (-120, "av_offset")]
)
def test_offset_of_the_sound(offset_ms: int, reason: str) -> None:
    class Syncers:
        def measure(self, landmarks: Any, audio: Any) -> list[SyncMeasure]:
            return [SyncMeasure(offset_ms // 40, 0.5, offset_ms / 1000), SyncMeasure(9, 0.9, 0.72)]

    judged = ClipFilters(Settings(detector=BlobsSpec()), FACE, Syncers())  # type: ignore[arg-type]
    figures, found = judged.check_audio(track().poses, talking(4))
    assert (figures["av_offset_ms"], figures["av_confidence"], found) == (offset_ms, 0.5, reason)


def test_settings_that_cannot_be_kept() -> None:
    with pytest.raises(hm.SpecError, match="twice the least"):
        Settings(detector=BlobsSpec(), min_seconds=5, max_seconds=9)
    assert Settings(detector=BlobsSpec()).digest != Settings(detector=BlobsSpec(), crop="face").digest


def test_syncers_are_read_back_and_measure_as_before(tmp_path: Path) -> None:
    pipeline = hm.build({}, device="cpu")
    spec = {"type": "ms-sync"}
    built = [hm.resolve_spec("syncer", spec).build(pipeline.context()) for _ in range(3)]  # type: ignore[attr-defined]
    syncers = SyncerPyramid(built, Pyramid(3)).eval()
    described = {
        "pipeline": pipeline.spec.model_dump(mode="json"),
        "syncer": built[0].spec.model_dump(mode="json"),
        "pyramid": PyramidSpec(levels=3).model_dump(mode="json"),
    }
    save_checkpoint(tmp_path / "syncers.safetensors", described, syncers.state_dict())
    landmarks, wave = track(75).poses, talking(3)
    values = torch.from_numpy(landmarks)
    motion = pipeline.representation.normalize(values, pipeline.representation.frame_of(values[:1]))
    with torch.no_grad():
        features = pipeline.audio_encoder(torch.from_numpy(wave)[None], steps=300)
    trained = load_syncers(tmp_path / "syncers.safetensors")
    assert trained.measure(landmarks, wave) == syncers.measure(motion[None], features)
    with pytest.raises(hm.CheckpointError, match="trained syncers"):
        load_syncers(pipeline.save(tmp_path / "model.safetensors"))


def test_every_reason_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/data.md").read_text("utf-8")
    assert [reason for reason in REASONS if f"| `{reason}` |" not in page] == []
