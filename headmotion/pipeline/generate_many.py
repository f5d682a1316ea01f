"""Many files at once: what is finished is not made again, and a failure is a line in a report."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..core.arguments import as_list, as_path
from ..core.checkpoint import read_header
from ..core.claims import claimed_output
from ..core.errors import HeadmotionError
from ..core.files import atomic_output, write_text
from ..core.plugins import registry
from ..core.progress import progress
from ..core.short_repr import shown
from ..core.temporary_paths import remove_leftovers
from ..execution.executor import Executor, resolve_executor
from .generate_job import GenerateJob, Record
from .generate_tasks import Task
from .jobs_table import tasks_from_rows

if TYPE_CHECKING:
    from .pipeline import Pipeline

REPORT = "report.csv"
"""Name of the report in the folder of the outputs."""
RECORDS = ".headmotion-records"
"""Hidden folder next to the report, with a small file per output that says how it was made."""
COLUMNS = ("job", "status", "output", "seconds", "frames", "error")
"""Columns of the report."""


@dataclass(frozen=True)
class GeneratedFile:
    """A line of the report."""

    job: str
    """The audio file."""
    status: Literal["done", "kept", "failed", "pending"]
    """``kept``: done by an earlier run; ``pending``: not tried yet, because the run was interrupted."""
    output: str
    """The output."""
    seconds: float
    """Time that it took."""
    frames: int
    """Frames of the motion."""
    error: str
    """Why it failed, on one line."""


@dataclass(frozen=True)
class GenerateReport:
    """What became of each file."""

    path: Path
    """The report as a table of comma-separated values."""
    files: Sequence[GeneratedFile]
    """In the order of the jobs."""

    @property
    def failed(self) -> Sequence[GeneratedFile]:
        """The files that failed."""
        return [file for file in self.files if file.status == "failed"]

    def __str__(self) -> str:
        counts = Counter(file.status for file in self.files)
        return ", ".join(f"{counts[name]} {name}" for name in ("done", "kept", "failed", "pending") if counts[name])

    def save(self) -> None:
        """Write the table; it appears whole or not at all."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for file in self.files:
            row = (file.job, file.status, file.output, f"{file.seconds:.2f}", file.frames, file.error)
            writer.writerow([str(cell).encode("utf-8", "replace").decode() for cell in row])
        with atomic_output(self.path) as temporary:
            write_text(temporary, text.getvalue())


def generate_many(
    pipeline: Pipeline,
    jobs: Sequence[str | os.PathLike[str] | Mapping[str, Any]],
    output: str | os.PathLike[str],
    suffix: str = ".mp4",
    image: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    ray_address: str | None = None,
    stall_seconds: float = 300,
    quiet: bool = True,
    **options: Any,
) -> GenerateReport:
    """Generate many files; see `Pipeline.generate_many`."""
    folder = as_path(output, "output")
    if not isinstance(suffix, str):
        raise HeadmotionError("suffix", "text such as '.mp4', or '' for folders of pictures", shown(suffix))
    what = "paths, or of mappings with the key 'audio'"
    jobs = as_list(
        [jobs] if isinstance(jobs, str | os.PathLike) else jobs,
        "jobs",
        what,
        lambda job: isinstance(job, str | os.PathLike | Mapping),
    )
    tasks = tasks_from_rows(jobs, folder, suffix, None if image is None else Path(image), options)
    # The workers read the pipeline from a file, which stays there, because records name its digest.
    model = pipeline.save(folder / RECORDS / "model.safetensors")
    device = str(pipeline.device)
    return run_tasks(tasks, str(model), device, folder / REPORT, workers, ray_address, stall_seconds, quiet)


def run_tasks(
    tasks: Sequence[Task],
    model: str,
    device: str,
    report: Path,
    workers: int | None = None,
    ray_address: str | None = None,
    stall_seconds: float = 300,
    quiet: bool = True,
) -> GenerateReport:
    """Generate the files of tasks, but for those that an earlier run made from the same inputs with the same options.

    Args:
        tasks: the files.
        model: a bundled model or a checkpoint.
        device: ``auto``, or a device of this machine.
        report: path of the report, which is written when all is done or interrupted.
        workers: processes of this machine; None: one per processor, or one for a device other than the CPU; 0: none but
            this one.
        ray_address: address of a running Ray cluster that replaces the processes.
        stall_seconds: a job without progress for this long has failed.
        quiet: no progress bar.

    Raises:
        HeadmotionError: no such model or device, workers that cannot start, or a report that another process writes.
    """
    from ..core.device import pick_device
    from .loading import model_path, model_spec

    path = model_path(model)
    model_spec(path, read_header(path))  # a wrong model is one error, not one per file
    kind = pick_device(device).type
    executor = resolve_executor(1 if workers is None and kind != "cpu" else workers, ray_address, stall_seconds)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    # A bundled model by its name, because other machines may have it elsewhere.
    source = model if model in registry().models else str(path.absolute())
    jobs = [_job(task, source, digest, device, report) for task in tasks]
    with claimed_output(report):
        finished = {job.record for job in jobs if _is_finished(job)}
        try:
            _run([job for job in jobs if job.record not in finished], len(jobs), executor, quiet)
        finally:
            # Also after an interruption, which kills the workers while they write.
            for folder in {Path(job.target).parent for job in jobs} | {report.parent / RECORDS}:
                remove_leftovers(folder)
            result = GenerateReport(report, [_line(*pair, finished) for pair in zip(tasks, jobs, strict=True)])
            result.save()
    return result


def _job(task: Task, model: str, digest: str, device: str, report: Path) -> GenerateJob:
    target = str(task.output.absolute())
    name = hashlib.sha256(os.fsencode(target)).hexdigest()[:32]
    return GenerateJob(
        audio=str(task.audio.absolute()),
        image=None if task.image is None else str(task.image.absolute()),
        target=target,
        options=task.options,
        model=model,
        model_sha256=digest,
        device=device,
        # Two levels, because some file systems are slow with a hundred thousand files in a folder.
        record=str(report.absolute().parent / RECORDS / name[:2] / f"{name}.json"),
    )


def _is_finished(job: GenerateJob) -> bool:
    record = Record.load(job.output)
    return record is not None and not record.error and record.settings == job.settings and Path(job.target).exists()


def _run(jobs: Sequence[GenerateJob], total: int, executor: Executor, quiet: bool) -> None:
    done = total - len(jobs)
    failures = 0
    with progress("files", total, start=done, quiet=quiet) as advance:
        for job in executor.run(jobs):
            record = Record.load(job.output)
            failures += record is None or bool(record.error)
            advance(label=f"files ({failures} failed)" if failures else "files")


def _line(task: Task, job: GenerateJob, finished: Collection[str]) -> GeneratedFile:
    record = Record.load(job.output)
    if record is None or record.settings != job.settings:
        return GeneratedFile(str(task.audio), "pending", str(task.output), 0.0, 0, "")
    status: Literal["done", "kept", "failed"] = (
        "failed" if record.error else "kept" if job.record in finished else "done"
    )
    return GeneratedFile(str(task.audio), status, str(task.output), record.seconds, record.frames, record.error)
