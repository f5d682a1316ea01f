"""How many live sessions a server keeps up with, how long frames take, and what bad clients do to the others.

``python -m benchmarks.serving`` prints tables. The server is ``headmotion serve`` in a process of its own, with one
thread for the model; clients are in this process. Samples are pushed 40 ms at a time, in real time, and each session
begins at another moment. Sessions that come and go last five seconds each. The delay of a frame is the time from the
push of the samples that complete it to its arrival at the client, beyond the look-ahead; it includes both ways through
the loopback and the client's own time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import numpy as np

from headmotion.core.default_model import DEFAULT_MODEL
from headmotion.media.audio import Audio
from headmotion.serving.client import connect_async

RATE = 16_000
PUSH_MS = 40
"""Speech per push (ms)."""
VISIT_S = 5.0
"""Length of a session that comes and goes (s)."""
COUNTS = (1, 25, 50, 100, 150)
"""Sessions at the same time."""


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
        found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE)
        return int(found[1]) / 1000 if found else 0.0

    def metrics(self) -> str:
        """Return the server's own metrics."""
        address = self.url.replace("ws://", "http://")
        with build_opener(ProxyHandler({})).open(f"{address}/metrics") as response:
            return response.read().decode()


@dataclass
class Delays:
    """Delays of frames beyond the look-ahead (ms), and sessions that failed."""

    values: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    speech_s: float = 0.0

    def percentile(self, share: float) -> float:
        """Return a percentile (ms)."""
        return float(np.percentile(self.values, share)) if self.values else float("nan")


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


async def speak(url: str, wave: np.ndarray, start: int, seconds: float, delays: Delays) -> None:
    """Speak in real time for some seconds, and note how long frames take."""
    size, count = RATE * PUSH_MS // 1000, round(1000 * seconds / PUSH_MS)
    pushed: list[float] = []
    try:
        async with connect_async(url, sample_rate=RATE, samples="int16", seed=start) as session:
            ahead_s = session.welcome["lookahead_ms"] / 1000

            async def push() -> None:
                begin = time.perf_counter()
                for step in range(count):
                    await asyncio.sleep(max(0.0, begin + step * PUSH_MS / 1000 - time.perf_counter()))
                    block = np.take(wave, np.arange(size) + start + step * size, mode="wrap")
                    pushed.append(time.perf_counter())
                    await session.push(block)
                await session.end()

            pushing = asyncio.create_task(push())
            async for message in session:
                now = time.perf_counter()
                # The push with which the speech up to the frame and its look-ahead was complete.
                needed = float(message.times()[-1]) + ahead_s
                push_of_it = int(np.ceil(needed * 1000 / PUSH_MS)) - 1
                if push_of_it < len(pushed):
                    delays.values.append(1000 * (now - pushed[push_of_it]))
                elif push_of_it < count:  # it came before all of its look-ahead was there
                    delays.values.append(0.0)
            await pushing
            delays.speech_s += seconds
    except Exception as error:
        delays.failed.append(f"{type(error).__name__}: {error}")


async def crowd(served: Served, wave: np.ndarray, count: int, seconds: float, visit_s: float | None) -> Delays:
    """Keep so many sessions speaking for some seconds; with ``visit_s`` each is followed by others."""
    delays, rng = Delays(), np.random.default_rng(count)

    async def place() -> None:
        await asyncio.sleep(float(rng.uniform(0, 1)))
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 1:
            length = min(left, seconds if visit_s is None else visit_s * rng.uniform(0.5, 1.5))
            await speak(served.url, wave, int(rng.integers(0, len(wave))), length, delays)

    await asyncio.gather(*(place() for _ in range(count)))
    return delays


async def misbehave(url: str, wave: np.ndarray, until: float, counts: dict[str, int]) -> None:
    """Connect over and over as clients that stall, vanish, send garbage, or send too fast."""
    import websockets

    rng = np.random.default_rng(1)
    hello = json.dumps({"type": "hello", "version": 1, "rate": RATE})
    second = wave[:RATE].astype("<i2").tobytes()

    async def talk(kind: str) -> None:
        async with websockets.connect(f"{url}/v1/stream", compression=None, proxy=None) as client:
            await client.send(rng.bytes(100) if kind == "garbage" else hello)
            if kind == "fast":
                for _ in range(50):
                    await client.send(second)
            if kind == "noise":
                await client.recv()
                await client.send(rng.bytes(1001))
            if kind == "vanish":
                await client.recv()
                await client.send(second)
                client.transport.abort()
            if kind == "stall":
                await client.send(second)
                await asyncio.sleep(4)
            async for _ in client:
                pass

    def half() -> None:
        host, port = url.removeprefix("ws://").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"GET /v1/stream HT")
            time.sleep(0.5)

    async def repeat(kind: str) -> None:
        while time.perf_counter() < until:
            counts[kind] = counts.get(kind, 0) + 1
            with suppress(websockets.WebSocketException, OSError):
                await (asyncio.to_thread(half) if kind == "half" else talk(kind))
            await asyncio.sleep(0.2)

    await asyncio.gather(*map(repeat, ("garbage", "noise", "fast", "vanish", "stall", "half")))


def row(served: Served, wave: np.ndarray, count: int, seconds: float, visit_s: float | None) -> str:
    """Return a row of the first table."""
    memory, processor, begin = served.memory_mb(), served.processor_s(), time.perf_counter()
    own = time.process_time()
    delays = asyncio.run(crowd(served, wave, count, seconds, visit_s))
    processor, wall = served.processor_s() - processor, time.perf_counter() - begin
    grown = (served.memory_mb() - memory) / count
    per_core = delays.speech_s / processor
    median, p99 = delays.percentile(50), delays.percentile(99)
    cells = (f"{per_core:.0f}", f"{100 * processor / wall:.0f} %", f"{median:.1f}", f"{p99:.1f}", f"{grown:.2f}")
    print(f"  clients used {100 * (time.process_time() - own) / wall:.0f} % of a core", file=sys.stderr)
    for failure in delays.failed[:3]:
        print(f"  failed: {failure}", file=sys.stderr)
    come = "stay" if visit_s is None else "come and go"
    return f"| {count}, {come} | {' | '.join(cells)} | {len(delays.failed)} |"


def with_bad_clients(served: Served, wave: np.ndarray, count: int, seconds: float) -> str:
    """Return the sentence about bad clients."""

    async def both(bad: dict[str, int]) -> Delays:
        until = time.perf_counter() + seconds
        delays, _ = await asyncio.gather(
            crowd(served, wave, count, seconds, None), misbehave(served.url, wave, until, bad)
        )
        return delays

    bad: dict[str, int] = {}
    before = served.memory_mb()
    delays = asyncio.run(both(bad))
    return (
        f"{count} sessions of {seconds:.0f} s beside {sum(bad.values())} bad connections ({json.dumps(bad)}): "
        f"{len(delays.failed)} disturbed, median {delays.percentile(50):.1f} ms, 99th percentile "
        f"{delays.percentile(99):.1f} ms, memory {served.memory_mb() - before:+.1f} MB."
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=DEFAULT_MODEL, help="bundled model, or a checkpoint as NAME=FILE")
    parser.add_argument("--seconds", type=float, default=30, help="length of each measurement")
    parser.add_argument("--sessions", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--bad", type=int, default=50, help="good sessions beside the bad clients; 0: none")
    arguments = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else max(soft, 4096), hard))
    with as_file(files("headmotion") / "assets" / "speech.flac") as path:
        wave = (32767 * Audio.load(path).read(RATE)).astype(np.int16)
    print("| sessions | in real time per core | use of a core | median delay (ms) | 99th percentile (ms) |", end="")
    print(" memory per session (MB) | failed |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    with serving(arguments.model, max(arguments.sessions)) as served:
        asyncio.run(crowd(served, wave, 2, 3, None))  # warms up
        for count in arguments.sessions:
            for visit_s in (None, VISIT_S):
                print(row(served, wave, count, arguments.seconds, visit_s), flush=True)
        if arguments.bad:
            print(f"\n{with_bad_clients(served, wave, arguments.bad, arguments.seconds)}")


if __name__ == "__main__":
    main()
