"""The rules: what a call may do with whatever it is given."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import av

from .case import Call, Finding, Outcome
from .forked import MEMORY_BYTES

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

_LOCAL = re.compile(r"'(127\.0\.0\.1|localhost|0\.0\.0\.0|::1?)'")

RECORDS = ".headmotion-records"
"""Records of finished jobs, which a later call reads; see docs/many-files.md."""

Contents = Mapping[str, tuple[int, int, bytes]]
"""What lies in a folder: kind, size and the first bytes by relative path."""


def contents(folder: Path) -> Contents:
    """Return what lies in a folder, without following links."""
    result = {}
    for path in folder.rglob("*"):
        info = path.lstat()
        plain = stat.S_ISREG(info.st_mode) and info.st_size < 1 << 24
        data = (
            path.read_bytes()
            if plain
            else str(path.readlink()).encode("utf-8", "replace")
            if path.is_symlink()
            else b""
        )
        result[path.relative_to(folder).as_posix()] = (
            stat.S_IFMT(info.st_mode),
            0 if path.is_dir() else info.st_size,
            data,
        )
    return result


def check(one: Call, outcome: Outcome, before: Contents, after: Contents, variant: str) -> tuple[Finding, ...]:
    """Return every rule that a call has broken; ``before`` and ``after`` are of the folder around its own."""
    broken = [*_process(one, outcome), *_lines(outcome), *_files(one, outcome, before, after)]
    return tuple(Finding(rule, _one_line(detail), one.arguments, variant) for rule, detail in broken)


def _process(one: Call, outcome: Outcome) -> Iterator[tuple[str, str]]:
    if outcome.timed_out:
        yield "time", f"{outcome.cpu_s:.0f} s of a processor, {outcome.wall_s:.0f} s in all: {outcome.err[-300:]}"
    elif outcome.status < 0:
        yield "crash", f"signal {-outcome.status}: {outcome.err[-300:]}"
    elif "Traceback" in outcome.err:
        yield "traceback", last_lines(outcome.err)
    elif outcome.status not in one.statuses:
        yield "status", f"{outcome.status}: {outcome.err[-300:]}"
    if outcome.peak_bytes > MEMORY_BYTES:
        yield "memory", f"{outcome.peak_bytes >> 20} MiB: {outcome.err[-300:]}"
    elif "not enough memory" in outcome.err:
        yield "memory", outcome.err[-300:]
    for event in outcome.events:
        if one.is_local and _LOCAL.search(event):
            continue
        yield "outside" if event.startswith("open") else "network", event


def _lines(outcome: Outcome) -> Iterator[tuple[str, str]]:
    if _CONTROL.search(outcome.out + outcome.err):
        yield "control characters", ascii(outcome.out + outcome.err)[-300:]
    if outcome.status == 2 and "Traceback" not in outcome.err:
        *warnings, last = outcome.err.splitlines() or [""]
        if not last.startswith("error: ") or any(not line.startswith("warning: ") for line in warnings):
            yield "one line", outcome.err[-300:]
        if outcome.out:
            yield "output beside an error", outcome.out[-300:]


def _files(one: Call, outcome: Outcome, before: Contents, after: Contents) -> Iterator[tuple[str, str]]:
    homes = [os.path.normpath(f"here/{name}") for name in (one.output, *one.further_outputs) if name]
    allowed = {path for path in before.keys() | after.keys() if any(_is_within(path, home) for home in homes)}
    changed = [
        path
        for path in before
        if path not in allowed
        and path.startswith(("here", "beside"))
        and after.get(path) != before[path]
        and "/.headmotion-" not in path  # what a killed call has left is removed by the next one
    ]
    if changed:
        yield "changed input", ", ".join(changed[:5])
    made = [path for path in after if path not in before and path.startswith(("here/", "beside/"))]
    # torch.optim leaves an empty folder for a compiler that is not called.
    left = [
        path for path in after if path.startswith("temporary/") and "torchinductor" not in path and path not in before
    ]
    hidden = [path for path in made if is_left_over(path)]
    if not outcome.timed_out and (left or hidden):
        yield "left over", ", ".join([*left, *hidden][:5])
    stray = [path for path in made if path not in allowed and not hidden]
    # A report is next to its folder, and the folders around an output are made with it.
    around = [
        path for path in stray if any(path.startswith(f"{home}-report") or _is_within(home, path) for home in homes)
    ]
    if stray := sorted(set(stray) - set(around)):
        yield "elsewhere", ", ".join(stray[:5])
    if (
        outcome.status == 2
        and not one.keeps_progress
        and (kept := [path for path in made if path in allowed and path not in hidden])
    ):
        yield "made in spite of an error", ", ".join(kept[:5])


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def check_outputs(folder: Path, names: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the files under final names that are not whole."""
    for name in names:
        path = folder / name
        if not path.is_file():
            continue
        try:
            if path.suffix in (".mp4", ".webm"):
                with av.open(str(path)) as container:
                    if not sum(1 for _ in container.decode(video=0)):
                        yield "half-written", name
            elif path.suffix == ".json":
                json.loads(path.read_text("utf-8"))
            elif path.suffix == ".safetensors":
                from safetensors import safe_open

                with safe_open(path, "np") as stored:
                    stored.keys()
            elif path.suffix == ".npz":
                import numpy as np

                with np.load(path) as arrays:
                    [arrays[key] for key in arrays.files]
            elif not path.stat().st_size and path.suffix != ".jsonl":  # nothing was refused
                yield "half-written", name
        except Exception as error:
            yield "half-written", f"{name}: {error}"


def is_left_over(path: str) -> bool:
    """Return whether a path is a hidden one that no finished call should leave."""
    parts = Path(path).parts
    return any(part.startswith(".") for part in parts) and RECORDS not in parts


def last_lines(text: str) -> str:
    """Return the innermost frames of a traceback and its message."""
    frames = re.findall(r'File "[^"]*?((?:headmotion|site-packages)/[^"]+)", line (\d+), in (\S+)', text)
    where = " > ".join(f"{path.rpartition('site-packages/')[2]}:{line} {name}" for path, line, name in frames[-4:])
    return f"{where}: {text.strip().splitlines()[-1][:300]}"


def _one_line(text: str) -> str:
    return " ".join(ascii(text)[1:-1].replace("\\n", " ").split())[:900]
