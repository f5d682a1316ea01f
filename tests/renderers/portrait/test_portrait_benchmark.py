"""The figures of benchmarks/portrait.py on cases that are known."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import headmotion as hm

pytest.importorskip("skimage")
SCRIPT = Path(__file__).parents[3] / "benchmarks" / "portrait.py"


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("portrait_benchmark", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def scene(shape=(96, 96)):
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(*shape, 3)), (3, 3, 0))
    return np.clip(128 + 500 * noise, 20, 230).astype(np.uint8)


def clip_of(bench, frames, shift):
    """A picture that slides by whole pixels and grows a little lighter, and the landmarks that say so."""
    pose = hm.resolve_spec("representation", "landmarks68").build().neutral().numpy() * 60 + 18
    pictures = np.stack([np.roll(scene(), shift * k, 1) + np.uint8(k) for k in range(frames)])
    points = np.stack([pose + np.array([shift * k, 0]) for k in range(frames)]).astype(np.float32)
    return bench.Clip("slides", pictures, points)


def test_similarity_of_pictures(bench):
    picture = scene()
    assert bench.compare(picture + np.uint8(5), picture)[1] == pytest.approx(20 * np.log10(255 / 5))
    with np.errstate(divide="ignore"):
        assert bench.compare(picture, picture) == (1.0, np.inf)
    # Of constant pictures SSIM compares the means alone (Wang et al. 2004, eq. 6).
    darker, lighter = (np.full((16, 16, 3), level, np.uint8) for level in (100, 120))
    c1 = (0.01 * 255) ** 2
    assert bench.compare(darker, lighter)[0] == pytest.approx((2 * 100 * 120 + c1) / (100**2 + 120**2 + c1))


def test_distance_of_landmarks(bench):
    recorded = np.zeros((68, 2), np.float32)
    recorded[45] = 50, 0
    detected = recorded + np.float32([3, 4])
    assert bench.distance(detected, recorded) == pytest.approx(10.0)
    assert np.isnan(bench.distance(bench.detect(None, scene()), recorded))


def test_mouth_box_holds_the_lips_with_room(bench):
    points = np.zeros((68, 2), np.float32)
    points[48:] = np.random.default_rng(0).uniform((40, 60), (60, 72), (20, 2))
    points[48:50] = (40, 60), (60, 72)
    rows, columns = bench.mouth_box(points)
    assert (rows.start, rows.stop, columns.start, columns.stop) == (57, 75, 35, 65)


def test_what_moves_with_its_landmarks_is_redrawn_better_than_by_a_still_picture(bench):
    clip = clip_of(bench, 3, 4)
    bench.measure(clip, None)
    assert set(clip.scores) == set(bench.METHODS)
    assert (clip.drawn["static"] == clip.frames[0]).all()
    for method in ("portrait", "piecewise affine"):
        assert clip.mean(method, "mouth PSNR") > clip.mean("static", "mouth PSNR") + 6
        assert clip.mean(method, "mouth SSIM") > 0.9
    table = bench.table([clip, clip])
    assert [line.split("|")[1].strip() for line in table[2:]] == [
        *bench.METHODS,
        "portrait less static",
        "portrait less piecewise affine",
    ]
    assert 1 <= clip.worst <= 2


def test_interval_is_that_of_the_mean(bench):
    assert bench.interval(np.full(5, 0.25), 2) == "0.25 (0.25 to 0.25)"
    values = np.random.default_rng(0).normal(3, 1, 400)
    mean, low, _, high = bench.interval(values, 3).replace("(", "").replace(")", "").split()
    assert float(mean) - float(low) == pytest.approx(1.96 / 20, abs=0.02)
    assert float(high) - float(mean) == pytest.approx(1.96 / 20, abs=0.02)
    assert bench.interval(np.full(5, 0.25), 2, signed=True) == "+0.25 (+0.25 to +0.25)"
