import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from headmotion.core.checkpoint import read_header
from headmotion.core.interfaces.phase import Phase
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.training import train
from headmotion.training.events import Ended, Stepped, Warned
from headmotion.training.tensorboard import TensorBoard, open_tensorboard


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "corpus"
    return write_synthetic(folder, clips=10, seconds=2.0, clips_per_speaker=1, val_every=9)


@pytest.fixture(scope="module")
def run(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    train("smoke", [corpus], folder, "cpu", ["preview_every=5"], quiet=True)
    return folder


def read(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0}).Reload()


def steps(board: EventAccumulator, tag: str) -> list[int]:
    return [event.step for event in board.Scalars(tag)]


def test_terms_learning_rates_and_gradients_of_each_phase_are_shown(run: Path) -> None:
    board = read(run / "tensorboard" / "generator")
    tags = set(board.Tags()["scalars"])
    assert {"generator/sync", "generator/d_frame", "generator/gradient", "generator/spread_ratio"} <= tags
    assert {"learning_rate/generator", "learning_rate/discriminator"} <= tags
    assert steps(board, "generator/sync") == list(range(10))
    assert board.Scalars("learning_rate/generator")[0].value == pytest.approx(1e-3)
    assert steps(read(run / "tensorboard" / "syncers"), "syncers/level3") == list(range(10))


def test_previews_are_videos_with_sound_and_pictures_in_tensorboard(run: Path) -> None:
    assert sorted(path.name for path in (run / "samples").iterdir()) == ["step-000005.mp4", "step-000010.mp4"]
    with av.open(run / "samples" / "step-000005.mp4") as video:
        (picture,) = video.streams.video
        assert (picture.width, picture.height) == (512, 256)
        assert len(video.streams.audio) == 1
        assert len(list(video.decode(picture))) == 47
    board = read(run / "tensorboard" / "generator")
    assert [event.step for event in board.Images("sample/recording_above_model")] == [4, 9]
    assert board.Tags()["audio"] == ["sample/speech"]


def test_training_is_the_same_bit_for_bit_without_previews(run: Path, corpus: Path, tmp_path: Path) -> None:
    train("smoke", [corpus], tmp_path / "run", "cpu", ["preview_every=0"], quiet=True)
    assert not (tmp_path / "run" / "samples").exists()
    for name in ("model.safetensors", "syncers.safetensors"):
        assert read_header(run / name).sha256 == read_header(tmp_path / "run" / name).sha256
    assert (run / "log.jsonl").read_text() == (tmp_path / "run" / "log.jsonl").read_text()


@pytest.fixture
def phase() -> Callable[[str], Phase]:
    def make(name: str) -> Any:
        weight = torch.nn.Parameter(torch.ones(1))
        stepper = SimpleNamespace(optimizer=torch.optim.Adam([weight], lr=0.5))
        return SimpleNamespace(name=name, steps=10, modules={}, optimizers={"toy": stepper})

    return make


def test_a_resumed_run_shows_every_step_once(phase: Callable[[str], Phase], tmp_path: Path) -> None:
    first, second = phase("syncers"), phase("generator")
    killed = TensorBoard(tmp_path)
    for number in range(6):
        killed(Stepped(first, number, {"loss": 1.0}))
    for number in range(8):
        killed(Stepped(second, number, {"loss": 1.0}))
    killed(Ended(None))
    resumed = TensorBoard(tmp_path)
    for number in range(5, 10):
        resumed(Stepped(second, number, {"loss": 2.0}))
    resumed(Warned(second, 9, "too good to be true"))
    resumed(Ended(tmp_path / "model.safetensors"))
    board = read(tmp_path / "generator")
    assert steps(board, "generator/loss") == list(range(10))
    assert [event.value for event in board.Scalars("generator/loss")] == [1.0] * 5 + [2.0] * 5
    assert "warnings/text_summary" in board.Tags()["tensors"]
    assert steps(read(tmp_path / "syncers"), "syncers/loss") == list(range(6))


def test_without_tensorboard_one_line_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert open_tensorboard(tmp_path) == []
    (record,) = caplog.records
    assert "headmotion[train]" in record.getMessage()
