"""The proof's figures on cases that are known, and a tiny proof from corpora to page."""

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
from benchmarks.reproduction import running
from benchmarks.reproduction.corpora import Points, Synthetic, causes_of, unseen
from benchmarks.reproduction.drift import WINDOW, drift
from benchmarks.reproduction.intervals import interval
from benchmarks.reproduction.page import Page
from benchmarks.reproduction.proving import prove
from benchmarks.reproduction.running import Workshop
from benchmarks.reproduction.scales import correlation, followed
from benchmarks.reproduction.speaking import normalized, spoken
from benchmarks.reproduction.table import KEPT, MIRROR, SIZES, Experiment, Field, Run, Size, ablation, experiments
from headmotion.data.corpus import open_corpus
from headmotion.data.synthetic.talking_faces import synthetic_clip

SMALL = ("data.batch_size=2", "syncers.batch_size=2", "syncers.group_size=2")
TINY = Size("tiny", clips=50, unseen=4, judge_steps=2, marks=(1, 2), seeds=2, few=1, overrides=SMALL)


def test_an_interval_knows_seeds_from_clips() -> None:
    same = interval(np.full((3, 5), 2.0))
    assert (same.mean, same.low, same.high) == pytest.approx((2, 2, 2))
    by_clip, by_seed = interval(np.array([[0.0, 1.0] * 50] * 3)), interval(np.array([[0.0] * 100, [1.0] * 100]))
    assert by_clip.high - by_clip.low == pytest.approx(2 * 1.96 * 0.5 / 10, rel=0.1), "100 clips"
    assert (by_seed.low, by_seed.high) == pytest.approx((0, 1)), "two seeds that disagree"
    assert [interval(np.full((2, 2), x)).sign for x in (-1.0, 0.0, 1.0)] == [-1, 0, 1]


def test_what_wanders_off_is_seen_to() -> None:
    real = torch.randn(4, 4 * WINDOW, 20, 2, generator=torch.Generator().manual_seed(0)) / 100
    away = torch.linspace(0, 1, 4 * WINDOW)[:, None, None] * real.flatten(0, 1)[0]
    still, wandering = drift(real, real), drift(real + 10 * away, real)
    assert len(still) == 4 and max(still) < 1
    assert sorted(wandering) == wandering and wandering[-1] > 3 * still[-1]


def test_recorded_motion_follows_its_causes_at_every_scale() -> None:
    representation = hm.resolve_spec("representation", "landmarks68").build()
    clips = [synthetic_clip(seed, 4.0) for seed in range(12)]
    flat = [normalized(representation, replace(clip, landmarks=clip.landmarks[..., :2])) for clip in clips]
    own = np.mean([followed(representation, one, causes_of(clip)) for one, clip in zip(flat, clips, strict=True)], 0)
    other = np.mean([followed(representation, flat[k - 1], causes_of(clip)) for k, clip in enumerate(clips)], 0)
    assert own[0] > 0.95 and own[1] > 0.7 and own[2] > other[2] and max(abs(other[:2])) < 0.2
    still = followed(representation, flat[0][:1].expand(100, -1, -1), causes_of(clips[0]))
    assert still == pytest.approx([0, 0, 0], abs=1e-9)


def test_correlation_by_hand() -> None:
    assert correlation(np.array([1.0, 2, 3]), np.array([-2.0, -4, -6])) == pytest.approx(-1)
    assert correlation(np.ones(3), np.array([1.0, 2, 3])) == 0


def test_the_kept_points_mirror_as_the_landmarks_do() -> None:
    mirror = hm.resolve_spec("representation", "landmarks68").build().mirror
    assert [mirror[point] for point in KEPT] == [KEPT[place] for place in MIRROR]


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_runs_that_are_the_same_are_one_and_no_two_share_a_folder(size: Size, tmp_path: Path) -> None:
    (tmp_path / "grid_s1").mkdir()
    (tmp_path / "grid_s1" / "index.csv").write_text("id\n")
    every = {run for experiment in experiments(size, tmp_path) for run in experiment.runs}
    shop = Workshop(tmp_path)
    assert len({shop.place(run) for run in every}) == len({run.name for run in every}) == len(every)
    shared = [run for run in every if run.name == "synthetic-full-0"]
    assert len(shared) == 1 and len({run.guide for run in every if run.name.startswith("synthetic")}) == 1


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    whole = ablation(Field(Synthetic("synthetic", TINY.clips, seconds=3.0), TINY))
    return replace(whole, variants={name: whole.variants[name] for name in ("full", "single-scale")})


@pytest.fixture(scope="module")
def shop(experiment: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    threads = torch.get_num_threads()
    shop = Workshop(tmp_path_factory.mktemp("proof"), "cpu")
    with ThreadPoolExecutor(1) as pool:
        prove(shop, TINY, experiment, pool)
    yield shop
    torch.set_num_threads(threads)


def test_a_tiny_proof_becomes_a_page_and_is_not_made_twice(
    experiment: Experiment, shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "train", lambda *args, **options: pytest.fail("trained again"))
    with ThreadPoolExecutor(1) as pool:
        prove(shop, TINY, experiment, pool)
    for page in ("one.md", "two.md"):
        Page(tmp_path / page, shop, TINY).write([experiment], "make prove")
    text = (tmp_path / "one.md").read_text()
    assert text == (tmp_path / "two.md").read_text() and "nan" not in text
    assert "4 runs" in text and "full over single-scale" in text and "both at one: this **" in text and "nods" in text
    pictures = {path.name for path in (tmp_path / "images").iterdir()}
    assert all(f"images/{name}" in text for name in pictures) and len(pictures) == 2
    other = replace(experiment, variants={"full": [replace(experiment.runs[0], seed=7)]})
    Page(tmp_path / "other.md", shop, TINY).write([other], "make prove")
    assert "Not run." in (tmp_path / "other.md").read_text()


@pytest.mark.skipif(os.name != "posix", reason="links need a privilege on Windows")
def test_a_run_that_was_cut_short_ends_as_one_that_was_not(
    experiment: Experiment, shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)  # as that of the shop
    run: Run = experiment.runs[0]
    again = Workshop(tmp_path, "cpu")
    for folder in ("corpora", "judges"):
        (tmp_path / folder).symlink_to(shop.folder / folder)
    first, real = [], running.train  # type: ignore[attr-defined]

    def cut(*args: object, **options: object) -> Path:
        if first:
            raise KeyboardInterrupt
        first.append(real(*args, **options))  # type: ignore[arg-type]
        return first[0]

    monkeypatch.setattr(running, "train", cut)
    with pytest.raises(KeyboardInterrupt):
        again.run(run)
    monkeypatch.setattr(running, "train", real)
    for one, other in zip(again.run(run), shop.run(run), strict=True):
        ours, theirs = load_file(one), load_file(other)
        assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_points_are_those_landmarks_of_the_same_clips(experiment: Experiment, shop: Workshop) -> None:
    assert isinstance(experiment.corpus, Synthetic)
    few, whole = shop.corpus(Points("few", experiment.corpus, (8, 62, 66))), shop.corpus(experiment.corpus)
    one, other = open_corpus(few)[7], open_corpus(whole)[7]
    assert one.id == other.id and np.array_equal(one.landmarks, other.landmarks[:, [8, 62, 66]])


def test_models_speak_from_the_first_frame_whatever_the_batch(experiment: Experiment, shop: Workshop) -> None:
    pipe = hm.load(shop.run(experiment.runs[0])[-1], device="cpu")
    clips = unseen(shop.corpus(experiment.corpus), 3)
    (part,) = spoken(pipe, clips)
    assert part.generated.shape == part.real.shape and torch.equal(part.generated[:, 0], part.real[:, 0])
    clip = clips[1]
    alone = pipe.generate((clip.audio[640:], 16_000), clip.landmarks[:1], seed=1)
    one = pipe.representation.normalize(alone.values, pipe.representation.frame_of(torch.tensor(clip.landmarks[:1])))
    # The features of the first frame know a little of the sound before, which a stream that begins there does not.
    torch.testing.assert_close(part.generated[1, -20:], one[-20:], atol=5e-3, rtol=0)
