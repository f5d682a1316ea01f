import errno
import json
import logging
import os
import shutil
from pathlib import Path

import pytest
import torch

import headmotion as hm
from headmotion.core.checkpoint import read_header
from headmotion.core.errors import TrainingError
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.training import train
from headmotion.training.run_state import RunPosition, parse_state, serialize_state


@pytest.fixture(scope="module")
def finished(small_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    train("smoke", [small_corpus], folder, device="cpu", quiet=True, overrides=SHORT)
    return folder


SHORT = ["phases.syncers.steps=2", "phases.generator.steps=3", "save_every=1"]


def resumed(run: Path, corpus: Path, *changes: str) -> Path:
    return train("smoke", [corpus], run, device="cpu", quiet=True, resume=True, overrides=[*SHORT, *changes])


@pytest.mark.parametrize("damage", ["cut short", "flipped bits", "missing"])
def test_the_previous_state_is_used_where_the_newest_is_damaged(
    damage: str, finished: Path, small_corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    state = run / "state.safetensors"
    content = bytearray(state.read_bytes())
    content[-1000] ^= 0xFF
    state.write_bytes(content[:-9] if damage == "cut short" else content)
    if damage == "missing":
        state.unlink()
    with caplog.at_level(logging.WARNING, "headmotion.training"):
        model = resumed(run, small_corpus)
    assert ("is damaged; going on from step" in caplog.text) == (damage != "missing")
    assert read_header(model).sha256 == read_header(finished / "model.safetensors").sha256
    assert (run / "log.jsonl").read_text() == (finished / "log.jsonl").read_text()


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("name", ["log.jsonl", "recipe.json", "model.safetensors", "syncers.safetensors", "notes.txt"])
def test_files_of_others_are_refused_before_anything_is_written(
    name: str, resume: bool, small_corpus: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "foreign"
    folder.mkdir()
    (folder / name).write_text("mine")
    with pytest.raises(TrainingError, match=r"a new or empty folder, got .*foreign, which holds") as caught:
        train("smoke", [small_corpus], folder, device="cpu", quiet=True, resume=resume)
    assert name in str(caught.value)
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [(name, "mine")]


def test_a_run_stopped_before_its_first_save_begins_anew_in_its_folder(
    finished: Path, small_corpus: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for name in ("recipe.json", "log.jsonl"):
        shutil.copy(finished / name, run / name)
    (run / ".gitignore").write_text("*")
    with pytest.raises(TrainingError, match="which holds"):
        train("smoke", [small_corpus], run, device="cpu", quiet=True, overrides=[*SHORT, "seed=5"])
    model = train("smoke", [small_corpus], run, device="cpu", quiet=True, overrides=SHORT)
    assert read_header(model).sha256 == read_header(finished / "model.safetensors").sha256
    assert (run / "log.jsonl").read_text() == (finished / "log.jsonl").read_text()


STRANGE_LINES = [
    '{"phase": "syncers", "step": 1, "level0": "high"}',
    '{"phase": "syncers", "step": 1, "level0": [1.0]}',
    f'{{"phase": "syncers", "step": 1, "level0": 1{"0" * 400}}}',
    '{"phase": ["syncers"], "step": 1, "level0": 1.0}',
    '{"phase": "syncers", "level0": 1.0}',
    '["phase", "step"]',
    "no JSON",
]


@pytest.mark.parametrize("line", STRANGE_LINES)
def test_lines_of_a_log_that_no_run_writes_are_dropped(
    line: str, finished: Path, small_corpus: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    first, *others = (run / "log.jsonl").read_text("utf-8").splitlines(keepends=True)
    (run / "log.jsonl").write_text("".join([f"{line}\n", *others]), "utf-8")
    assert first and resumed(run, small_corpus, "phases.generator.steps=4")
    assert (run / "log.jsonl").read_text("utf-8").splitlines(keepends=True)[: len(others)] == others


def test_two_damaged_states_are_one_clear_error(finished: Path, small_corpus: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    for name in ("state.safetensors", "state.previous.safetensors"):
        (run / name).write_bytes(b"nothing")
    with pytest.raises(TrainingError, match=r"a whole state\.safetensors"):
        resumed(run, small_corpus)


def test_a_run_from_before_a_field_existed_can_be_resumed(finished: Path, small_corpus: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    position, tensors = parse_state((run / "state.safetensors").read_bytes())
    phases = position.recipe["phases"]
    for fields, name in ((position.recipe["data"], "workers"), (phases["generator"], "schedule")):
        fields.pop(name)
    position.recipe.pop("precision")
    (run / "state.safetensors").write_bytes(serialize_state(position, tensors))
    resumed(run, small_corpus, "data.workers=0", "save_every=3")
    with pytest.raises(TrainingError, match="recipe"):
        resumed(run, small_corpus, "precision=bf16")


def test_a_run_with_old_keys_is_one_error_that_names_the_new_ones(
    finished: Path, small_corpus: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    position, tensors = parse_state((run / "state.safetensors").read_bytes())
    generator = position.recipe["phases"]["generator"]
    generator["average"] = generator.pop("ema_decay")
    (run / "state.safetensors").write_bytes(serialize_state(position, tensors))
    with pytest.raises(TrainingError, match="'average' where the key 'ema_decay' is expected; train anew") as caught:
        resumed(run, small_corpus)
    assert "\n" not in str(caught.value)


def test_a_run_that_goes_on_with_other_clips_says_so(
    finished: Path, small_corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    same, other = (shutil.copytree(finished, tmp_path / name) for name in ("same", "other"))
    resumed(same, small_corpus)
    assert "the run began with" not in caplog.text
    resumed(other, write_synthetic(tmp_path / "more", clips=3, seconds=3))
    assert "the run began with 8 clips of 440 frames and goes on with 3 clips of 225 frames" in caplog.text


def test_a_state_can_be_written_and_read() -> None:
    tensors = {"b": torch.arange(3.0), "a": torch.tensor(5), "c": torch.zeros(0, dtype=torch.bfloat16)}
    start = {"name": "m", "sha256": "ab"}
    written = RunPosition("syncers", 3, 4, 5.0, {"name": "x"}, start, {"clips": 2, "frames": 90})
    position, stored = parse_state(serialize_state(written, tensors))
    assert position == written
    assert all(torch.equal(stored[name], value) for name, value in tensors.items())


def test_a_loss_that_is_not_finite_names_step_term_and_clips(
    finished: Path, small_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headmotion.losses.sync import SyncLoss

    calls = iter([1.0, 1.0, float("nan")])

    def forward(self: SyncLoss, real: hm.Sample, generated: hm.Sample, step: int) -> dict[str, torch.Tensor]:
        return {"sync": generated.motion.mean() * next(calls)}

    monkeypatch.setattr(SyncLoss, "forward", forward)
    with pytest.raises(TrainingError) as caught:
        train("smoke", [small_corpus], tmp_path / "run", device="cpu", quiet=True, overrides=SHORT)
    ids = [entry["id"] for entry in _rows(small_corpus)]
    text = str(caught.value)
    assert "generator step 2: expected a finite sync, got nan with the clips" in text and "\n" not in text
    assert sum(text.count(name) for name in ids) == 8
    assert parse_state((tmp_path / "run" / "state.safetensors").read_bytes())[0].step == 2


def _rows(corpus: Path) -> list[dict[str, str]]:
    header, *lines = (corpus / "index.csv").read_text().splitlines()
    return [dict(zip(header.split(","), line.split(","), strict=False)) for line in lines]


def test_the_folder_holds_the_recipe(finished: Path) -> None:
    assert json.loads((finished / "recipe.json").read_text())["phases"]["syncers"]["steps"] == 2


def test_a_state_that_another_program_has_open_is_replaced_when_it_is_closed(
    finished: Path, small_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, refused = os.replace, []

    def refuse_twice(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
        if refused.count(target := Path(target)) < 2:  # as on Windows
            refused.append(target)
            raise PermissionError(errno.EACCES, "Access is denied", str(source))
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse_twice)
    monkeypatch.setattr("headmotion.core.files._RETRY_WAITS_S", (0, 0))
    run = tmp_path / "run"
    model = train("smoke", [small_corpus], run, device="cpu", quiet=True, overrides=SHORT)
    assert read_header(model).sha256 == read_header(finished / "model.safetensors").sha256
    names = {"state.safetensors", "state.previous.safetensors", "log.jsonl", "recipe.json", "model.safetensors"}
    assert names <= {path.name for path in refused}
    assert {path.name for path in run.iterdir()} == {path.name for path in finished.iterdir()}
