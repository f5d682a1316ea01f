"""Jobs in this process and in others: done, crashed, stalled, failed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from file_jobs import FileJob, UnregisteredJob, setups

import headmotion as hm
from headmotion.execution.executor import Executor, InProcessExecutor, resolve_executor
from headmotion.execution.job import job_from_json, job_to_json
from headmotion.execution.processes import ProcessExecutor

EXECUTORS = [InProcessExecutor(), ProcessExecutor(1, 60), ProcessExecutor(2, 60)]
NAMES = ["in this process", "one process", "two processes"]


def texts(executor: Executor, jobs: list[FileJob]) -> dict[str, str]:
    """Run jobs, and return what each left behind."""
    ended = list(executor.run(jobs))
    assert sorted(ended, key=jobs.index) == jobs
    return {job.output.name: job.output.read_text() for job in jobs}


@pytest.mark.parametrize("executor", EXECUTORS, ids=NAMES)
def test_every_job_is_done_once(executor: Executor, tmp_path: Path) -> None:
    jobs = [FileJob(str(tmp_path / f"{k}"), f"text {k}\nÄ") for k in range(5)]
    assert texts(executor, jobs) == {f"{k}": f"text {k}\nÄ" for k in range(5)}
    assert list(executor.run([])) == []


def test_a_lost_worker_costs_its_job_only(tmp_path: Path) -> None:
    behaviors = ["write", "crash", "write", "stall", "slow", "write"]
    jobs = [FileJob(str(tmp_path / f"{k} {name}"), behavior=name) for k, name in enumerate(behaviors)]
    expected = {job.output.name: "lost" if job.behavior in ("crash", "stall") else "done" for job in jobs}
    assert texts(ProcessExecutor(2, 1), jobs) == expected


@pytest.mark.parametrize("executor", EXECUTORS, ids=NAMES)
@pytest.mark.parametrize(
    ("behavior", "error"), [("fail", hm.CorpusError("file job", "room on the disk", "none")), ("fail-setup", None)]
)
def test_an_error_ends_all_work(executor: Executor, behavior: str, error: Any, tmp_path: Path) -> None:
    error = error or hm.SpecError("file job", "a network", "none", "fetch it")
    jobs = [FileJob(str(tmp_path / f"{k}"), behavior=behavior) for k in range(3)]
    with pytest.raises(type(error)) as raised:
        list(executor.run(jobs))
    assert str(raised.value) == str(error) and not list(tmp_path.iterdir())


def test_jobs_that_nobody_waits_for_end_with_the_iterator(tmp_path: Path) -> None:
    jobs = [FileJob(str(tmp_path / "first")), *(FileJob(str(tmp_path / f"{k}"), behavior="slow") for k in range(9))]
    for job in ProcessExecutor(1, 60).run(jobs):
        assert job is jobs[0]
        break
    assert {path.name for path in tmp_path.iterdir()} == {"first"}


def test_setup_is_not_watched_and_comes_before_the_job(tmp_path: Path) -> None:
    setups.clear()
    job = FileJob(str(tmp_path / "a"))
    assert list(InProcessExecutor().run([job])) == [job] and setups == [job.path]


def test_a_job_survives_json() -> None:
    job = FileJob("/a b/ü", "text\n\"'")
    line = job_to_json(job)
    assert "\n" not in line and job_from_json(line) == job
    assert json.loads(line) == {"job": "file_jobs:FileJob", "arguments": job.arguments()}


@pytest.mark.parametrize("name", ["os:system", "os:path", "file_jobs:UnregisteredJob", "nowhere:Job", "", "file_jobs"])
def test_only_registered_jobs_are_accepted(name: str) -> None:
    with pytest.raises(hm.HeadmotionError, match="name of a registered job"):
        job_from_json(json.dumps({"job": name, "arguments": {"path": "x"}}))


def test_a_worker_does_not_run_what_is_not_registered(tmp_path: Path) -> None:
    with pytest.raises(hm.HeadmotionError, match=r"registered job, got 'file_jobs:UnregisteredJob'"):
        list(ProcessExecutor(1, 60).run([UnregisteredJob(str(tmp_path / "a"))]))
    assert not list(tmp_path.iterdir())


def test_the_worker_is_a_module_that_can_be_run(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "headmotion.execution.worker", "60"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    lines = [job_to_json(FileJob(str(tmp_path / "a"))), json.dumps({"job": "os:system", "arguments": {}})]
    done = subprocess.run(command, input="\n".join(lines), env=environment, capture_output=True, text=True, check=True)
    ready, first, second = done.stdout.splitlines()
    assert (ready, first) == ("ready", "done") and json.loads(second)[:2] == ["HeadmotionError", "worker"]
    assert (tmp_path / "a").read_text() == "done"


def test_a_worker_whose_input_ends_gives_up_its_job(tmp_path: Path) -> None:
    """As when the parent dies: on Windows the worker's parent number stays the same."""
    command = [sys.executable, "-P", "-m", "headmotion.execution.worker", "60"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    line = job_to_json(FileJob(str(tmp_path / "a"), behavior="slow"))
    done = subprocess.run(command, input=line, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "ready\n") and not list(tmp_path.iterdir())


@pytest.mark.parametrize(("workers", "stall_seconds"), [(-1, 1), (1, 0), (1, float("nan"))])
def test_bad_numbers(workers: int, stall_seconds: float) -> None:
    with pytest.raises(hm.SpecError, match="workers: expected"):
        resolve_executor(workers, None, stall_seconds)


def test_which_executor_is_used() -> None:
    assert isinstance(resolve_executor(0, None, 1), InProcessExecutor)
    assert resolve_executor(3, None, 1) == ProcessExecutor(3, 1)
    assert resolve_executor(None, None, 1) == ProcessExecutor(os.cpu_count() or 1, 1)
    assert type(resolve_executor(3, "auto", 1)).__name__ == "RayExecutor"
