"""Many files: finished ones are kept, failures are lines of a report, and interruptions leave nothing half done."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

import headmotion as hm
from headmotion.execution.job import job_from_json, job_to_json
from headmotion.pipeline.generate_job import Record
from headmotion.pipeline.generate_many import RECORDS, _job, run_tasks
from headmotion.pipeline.generate_options import GenerateOptions
from headmotion.pipeline.generate_tasks import Task, tasks_from_paths
from headmotion.pipeline.jobs_table import tasks_from_table

SMALL = {"type": "ms-sync", "preset": "small", "hidden_size": 16, "pose_size": 8, "branch_size": 16}


@pytest.fixture(scope="module")
def pipe() -> hm.Pipeline:
    return hm.build({"generator": SMALL}, device="cpu")


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    """A folder with three talks of half a second, one of them in a folder inside, and one that is no audio."""
    folder = tmp_path / "talks"
    (folder / "more").mkdir(parents=True)
    for k, name in enumerate(("a.wav", "b.flac", "more/c.wav")):
        wave = np.random.default_rng(k).normal(0, 0.1, 8000).astype(np.float32)
        soundfile.write(folder / name, wave, 16_000)
    (folder / "d.wav").write_bytes(b"no audio")
    return folder


def rows(report: Any) -> dict[str, str]:
    return {Path(file.job).name: file.status for file in report.files}


@pytest.mark.parametrize("workers", [0, 2])
def test_motions_are_those_of_generate_and_made_once(
    pipe: hm.Pipeline, talks: Path, tmp_path: Path, workers: int
) -> None:
    out = tmp_path / "out"
    report = pipe.generate_many([talks], out, ".npz", workers=workers, seed=3, lips=1.5)
    assert rows(report) == {"a.wav": "done", "b.flac": "done", "c.wav": "done", "d.wav": "failed"}
    assert str(report) == "3 done, 1 failed" and "d.wav" in report.failed[0].error
    expected = pipe.generate(talks / "b.flac", seed=3, controls=[hm.controls.scale_lips(1.5)])
    motion = hm.Motion.load(out / "b.npz")
    # The workers' processes may use another number of threads.
    torch.testing.assert_close(motion.values, expected.values, rtol=0, atol=1e-6)
    with (out / "report.csv").open(newline="") as stream:
        table = {Path(row["job"]).name: row for row in csv.DictReader(stream)}
    assert table["c.wav"]["output"] == str(out / "more" / "c.npz") and table["c.wav"]["frames"] == "13"
    assert table["d.wav"]["status"] == "failed" and table["d.wav"]["error"] and float(table["a.wav"]["seconds"]) > 0
    # Again: everything is kept but what failed, what was changed and what is gone.
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.npz")}
    (out / "a.npz").unlink()
    soundfile.write(talks / "d.wav", np.zeros(8000), 16_000)
    report = pipe.generate_many([talks], out, ".npz", workers=0, seed=3, lips=1.5)
    assert rows(report) == {"a.wav": "done", "b.flac": "kept", "c.wav": "kept", "d.wav": "done"}
    assert (out / "b.npz").stat().st_mtime_ns == before[out / "b.npz"]
    report = pipe.generate_many([talks / "a.wav", talks / "b.flac"], out, ".npz", workers=0, seed=4, lips=1.5)
    assert rows(report) == {"a.wav": "done", "b.flac": "done"}
    assert not [path for path in out.rglob(".headmotion-*") if path.name != RECORDS]


def test_each_job_may_have_its_own_picture_output_and_options(pipe: hm.Pipeline, talks: Path, tmp_path: Path) -> None:
    face = tmp_path / "face.npz"
    np.savez(face, landmarks=(pipe.representation.neutral() * 300 + 40).numpy())
    jobs: list[Any] = [
        str(talks / "a.wav"),
        {"audio": talks / "b.flac", "output": "pictures", "options": {"size": 64}},
        {"audio": str(talks / "a.wav"), "output": "x/again.mp4", "options": {"seed": 9, "landmarks": str(face)}},
    ]
    report = pipe.generate_many(jobs, tmp_path / "out", ".json", workers=0, size=48, fps=20)
    assert [file.status for file in report.files] == ["done"] * 3, report.files
    assert len(hm.Motion.load(tmp_path / "out/a.json")) == 10
    assert len(list((tmp_path / "out/pictures").glob("*.png"))) == 10
    assert (tmp_path / "out/x/again.mp4").stat().st_size


def test_what_the_system_refuses_is_named_by_its_own_words(pipe: hm.Pipeline, talks: Path, tmp_path: Path) -> None:
    job = {"audio": talks / "a.wav", "output": "x" * 300 + ".npz"}
    (file,) = pipe.generate_many([job], tmp_path / "out", ".npz", workers=0).files
    assert file.status == "failed" and "(File name too long)" in file.error and "OSError" not in file.error


@pytest.mark.parametrize(
    ("jobs", "options", "named"),
    [
        ([], {}, "at least one audio file"),
        (["nowhere.wav"], {}, "nowhere.wav"),
        (["TALKS/none*.wav"], {}, "a pattern that matches"),
        ([{"image": "a.png"}], {}, "no key 'audio'"),
        ([{"audio": "TALKS/a.wav", "picture": "a.png"}], {}, "'picture'"),
        ([{"audio": "TALKS/a.wav", "options": {"lipps": 2}}], {}, "job 0.*lipps"),
        ([{"audio": "TALKS/a.wav", "output": "a.txt"}], {}, "job 0: expected an output ending in .mp4"),
        ([{"audio": "TALKS/a.wav", "output": "TALKS/a.wav"}], {}, "job 0: expected an output ending in"),
        (["TALKS/a.wav", {"audio": "TALKS/b.flac", "output": "a.npz"}], {}, "job 1: expected an output of its own"),
        (["TALKS/a.wav"], {"lipps": 2}, "lipps"),
        (["TALKS/a.wav"], {"blink": True}, "expected blink: a number, got True"),
        (["TALKS/a.wav"], {"workers": -1}, "a number from 0"),
    ],
)
def test_a_mistake_is_one_line_before_any_work(
    pipe: hm.Pipeline, talks: Path, tmp_path: Path, jobs: list[Any], options: Any, named: str
) -> None:
    def placed(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: placed(item) for name, item in value.items()}
        return value.replace("TALKS", str(talks)) if isinstance(value, str) else value

    with pytest.raises(hm.HeadmotionError, match=named) as raised:
        pipe.generate_many([placed(job) for job in jobs], tmp_path / "out", ".npz", **options)
    assert "\n" not in str(raised.value) and not list(tmp_path.glob("out/*.npz"))


def test_a_table_has_paths_options_and_defaults(talks: Path, tmp_path: Path) -> None:
    (tmp_path / "face.npz").write_bytes(b"")
    (tmp_path / "jobs.csv").write_text(
        "audio,image,output,options\n"
        'talks/a.wav,,,"seed=3 lips=1.2 close_silence=true look-at=[10,-5]"\n'
        "\n"
        'talks/b.flac,,out/b.webm,"{""landmarks"": ""face.npz"", ""fps"": 30}"\n',
        "utf-8-sig",
    )
    first, second = tasks_from_table(tmp_path / "jobs.csv", None, ".gif", None, {"seed": 1, "size": 64})
    assert first.audio == talks / "a.wav" and first.output == tmp_path / "a.gif" and first.image is None
    assert first.options == GenerateOptions(seed=3, lips=1.2, close_silence=True, look_at=(10, -5), size=64)
    assert second.output == tmp_path / "out/b.webm" and second.name == "row 4"
    assert second.options == GenerateOptions(seed=1, landmarks=str(tmp_path / "face.npz"), fps="30", size=64)


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ("audio,picture\n", "the columns audio, image, output, options, got the column 'picture'"),
        ("image\nx.png\n", "no column 'audio'"),
        ("Audio\nx.wav\n", "got the column 'Audio'; did you mean 'audio'"),
        ("audio;image\nx.wav;\n", "got the column 'audio;image'; separate columns by commas"),
        ("audio,audio\nx.wav,y.wav\n", "got 'audio' twice"),
        ('audio,image\n"talks/a.wav,\n', "a table of comma-separated values"),
        ("audio,options\ntalks/a.wav,seed=1 seed=2\n", "row 2, options: .*an option twice"),
        ("audio,options\ntalks/a.wav,fps=1e9\n", "row 2, frame rate: expected more than 0 and at most 1000"),
        ("audio,options\ntalks/a.wav,head=nan\n", "row 2, .*a finite number"),
        ("audio,options\ntalks/a.wav,smooth=-5\n", "row 2, "),
        ("audio,options\ntalks/a.wav,renderer=skeletn\n", "row 2, renderer spec: .*did you mean 'skeleton'"),
        ("audio\n", "at least one audio file"),
        ("audio\ntalks/a\0b.wav\n", "row 2, audio: expected a path"),
        ("audio,options\ntalks/a.wav,lips\n", "row 2, options: expected JSON, or words such as"),
        ("audio,options\ntalks/a.wav,lipps=2\n", "row 2, options: .*lipps"),
        ("audio,options\ntalks/a.wav,lips=much\n", "row 2, options: .*lips"),
        ("audio,output\ntalks/a.wav,x.mp4\ntalks/b.flac,x.mp4\n", "row 3: expected an output of its own.* for row 2"),
        ("audio,output\ntalks/a.wav,x.txt\n", "row 2: expected an output ending in .mp4"),
        ("audio,output\ntalks/a.wav,../x.mp4\n", "row 2, output: expected a path within the folder of the outputs"),
        ("audio,output\ntalks/a.wav,a\0b.mp4\n", "row 2, output: expected a path within the folder of the outputs"),
        ("audio,output\ntalks/a.wav,/x.mp4\n", "row 2, output: expected a path within the folder of the outputs"),
        ("audio,output\ntalks/a.wav,x.mp4,3,4\n", "row 2: expected at most 4 cells"),
        ("audio,output\n,x.mp4\n", "row 2: expected a path in the column audio"),
        ("\x00\xff", "a table of comma-separated values"),
    ],
)
def test_a_bad_row_is_one_line_with_its_number(talks: Path, tmp_path: Path, table: str, named: str) -> None:
    (tmp_path / "jobs.csv").write_bytes(table.encode("latin-1"))
    with pytest.raises(hm.HeadmotionError, match=named) as raised:
        tasks_from_table(tmp_path / "jobs.csv", None, ".mp4", None, {})
    assert "\n" not in str(raised.value)


def test_a_missing_file_fails_its_row_alone(pipe: hm.Pipeline, talks: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "jobs.csv").write_text(
        "audio,image,output,options\ntalks/x.wav,,,\ntalks/a.wav,x.png,,face=1\ntalks/more/c.wav,empty.png,,\n"
        "talks/b.flac,,,\ntalks/a.wav,,again.npz,landmarks=x.npz\n"
    )
    tasks = tasks_from_table(tmp_path / "jobs.csv", tmp_path / "out", ".npz", None, {})
    model = str(pipe.save(tmp_path / "model.safetensors"))
    report = run_tasks(tasks, model, "cpu", tmp_path / "report.csv", workers=0)
    assert [file.status for file in report.files] == [*["failed"] * 3, "done", "failed"], report.files
    missing, picture, empty, _, landmarks = (file.error for file in report.files)
    assert missing == f"audio: expected an existing file, got {tmp_path / 'talks/x.wav'}"
    assert picture == f"image: expected an existing file, got {tmp_path / 'x.png'}"
    assert "empty.png" in empty and landmarks.startswith("landmarks: expected an existing file")
    assert (tmp_path / "out/b.npz").exists() and not list(tmp_path.glob("out/[!b]*"))
    # Once the file is there, the row is done, and what is done is kept.
    soundfile.write(talks / "x.wav", np.zeros(8000), 16_000)
    report = run_tasks(tasks, model, "cpu", tmp_path / "report.csv", workers=0)
    assert [file.status for file in report.files] == ["done", "failed", "failed", "kept", "failed"]


def test_folders_and_patterns_are_expanded(talks: Path, tmp_path: Path) -> None:
    def outputs(*paths: Any, output: Path = tmp_path / "out") -> list[str]:
        tasks = tasks_from_paths(paths, output, ".mp4", None, GenerateOptions())
        return [str(task.output.relative_to(output)) for task in tasks]

    assert outputs(talks) == ["a.mp4", "b.mp4", "d.mp4", "more/c.mp4"]
    assert outputs(talks / "*.wav", talks / "a.wav") == ["a.mp4", "d.mp4"]
    assert outputs(talks / "**/c.*") == ["c.mp4"]
    # What an earlier run wrote into the same folder, or one inside, is not taken for speech.
    for place in (talks / "out", talks):
        place.mkdir(exist_ok=True)
        (place / "a.mp4").write_bytes(b"")
        assert outputs(talks, output=place) == ["a.mp4", "b.mp4", "d.mp4", "more/c.mp4"]


def test_a_job_is_the_same_after_json_and_knows_its_inputs(talks: Path, tmp_path: Path) -> None:
    task = Task("1", talks / "a.wav", None, tmp_path / "a.npz", GenerateOptions(look_at=(1, 2), seed=4))
    job = _job(task, "ms-sync", "0" * 64, "cpu", tmp_path / "report.csv")
    assert job_from_json(job_to_json(job)) == job
    before = job.settings
    os.utime(talks / "a.wav", ns=(0, 0))
    assert job.settings != before
    job.record_lost_worker()
    record = Record.load(job.output)
    assert record is not None and "crashed" in record.error
    job.output.write_text("{")
    assert Record.load(job.output) is None


def test_a_killed_run_leaves_no_half_file_and_is_continued(pipe: hm.Pipeline, tmp_path: Path) -> None:
    talks, out = tmp_path / "talks", tmp_path / "out"
    talks.mkdir()
    for k in range(6):
        wave = np.random.default_rng(k).normal(0, 0.1, 16_000).astype(np.float32)
        soundfile.write(talks / f"{k}.wav", wave, 16_000)
    pipe.save(tmp_path / "model.safetensors")
    command = [sys.executable, "-m", "headmotion", "animate", "talks", "-o", "out", "--model", "model.safetensors"]
    command += ["--workers", "1", "--size", "64", "--renderer", "skeleton", "-q"]
    for number in (signal.SIGKILL, signal.SIGINT):
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        count = len(list(out.glob("*.mp4")))
        for _ in range(1200):
            if len(list(out.glob("*.mp4"))) > count or process.poll() is not None:
                break
            time.sleep(0.05)
        process.send_signal(number)
        process.wait(60)
    finished = {path: path.stat().st_mtime_ns for path in out.glob("*.mp4")}
    records = [Record.load(path) for path in (out / RECORDS).rglob("*.json")]
    assert finished and all(record is not None for record in records)
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0 and "kept" in done.stderr, done.stderr
    assert len(list(out.glob("*.mp4"))) == 6
    assert not [path for path in out.rglob(".headmotion-*") if path.name != RECORDS]
