"""The same corpus from a Ray cluster of two workers on this machine."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from blobs import BlobsSpec, content, nodding, picture, talking, video

import headmotion as hm
from headmotion.preparation import Summary, prepare

ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'headmotion[ray]'")


@pytest.fixture
def cluster(installed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("HOME", str(tmp_path))  # where a cluster leaves the token by which its own are known
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own
        environment = {"env_vars": {"PYTHONPATH": os.pathsep.join(sys.path)}}
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env=environment)
        yield
        ray.shutdown()


def test_cluster(cluster: Any, tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    for number in range(4):
        video(tmp_path / f"videos/{number}.mkv", nodding(60 if number else 40), talking(2.4))
    (tmp_path / "videos/empty.mp4").touch()
    alone = prepare(tmp_path / "videos", tmp_path / "alone", BlobsSpec(), workers=0, quiet=True)
    shared = prepare(tmp_path / "videos", tmp_path / "shared", BlobsSpec(), ray="auto", quiet=True)
    assert content(shared) == content(alone)
    assert Summary.read(shared).clips == 3
    for name, width in (("hangs", 96), ("crashes", 128)):
        pictures = (picture((48, 60, 70), width=width) for _ in range(60))
        video(tmp_path / f"videos/{name}.mkv", pictures, talking(2.4))
    detector = BlobsSpec(hang_at=96, crash_at=128)
    lost = prepare(tmp_path / "videos", tmp_path / "lost", detector, ray="auto", stall_seconds=1, quiet=True)
    assert Summary.read(lost).rejected == {"too_short": 1, "unreadable": 1, "worker_lost": 2}
    with pytest.raises(hm.DetectorError, match="expected its model"):
        prepare(tmp_path / "videos", tmp_path / "none", BlobsSpec(works=False), ray="auto", quiet=True)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:port", "ray://127.0.0.1:1", "auto"])
def test_no_cluster(tmp_path: Path, address: str) -> None:
    video(tmp_path / "a.mkv", nodding(3), talking(1))
    with pytest.raises(hm.HeadmotionError, match="address of a running cluster"):
        prepare(tmp_path / "a.mkv", tmp_path / "c", BlobsSpec(), ray=address, quiet=True)
