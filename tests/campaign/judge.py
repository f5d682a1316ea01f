"""The rules: what a command may do with whatever it is given."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import av
import pytest

from headmotion import cli

LIMIT = 20.0
"""Seconds of a processor; how long they take depends on who else is at work."""

MEMORY = 3 << 30
"""Bytes beyond what the process has already."""


class Hang(BaseException):
    """Nothing that is raised on purpose, so nothing that is caught by mistake."""


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    status: int
    out: str
    err: str
    seconds: float


@dataclass(frozen=True)
class Judge:
    """Runs the command line's entry point in ``folder`` and holds it to the rules."""

    folder: Path
    captured: pytest.CaptureFixture[str]

    def __call__(self, *arguments: object, changes: Path | None = None, partial: bool = False) -> Outcome:
        """Run it; what lies in the folder ``changes`` is no input, and may stay even without success if ``partial``."""
        before = {path: content for path, content in contents(self.folder).items() if changes not in path.parents}
        outcome = self._run([str(argument) for argument in arguments])
        if partial and changes:
            assert not any(path.name.startswith(".") for path in changes.rglob("*")), "something half-written"
            kept = {path: content for path, content in contents(self.folder).items() if path.is_relative_to(changes)}
            before |= kept
        check(outcome, self.folder, before)
        return outcome

    def refused(self, *arguments: object) -> str:
        """The one line with which the command must refuse."""
        outcome = self(*arguments)
        assert outcome.status == 2, outcome
        return outcome.err

    def accepted(self, *arguments: object, changes: Path | None = None) -> str:
        """What the command prints, which must accept."""
        outcome = self(*arguments, changes=changes)
        assert outcome.status == 0, outcome
        return outcome.out

    def _run(self, arguments: list[str]) -> Outcome:
        sys.argv = ["headmotion", *arguments]
        started = time.process_time()
        with alarm(6 * LIMIT), memory(MEMORY), pytest.raises(SystemExit) as ended:
            cli.main()
        seconds = time.process_time() - started
        out, err = self.captured.readouterr()
        return Outcome(int(ended.value.code or 0), out, err, seconds)


def check(outcome: Outcome, folder: Path, before: Mapping[Path, bytes]) -> None:
    """One line and nothing made, or success and something whole; in time, and the input as it was."""
    after = contents(folder)
    made = after.keys() - before.keys()
    assert outcome.status in (0, 2), outcome
    assert "Traceback" not in outcome.err, outcome
    assert {path: after.get(path) for path in before} == before, "an input was changed"
    # torch.optim leaves an empty folder for a compiler that nobody calls.
    left = [path for path in (folder.parent / "temporary").iterdir() if not path.name.startswith("torchinductor")]
    assert not left, "a temporary file was left"
    if outcome.status == 2:
        assert outcome.seconds < LIMIT, outcome
        assert outcome.err.startswith("error: ") and outcome.err.endswith("\n"), outcome
        assert outcome.err.count("\n") == 1 and outcome.out == "", outcome
        assert not made, made
    else:
        assert not any(path.name.startswith(".") for path in made), made
        films = [length(path) for path in made if path.suffix == ".mp4"]
        assert all(films), films
        assert outcome.seconds < LIMIT + sum(films), outcome


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file with its bytes, and every folder."""
    return {path: path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def length(video: Path) -> float:
    """Seconds of pictures that can be decoded."""
    with av.open(str(video)) as container:
        rate = container.streams.video[0].average_rate
        return float(sum(1 for _ in container.decode(video=0)) / (rate or 1))


@contextmanager
def memory(more: int) -> Iterator[None]:
    """Lets the process have so many bytes more, so that what wants the whole machine's fails."""
    import resource  # not on Windows, where the campaign is skipped

    before = resource.getrlimit(resource.RLIMIT_AS)
    statistics = Path("/proc/self/statm")
    if statistics.exists():
        pages = int(statistics.read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Ends what would never end by itself."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise Hang(f"after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
