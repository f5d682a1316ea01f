"""All of MS-Sync on every representation, changed by one value of the recipe and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.data.clip import Clip
from headmotion.data.inspection import inspect_corpus
from headmotion.data.shard_writer import write_shards
from headmotion.data.synthetic.body import skeleton
from headmotion.data.synthetic.face_keypoints import keypoint_clip, keypoints_spec
from headmotion.data.synthetic.gestures import gesture_clip
from headmotion.data.synthetic.talking_faces import synthetic_clip
from headmotion.evaluation import evaluate
from headmotion.representations.mesh478 import IBUG
from headmotion.sync.trained import load_syncers
from headmotion.training import train

CLIPS, SECONDS = 3, 2.0
SHORT = ["phases.syncers.steps=2", "phases.generator.steps=2", "data.batch_size=4", "preview_every=2"]


def converted(make: Callable[..., Clip], source: dict[str, Any], target: dict[str, Any] | str) -> Callable[..., Clip]:
    def clip(seed: int, seconds: float, **options: Any) -> Clip:
        made = make(seed, seconds, **options)
        motion = hm.Motion(torch.from_numpy(made.landmarks), made.fps, source).to(target)
        return replace(made, landmarks=motion.values.numpy())

    return clip


def mesh_clip(seed: int, seconds: float, **options: Any) -> Clip:
    """A mesh whose points follow the nearest of the 68 landmarks."""
    made = synthetic_clip(seed, seconds, **options)
    mesh = built({"type": "mesh478"}).neutral().numpy() * 200
    nearest = np.linalg.norm(mesh[:, None, :2] - mesh[None, list(IBUG), :2], axis=-1).argmin(axis=1)
    moved = made.landmarks[:, nearest] + (mesh - mesh[list(IBUG)][nearest])
    return replace(made, landmarks=moved.astype(np.float32))


def built(described: dict[str, Any]) -> hm.Representation:
    return hm.resolve_spec("representation", described).build()  # type: ignore[attr-defined, no-any-return]


SOLID = {"type": "landmarks68", "dims": 3}
BODY = skeleton().model_dump(mode="json")
POSITIONS = (
    hm.Motion(built(BODY).neutral()[None], hm.PipelineSpec().fps, BODY).to("joint-positions").representation  # as JSON
)
MATRIX: dict[str, tuple[dict[str, Any], Callable[..., Clip]]] = {
    "landmarks68": ({"type": "landmarks68"}, synthetic_clip),
    "landmarks68-3d": ({"type": "landmarks68-3d"}, synthetic_clip),
    "mesh478": ({"type": "mesh478"}, mesh_clip),
    "blendshapes": ({"type": "blendshapes"}, converted(synthetic_clip, SOLID, "blendshapes")),
    "keypoints": (keypoints_spec().model_dump(mode="json"), keypoint_clip),
    "joints": (BODY, gesture_clip),
    "joint-positions": (dict(POSITIONS), converted(gesture_clip, BODY, "joint-positions")),
}


@dataclass(frozen=True)
class Trained:
    """A model that took a few steps, and a clip of its corpus."""

    model: Path
    corpus: Path
    clip: Clip
    described: dict[str, Any]

    @property
    def pipe(self) -> hm.Pipeline:
        return hm.load(self.model, device="cpu")


@pytest.fixture(scope="module", params=MATRIX)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    described, make = MATRIX[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    clips = [make(k, SECONDS, speaker=k, split="val" if k == CLIPS - 1 else "train") for k in range(CLIPS)]
    dims = built(described).dims
    clips = [replace(clip, landmarks=clip.landmarks[..., :dims]) for clip in clips]
    corpus = write_shards(folder / "corpus", clips, representation=described)
    change = f"pipeline.representation={json.dumps(described)}"
    model = train("smoke", [corpus], folder / "run", device="cpu", quiet=True, overrides=[change, *SHORT])
    return Trained(model, corpus, clips[-1], described)


def test_it_trains_and_draws_samples(trained: Trained) -> None:
    lines = [json.loads(line) for line in (trained.model.parent / "log.jsonl").read_text().splitlines()]
    assert [line["phase"] for line in lines] == ["syncers", "syncers", "generator", "generator"]
    assert {"sync", "all", "g_frame", "g_pair"} <= lines[-1].keys()
    assert next(trained.model.parent.rglob("step-000002.mp4")).stat().st_size > 1000
    assert trained.pipe.spec.representation == hm.resolve_spec("representation", trained.described)


def streamed(trained: Trained, pieces: list[np.ndarray[Any, np.dtype[np.float32]]]) -> hm.Motion:
    session = trained.pipe.stream(trained.clip.landmarks[:3])
    return hm.Motion.concatenate([*[session.push(piece) for piece in pieces], session.flush()])


def test_streaming_is_generating(trained: Trained) -> None:
    pipe, clip = trained.pipe, trained.clip
    audio = clip.audio[:16_000]
    offline = pipe.generate((audio, 16_000), clip.landmarks[:3])
    assert offline.values.shape == (25, *clip.landmarks.shape[1:]) and bool(offline.values.isfinite().all())
    assert float((offline.values - offline.reference).abs().max()) > 0
    live, other = (streamed(trained, np.split(audio, cuts)) for cuts in ([777, 5000, 5001, 12000], [3000]))
    assert torch.equal(live.values, other.values)
    assert offline.frame is not None
    values = (pipe.representation.normalize(motion.values, offline.frame) for motion in (live, offline))
    torch.testing.assert_close(*values, rtol=0, atol=1e-5)
    assert len(pipe.generate((audio, 16_000), fps=30)) == 30  # from the neutral pose


def test_it_is_rendered(trained: Trained, tmp_path: Path) -> None:
    pipe, clip = trained.pipe, trained.clip
    small = {"type": "skeleton", "size": 64, "line_width": 1}
    for name, reference in (("own.mp4", clip.landmarks[:1]), ("neutral.mp4", None)):
        motion = pipe.generate((clip.audio[:8000], 16_000), reference)
        assert pipe.render(motion, tmp_path / name, renderer=small, quiet=True).stat().st_size > 500


def test_syncers_measure_it(trained: Trained) -> None:
    judge = load_syncers(trained.model.parent / "syncers.safetensors")
    measures = judge.measure(trained.clip.landmarks, trained.clip.audio)
    assert len(measures) == 4 and all(np.isfinite(each.seconds) for each in measures)


def test_the_doctor_examines_it(trained: Trained) -> None:
    report = inspect_corpus(trained.corpus)
    assert report.summary()["clips"] == CLIPS


def test_it_is_evaluated(trained: Trained) -> None:
    report = evaluate(trained.model, trained.corpus, baselines=["static"], seeds=2, device="cpu")
    assert report.data.clips == 1
    measured = {name for name, metric in report.metrics.items() if metric.results["model"].n == 1}
    assert {"beat", "jitter", "diversity"} <= measured
    if "lips" in trained.pipe.representation.groups and "mouth" in trained.pipe.representation.openings:
        assert {"lmd", "opening"} <= measured
