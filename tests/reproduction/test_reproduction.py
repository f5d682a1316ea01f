"""The metrics on cases whose values are known, and a tiny experiment from corpora to page."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import headmotion as hm
from benchmarks.reproduction import workspace as workspace_module
from benchmarks.reproduction.corpora import Points, Synthetic, causes_of, unseen
from benchmarks.reproduction.experiments import (
    KEYPOINTS,
    KEYPOINTS_MIRROR,
    SIZES,
    CorpusSetup,
    Experiment,
    GeneratorRun,
    Size,
    ablation,
    experiments,
)
from benchmarks.reproduction.generated_clips import generate_clips, unit_frame_motion
from benchmarks.reproduction.motion_metrics import WINDOW, cause_correlations, correlation, drift
from benchmarks.reproduction.results_page import ResultsPage
from benchmarks.reproduction.run_metrics import interval
from benchmarks.reproduction.runner import run_experiment
from benchmarks.reproduction.workspace import Workspace
from headmotion.data.corpus import open_corpus
from headmotion.data.synthetic.talking_faces import synthetic_clip

SMALL = ("data.batch_size=2", "phases.syncers.batch_size=2", "phases.syncers.group_size=2")
TINY = Size("tiny", clips=50, unseen=4, judge_steps=2, marks=(1, 2), seeds=2, fewer_seeds=1, overrides=SMALL)


def test_an_interval_covers_seeds_and_clips() -> None:
    same = interval(np.full((3, 5), 2.0))
    assert (same.mean, same.low, same.high) == pytest.approx((2, 2, 2))
    by_clip, by_seed = interval(np.array([[0.0, 1.0] * 50] * 3)), interval(np.array([[0.0] * 100, [1.0] * 100]))
    assert by_clip.high - by_clip.low == pytest.approx(2 * 1.96 * 0.5 / 10, rel=0.1), "100 clips"
    assert (by_seed.low, by_seed.high) == pytest.approx((0, 1)), "two seeds that disagree"
    assert [interval(np.full((2, 2), x)).sign for x in (-1.0, 0.0, 1.0)] == [-1, 0, 1]


def test_drift_grows_with_the_distance_from_recordings() -> None:
    recorded = torch.randn(4, 4 * WINDOW, 20, 2, generator=torch.Generator().manual_seed(0)) / 100
    ramp = torch.linspace(0, 1, 4 * WINDOW)[:, None, None] * recorded.flatten(0, 1)[0]
    floor, drifting = drift(recorded, recorded), drift(recorded + 10 * ramp, recorded)
    assert len(floor) == 4 and max(floor) < 1
    assert sorted(drifting) == drifting and drifting[-1] > 3 * floor[-1]


def test_recorded_motion_follows_its_causes_at_every_scale() -> None:
    representation = hm.resolve_spec("representation", "landmarks68").build()
    clips = [synthetic_clip(seed, 4.0) for seed in range(12)]
    motions = [unit_frame_motion(representation, replace(clip, landmarks=clip.landmarks[..., :2])) for clip in clips]
    causes = [causes_of(clip) for clip in clips]
    own, other = (
        np.mean([cause_correlations(representation, motions[k - shift], causes[k]) for k in range(12)], axis=0)
        for shift in (0, 1)
    )
    assert own[0] > 0.95 and own[1] > 0.7 and own[2] > other[2] and max(abs(other[:2])) < 0.2
    constant = cause_correlations(representation, motions[0][:1].expand(100, -1, -1), causes[0])
    assert constant == pytest.approx([0, 0, 0], abs=1e-9)


def test_correlation_by_hand() -> None:
    assert correlation(np.array([1.0, 2, 3]), np.array([-2.0, -4, -6])) == pytest.approx(-1)
    assert correlation(np.ones(3), np.array([1.0, 2, 3])) == 0


def test_keypoints_mirror_as_the_landmarks_do() -> None:
    mirror = hm.resolve_spec("representation", "landmarks68").build().mirror
    assert [mirror[point] for point in KEYPOINTS] == [KEYPOINTS[index] for index in KEYPOINTS_MIRROR]


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_equal_runs_are_one_and_different_ones_have_different_folders(size: Size, tmp_path: Path) -> None:
    (tmp_path / "grid_s1").mkdir()
    (tmp_path / "grid_s1" / "index.csv").write_text("id\n")
    runs = {run for experiment in experiments(size, tmp_path) for run in experiment.runs}
    workspace = Workspace(tmp_path)
    assert len({workspace.folder_of(run) for run in runs}) == len({run.name for run in runs}) == len(runs)
    shared = [run for run in runs if run.name == "synthetic-full-0"]
    assert len(shared) == 1 and len({run.guide for run in runs if run.name.startswith("synthetic")}) == 1


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    full = ablation(CorpusSetup(Synthetic("synthetic", TINY.clips, seconds=3.0), TINY))
    return replace(full, variants={name: full.variants[name] for name in ("full", "single-scale")})


@pytest.fixture(scope="module")
def workspace(experiment: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    threads = torch.get_num_threads()
    workspace = Workspace(tmp_path_factory.mktemp("reproduction"), "cpu")
    with ThreadPoolExecutor(1) as pool:
        run_experiment(workspace, TINY, experiment, pool)
    yield workspace
    torch.set_num_threads(threads)


def test_a_tiny_experiment_becomes_a_page_and_is_not_made_twice(
    experiment: Experiment, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace_module, "train", lambda *args, **options: pytest.fail("trained again"))
    with ThreadPoolExecutor(1) as pool:
        run_experiment(workspace, TINY, experiment, pool)
    for page in ("one.md", "two.md"):
        ResultsPage(tmp_path / page, workspace, TINY).write([experiment], "make prove")
    text = (tmp_path / "one.md").read_text()
    assert text == (tmp_path / "two.md").read_text() and "nan" not in text
    assert "4 runs" in text and "full over single-scale" in text and "both at one: this **" in text and "nods" in text
    pictures = {path.name for path in (tmp_path / "images").iterdir()}
    assert all(f"images/{name}" in text for name in pictures) and len(pictures) == 2
    other = replace(experiment, variants={"full": [replace(experiment.runs[0], seed=7)]})
    ResultsPage(tmp_path / "other.md", workspace, TINY).write([other], "make prove")
    assert "Not run." in (tmp_path / "other.md").read_text()


@pytest.mark.skipif(os.name != "posix", reason="links need a privilege on Windows")
def test_an_interrupted_run_ends_as_an_uninterrupted_one(
    experiment: Experiment, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)  # as that of the workspace
    run: GeneratorRun = experiment.runs[0]
    interrupted = Workspace(tmp_path, "cpu")
    for folder in ("corpora", "judges"):
        (tmp_path / folder).symlink_to(workspace.folder / folder)
    first, train = [], workspace_module.train  # type: ignore[attr-defined]

    def train_once(*args: object, **options: object) -> Path:
        if first:
            raise KeyboardInterrupt
        first.append(train(*args, **options))  # type: ignore[arg-type]
        return first[0]

    monkeypatch.setattr(workspace_module, "train", train_once)
    with pytest.raises(KeyboardInterrupt):
        interrupted.run(run)
    monkeypatch.setattr(workspace_module, "train", train)
    for left, right in zip(interrupted.run(run), workspace.run(run), strict=True):
        actual, expected = load_file(left), load_file(right)
        assert actual.keys() == expected.keys() and all(torch.equal(actual[name], expected[name]) for name in actual)


def test_points_are_those_landmarks_of_the_same_clips(experiment: Experiment, workspace: Workspace) -> None:
    assert isinstance(experiment.corpus, Synthetic)
    points = workspace.corpus(Points("points", experiment.corpus, (8, 62, 66)))
    clip, base = open_corpus(points)[7], open_corpus(workspace.corpus(experiment.corpus))[7]
    assert clip.id == base.id and np.array_equal(clip.landmarks, base.landmarks[:, [8, 62, 66]])


def test_generated_clips_start_from_the_first_frame_and_equal_those_of_the_pipeline(
    experiment: Experiment, workspace: Workspace
) -> None:
    pipe = hm.load(workspace.run(experiment.runs[0])[-1], device="cpu")
    clips = unseen(workspace.corpus(experiment.corpus), 3)
    (batch,) = generate_clips(pipe, clips)
    assert batch.generated.shape == batch.recorded.shape
    assert torch.equal(batch.generated[:, 0], batch.recorded[:, 0])
    clip = clips[1]
    motion = pipe.generate((clip.audio[640:], 16_000), clip.landmarks[:1], seed=1)
    single = pipe.representation.normalize(
        motion.values, pipe.representation.frame_of(torch.tensor(clip.landmarks[:1]))
    )
    # Features of the first frames depend on a little audio before them, which the stream does not have.
    torch.testing.assert_close(batch.generated[1, -20:], single[-20:], atol=5e-3, rtol=0)
