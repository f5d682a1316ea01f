"""Several processes on the CPU, started as users start them, and as they fail."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from double_precision import DOUBLE_PRECISION, assert_same_state, assert_same_tensors
from safetensors.torch import load_file

from headmotion.core.errors import TrainingError
from headmotion.core.plugins import registry
from headmotion.training import train
from headmotion.training.batch_partition import BatchPartition
from headmotion.training.contrastive_phase import ContrastivePhase
from headmotion.training.distributed import Processes, join_processes

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port"]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def run_in_two_processes(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [*TORCHRUN, free_port(), "-m", "headmotion", *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_two_processes_go_on_with_a_run_of_one_to_the_same_parameters(
    small_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    changes = [*DOUBLE_PRECISION, "save_every=1"]
    train("smoke", [small_corpus], one, device="cpu", quiet=True, overrides=changes)
    uninterrupted_step = ContrastivePhase.step

    def interrupted(self: ContrastivePhase, number: int) -> Mapping[str, float]:
        if number == 1:
            raise KeyboardInterrupt
        return uninterrupted_step(self, number)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(ContrastivePhase, "step", interrupted)
        train("smoke", [small_corpus], two, device="cpu", quiet=True, overrides=changes)
    options = [part for change in changes for part in ("--set", change)]
    done = run_in_two_processes(
        "train", "smoke", "--data", small_corpus, "-o", two, "--device", "cpu", "-q", "--resume", *options
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(two / "model.safetensors")]
    assert_same_state(one, two)
    assert len((two / "log.jsonl").read_text().splitlines()) == len((one / "log.jsonl").read_text().splitlines()) == 6


FAILING = """
import sys
from headmotion.core.errors import HeadmotionError, TrainingError
from headmotion.training.distributed import join_processes
import torch

def work(processes):
    tensor = torch.full((2,), float(processes.rank))
    processes.average([tensor])
    assert tensor.tolist() == [0.5, 0.5]
    assert processes.read_on_first(lambda: b"read once" if processes.first else 1 / 0) == b"read once"
    try:
        processes.read_on_first(broken)
    except TrainingError as error:
        assert error.component == "run", error
    if processes.rank == 1:
        raise TrainingError("process 1", "to go on", "a full disk")
    processes.average([tensor])

def broken():
    raise TrainingError("run", "a", "b")

try:
    with join_processes("cpu") as processes:
        work(processes)
except HeadmotionError as error:
    sys.exit(f"error: {error}")
"""


def test_an_error_in_one_process_stops_the_other_with_one_line_each() -> None:
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "OMP_NUM_THREADS": "1"}
    start = time.monotonic()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", FAILING],
            env=os.environ | shared | {"RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    outputs = [process.communicate(timeout=120)[1] for process in processes]
    first, second = ([line for line in output.splitlines() if "error" in line] for output in outputs)
    assert time.monotonic() - start < 100 and [process.returncode for process in processes] == [1, 1]
    assert second == ["error: process 1: expected to go on, got a full disk"]
    assert len(first) == 1 and first[0].startswith("error: process 0 of 2: expected an answer of all others")


def test_a_single_process_needs_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with join_processes("cpu") as processes:
        assert processes.first and processes.count == 1
        assert processes.read_on_first(lambda: b"content") == b"content"


@pytest.mark.parametrize("variables", [{"WORLD_SIZE": "many"}, {"WORLD_SIZE": "2"}, {"WORLD_SIZE": "2", "RANK": "0"}])
def test_an_incomplete_environment_is_one_clear_error(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(TrainingError, match="torchrun"), join_processes("cpu"):
        pass


def test_the_samples_of_all_processes_make_the_batch() -> None:
    shares = [BatchPartition(Processes(rank, 4)).own_samples(16) for rank in range(4)]
    assert [sample for share in shares for sample in share] == list(range(16))


FIT_AND_SUPERVISED = """
name: offsets
precision: "64"
pipeline: {representation: offset/offset, generator: {type: ms-sync, preset: small, hidden_size: 16, pose_size: 16}}
data: {batch_size: 4}
phases:
  basis: {type: fit}
  generator: {type: supervised, steps: 2, frames: 12, losses: [reconstruction], ema_decay: 0.5}
preview_every: 0
"""


def test_two_processes_equal_one_in_fit_and_supervised_phases(
    small_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "site" / "headmotion_offset-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: headmotion-offset\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[headmotion]\noffset = offset_parts\n")
    monkeypatch.syspath_prepend(info.parent)
    paths = [str(info.parent), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    registry.cache_clear()
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(FIT_AND_SUPERVISED)
    one, two = tmp_path / "one", tmp_path / "two"
    train(recipe, [small_corpus], one, device="cpu", quiet=True)
    done = run_in_two_processes("train", recipe, "--data", small_corpus, "-o", two, "--device", "cpu", "-q")
    registry.cache_clear()
    assert done.returncode == 0, done.stderr
    for name in ("state.safetensors", "finished/basis.safetensors"):
        assert_same_tensors(one / name, two / name)
    assert float(load_file(two / "finished" / "basis.safetensors")["module/representation/count"]) == 8 * 55


FROM_A_MODEL = """
name: tiny
precision: "64"
pipeline: {generator: {type: causal-flow, width: 16, blocks: 1, flow_width: 16, flow_blocks: 1, codes: 4}}
data: {batch_size: 4}
phases:
  generator: {type: supervised, distance: none, steps: 2, frames: 12, ema_decay: 0.5}
preview_every: 0
"""


def test_two_processes_start_from_a_model_as_one_does(small_corpus: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(FROM_A_MODEL)
    model = train(recipe, [small_corpus], tmp_path / "base", device="cpu", quiet=True, overrides=["seed=5"])
    one, two = tmp_path / "one", tmp_path / "two"
    train(recipe, [small_corpus], one, device="cpu", quiet=True, start=model)
    done = run_in_two_processes(
        "train", recipe, "--data", small_corpus, "-o", two, "--device", "cpu", "-q", "--from", model
    )
    assert done.returncode == 0, done.stderr
    assert_same_tensors(one / "state.safetensors", two / "state.safetensors")
