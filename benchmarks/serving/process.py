"""A server in a process of its own, and what it uses."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Served:
    """A server process."""

    url: str
    pid: int

    def processor_s(self) -> float:
        """Return the processor time of the process so far (s)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Return the resident memory of the process (MB)."""
        match = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE)
        return int(match[1]) / 1000 if match else 0.0


@contextmanager
def serving(model: str, sessions: int) -> Iterator[Served]:
    """Run a server of a model in a process of its own."""
    command = [sys.executable, "-m", "headmotion", "serve", "--model", model, "--port", "0", "--device", "cpu"]
    for limit in (f"sessions={sessions + 64}", "messages_per_s=500", "resume_s=2", "handshake_s=5", "stall_s=3"):
        command += ["--limit", limit]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip().rpartition(" ")[2]
        try:
            yield Served(url, process.pid)
        finally:
            process.terminate()
