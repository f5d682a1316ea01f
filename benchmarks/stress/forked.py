"""Calls in forked processes: as cheap as a function, and as well separated as a process.

The parent has imported what the calls need, and never runs any of it. A child has its own limits of memory and time,
its own empty folders of the user, and a hook that records every look-up of a host and every opened canary, and that can
kill it in the middle of its work.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from .case import Call, Outcome

CPU_S = 25
"""Bound of a call's processor time (s); wall time depends on who else is at work."""
MOST_CPU_S = 1800
"""What a case may raise it to (s)."""
STALL_S = 60
"""A call that uses no processor time for so long waits for something that will not come (s)."""
MEMORY_BYTES = 3 << 29
"""Bound of a call's memory beyond its parent's (bytes)."""
CANARY = "canary"
"""Part of the names of files that no call has a reason to open."""
NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request")
CHANGES = ("os.rename", "os.link", "os.mkdir", "os.rmdir", "os.remove", "os.truncate", "shutil.rmtree")
"""Audit events of what changes a folder; opening a file for writing is one too."""
LOGS = ("stdout", "stderr", "events", "changes", "modules", "start")
"""Files next to the call's folders in which it records what it did."""
_PACKAGES = (
    "headmotion",
    "torch",
    "numpy",
    "scipy",
    "av",
    "PIL",
    "librosa",
    "cv2",
    "pygltflib",
    "jinja2",
    "matplotlib",
)

_imported: set[str] = set()


@dataclass(frozen=True)
class Killing:
    """When a call is killed: at a change of a file, after some processor time, or never."""

    at_change: int | None = None
    """Number of the change before which the process is killed, from 1."""
    after_cpu_s: float | None = None


@dataclass
class Running:
    """A call that runs."""

    process: int
    started: float
    files: Mapping[str, Path] = field(default_factory=dict)

    def wait(self) -> Outcome:
        """Wait for its end, and end it where its time is over."""
        status, usage, timed_out = _wait(self.process)
        _import_like(self.files["modules"])
        code = os.waitstatus_to_exitcode(status)
        return Outcome(
            status=code,
            out=_text(self.files["stdout"]),
            err=_text(self.files["stderr"]),
            cpu_s=usage.ru_utime + usage.ru_stime,
            wall_s=time.monotonic() - self.started,
            peak_bytes=max(0, usage.ru_maxrss * 1024 - int(_text(self.files["start"]) or 0)),
            events=tuple(_text(self.files["events"]).splitlines()),
            changes=len(_text(self.files["changes"])),
            timed_out=timed_out or code == -signal.SIGXCPU,
        )


def call(
    one: Call, folder: Path, environment: Mapping[str, str] | None = None, killing: Killing = Killing()
) -> Outcome:
    """Run a call; see `start`."""
    return start(one, folder, environment, killing).wait()


def start(
    one: Call, folder: Path, environment: Mapping[str, str] | None = None, killing: Killing = Killing(), tag: str = ""
) -> Running:
    """Start a call in the folder ``here`` within ``folder``, next to which it has its own home and temporary files.

    Args:
        one: the call.
        folder: the case's folder.
        environment: further variables.
        killing: when it is killed.
        tag: names its logs, where several calls run at once.
    """
    for name in ("here", "home", "temporary"):
        (folder / name).mkdir(exist_ok=True)
    files = {name: folder / f"{name}{tag}" for name in LOGS}
    for path in files.values():
        path.unlink(missing_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    started = time.monotonic()
    process = os.fork()
    if not process:
        _child(one, folder, files, dict(environment or {}), killing)
    return Running(process, started, files)


def _wait(process: int) -> tuple[int, Any, bool]:
    pause, used, since = 0.002, -1.0, time.monotonic()
    while time.monotonic() - since < STALL_S:
        found, status, usage = os.wait4(process, os.WNOHANG)
        if found:
            return status, usage, False
        if (now := _cpu_ticks(process)) != used:
            used, since = now, time.monotonic()
        time.sleep(pause)
        pause = min(0.02, 1.3 * pause)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    _, status, usage = os.wait4(process, 0)
    return status, usage, True


def _cpu_ticks(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return float(fields[11]) + float(fields[12])


def _child(one: Call, folder: Path, files: Mapping[str, Path], environment: dict[str, str], killing: Killing) -> None:
    """Run the call and end the process."""
    status = 70
    try:
        os.setpgrp()  # not a session, which the scheduler of Linux would give a share of its own
        _confine(folder, files, environment)
        _watch(files, killing)
        status = _run(one)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # also what should never be raised
        traceback.print_exc()
        status = 71
    finally:
        with contextlib.suppress(BaseException):
            sys.stderr.flush()
            files["modules"].write_text("\n".join(sorted(sys.modules)))
        os._exit(status)


def _confine(folder: Path, files: Mapping[str, Path], environment: dict[str, str]) -> None:
    for number, name in ((1, "stdout"), (2, "stderr")):
        descriptor = os.open(files[name], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", errors="backslashreplace") for number in (1, 2))
    os.chdir(folder / "here")
    homes = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "TORCH_HOME"), str(folder / "home"))
    os.environ.update(homes | {"TMPDIR": str(folder / "temporary")} | environment)
    import tempfile

    tempfile.tempdir = None
    pages, resident = map(int, Path("/proc/self/statm").read_text().split()[:2])
    files["start"].write_text(str(resident * resource.getpagesize()))
    # Twice the bound, so that what exceeds it is measured, and the machine is safe.
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2 * MEMORY_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, MOST_CPU_S))  # a case may raise it
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _watch(files: Mapping[str, Path], killing: Killing) -> None:
    events, changes = (os.open(files[name], os.O_CREAT | os.O_WRONLY | os.O_APPEND) for name in ("events", "changes"))
    changed, modules = 0, str(files["modules"])

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal changed
        network = event in NETWORK and not isinstance(arguments[-1], str | bytes)  # not sockets of a path
        if network or (event == "open" and CANARY in str(arguments[0])):
            os.write(events, f"{event} {arguments}\n".encode("utf-8", "backslashreplace"))
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (writes and str(arguments[0]) != modules) or event in CHANGES:
            changed += 1
            os.write(changes, b".")
            if changed == killing.at_change:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(note)
    if killing.after_cpu_s is not None:
        # Its default action ends the process at once, as SIGKILL does; and the time is the same on a busy machine.
        signal.setitimer(signal.ITIMER_PROF, max(1e-3, killing.after_cpu_s))


def _run(one: Call) -> int:
    from headmotion import cli

    sys.argv = ["headmotion", *one.arguments]
    try:
        one.run() if one.run else cli.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def _import_like(modules: Path) -> None:
    """Import what a child has imported, so that the next one finds it."""
    for name in sorted(set(_text(modules).split()) - _imported - sys.modules.keys()):
        _imported.add(name)
        if name.partition(".")[0] in _PACKAGES:
            with contextlib.suppress(Exception):
                import_module(name)


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "backslashreplace") if path.exists() else ""
