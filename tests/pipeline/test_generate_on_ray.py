"""The same motions from a Ray cluster of two workers on this machine."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

import headmotion as hm

ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'headmotion[ray]'")


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("HOME", str(tmp_path))  # where a cluster leaves the token by which its own are known
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own
        environment = {"env_vars": {"PYTHONPATH": os.pathsep.join(sys.path)}}
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env=environment)
        yield
        ray.shutdown()


def test_a_cluster_makes_the_same_files(cluster: Any, tmp_path: Path) -> None:
    spec = {"type": "ms-sync", "preset": "small", "hidden_size": 16, "pose_size": 8, "branch_size": 16}
    pipe = hm.build({"generator": spec}, device="cpu")
    paths = [tmp_path / f"{k}.wav" for k in range(3)]
    for k, path in enumerate(paths):
        soundfile.write(path, np.random.default_rng(k).normal(0, 0.1, 8000), 16_000)
    (tmp_path / "bad.wav").write_bytes(b"no audio")
    report = pipe.generate_many([*paths, tmp_path / "bad.wav"], tmp_path / "out", ".npz", ray_address="auto")
    assert [file.status for file in report.files] == ["done"] * 3 + ["failed"], report.files
    for path in paths:
        motion = hm.Motion.load(tmp_path / "out" / f"{path.stem}.npz")
        torch.testing.assert_close(motion.values, pipe.generate(path).values, rtol=0, atol=1e-6)


def test_no_cluster_is_one_error(tmp_path: Path) -> None:
    spec = {"type": "ms-sync", "preset": "small", "hidden_size": 16, "pose_size": 8, "branch_size": 16}
    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 16_000)
    with pytest.raises(hm.HeadmotionError, match="address of a running cluster"):
        hm.build({"generator": spec}, device="cpu").generate_many(
            [tmp_path / "a.wav"], tmp_path / "out", ray_address="127.0.0.1:1"
        )
