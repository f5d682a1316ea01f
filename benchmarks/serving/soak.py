"""A server under load for a long time: sessions that come and go among bad clients, one witness, and its memory.

Each minute is a line of a log, so that a soak may be interrupted: a later one goes on in the same log with a new
server, until the minutes are complete. The witness speaks without a pause; its frames are compared with those of the
same samples offline.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import headmotion as hm
from headmotion.pipeline.session import Session
from headmotion.serving.client import connect_async

from .bad_clients import annoy
from .process import Served, serving
from .speakers import PUSH_MS, RATE, crowd

VISIT_S = 20.0
"""Length of a session that comes and goes (s)."""
BAD_S = 50.0
"""Seconds of each minute in which there are bad clients."""
WITNESS_SEED = 7
WARM_UP_MINUTES = 2
"""First minutes of a server, in which caches fill; memory is compared from there on."""

Line = dict[str, Any]


def soak(model: str, wave: np.ndarray, sessions: int, minutes: int, log: Path) -> list[Line]:
    """Load a server until a log has so many minutes, and return its lines.

    Args:
        model: as for ``headmotion serve``.
        wave: speech, int16, which is repeated.
        sessions: good sessions at the same time, besides the witness.
        minutes: of the log in all, those of earlier calls included.
        log: file of lines of JSON.
    """
    setting = {"model": model, "sessions": sessions}
    lines = read_log(log)
    if any({name: line[name] for name in setting} != setting for line in lines):
        raise hm.HeadmotionError("soak", f"a log of {setting}", f"another in {log}", "give another --soak-log")
    remaining = minutes - len(lines)
    if remaining > 0:
        run = 1 + max((line["run"] for line in lines), default=0)
        with serving(model, sessions + 1) as served:
            asyncio.run(_load(served, wave, setting | {"run": run}, remaining, log))
    return read_log(log)


def read_log(log: Path) -> list[Line]:
    """Return the minutes of a log; none if there is no file."""
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []


async def _load(served: Served, wave: np.ndarray, setting: Mapping[str, Any], minutes: int, log: Path) -> None:
    end = time.perf_counter() + 60 * minutes
    witness = _Witness(served.url, wave, setting["model"])
    speaking = asyncio.create_task(witness.speak(end))
    for minute in range(1, minutes + 1):
        processor = served.processor_s()
        speaking_others = crowd(served.url, wave, setting["sessions"], 60, VISIT_S, seed=minute)
        delays, bad = await asyncio.gather(speaking_others, annoy(served.url, BAD_S))
        line: Line = {
            **setting,
            "minute": minute,
            "disturbed": delays.failed,
            "frames": len(delays.values),
            "median_ms": delays.percentile(50),
            "p99_ms": delays.percentile(99),
            "processor_s": served.processor_s() - processor,
            "memory_mb": served.memory_mb(),
            "bad": bad,
        }
        if minute == minutes:
            await speaking
        line["witness"] = await asyncio.to_thread(witness.compare)
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(f"minute {minute} of {minutes}: {json.dumps(line)}", flush=True)


class _Witness:
    """A session that speaks all the time, and the same samples in a session without a server.

    Args:
        url: of the server.
        wave: speech, int16, which is repeated.
        model: as for ``headmotion serve``.
    """

    def __init__(self, url: str, wave: np.ndarray, model: str) -> None:
        self._url, self._wave = url, wave
        pipe = hm.load(model.partition("=")[2] or model, device="cpu")
        reference = pipe.reference(None)
        self._side = reference.frame.side
        self._offline = Session(pipe, reference, RATE, round(pipe.spec.fps), seed=WITNESS_SEED)
        self._sent = self._generated = 0
        self._served: list[np.ndarray] = []
        self._local: list[np.ndarray] = []
        self._unmatched = np.zeros((0, pipe.representation.points, pipe.representation.dims), np.float32)
        self._has_ended = False

    async def speak(self, end: float) -> None:
        """Speak until a time, in real time."""
        async with connect_async(self._url, sample_rate=RATE, seed=WITNESS_SEED, samples="int16") as session:

            async def push() -> None:
                begin = time.perf_counter()
                for step in range(int((end - begin) * 1000 / PUSH_MS)):
                    await asyncio.sleep(max(0.0, begin + step * PUSH_MS / 1000 - time.perf_counter()))
                    await session.push(self._samples(step))
                    self._sent = step + 1
                await session.end()

            pushing = asyncio.create_task(push())
            async for message in session:
                self._served.append(message.values)
            await pushing
        self._has_ended = True

    def compare(self) -> Line:
        """Return the number of new frames, and their largest difference from offline in sides of the unit frame."""
        has_ended = self._has_ended
        while self._generated < self._sent:
            self._local.append(self._offline.push(self._samples(self._generated)).values.numpy())
            self._generated += 1
        if has_ended:
            self._local.append(self._offline.flush().values.numpy())
        # The old list is taken first, because frames go on arriving.
        arrived, self._served = self._served, []
        served, local = np.concatenate([self._unmatched, *arrived]), np.concatenate(self._local)
        if has_ended and len(served) != len(local):
            raise hm.HeadmotionError("witness", f"{len(local)} frames", f"{len(served)}")
        count = min(len(served), len(local))
        self._unmatched, self._local = served[count:], [local[count:]]
        return {"frames": count, "difference": float(np.abs(served[:count] - local[:count]).max()) / self._side}

    def _samples(self, step: int) -> np.ndarray:
        size = RATE * PUSH_MS // 1000
        return np.take(self._wave, np.arange(size) + step * size, mode="wrap")


def summary(lines: Sequence[Line]) -> list[str]:
    """Return a table of a soak."""
    frames = sum(line["frames"] for line in lines)
    bad: Counter[str] = Counter()
    for line in lines:
        bad.update(line["bad"])
    runs = [[line for line in lines if line["run"] == run] for run in sorted({line["run"] for line in lines})]
    witness = [line["witness"] for line in lines]
    memories = []
    for run in runs:
        settled = run[WARM_UP_MINUTES:] or run[-1:]
        memories.append(f"{settled[0]['memory_mb']:.0f} to {settled[-1]['memory_mb']:.0f} MB")
    rows = {
        "model": f"`{lines[0]['model']}`",
        "sessions at the same time, and the witness": f"{lines[0]['sessions']} + 1",
        "minutes" + (f", in {len(runs)} runs" if len(runs) > 1 else ""): f"{len(lines)}",
        "bad connections": f"{sum(bad.values())}: " + ", ".join(f"{count} {name}" for name, count in bad.items()),
        "good sessions that failed": f"{sum(len(line['disturbed']) for line in lines)}",
        "their frames": f"{frames}",
        "delay beyond the look-ahead, median": f"{np.median([line['median_ms'] for line in lines]):.1f} ms",
        "99th percentile, the worst minute's": f"{max(line['p99_ms'] for line in lines):.0f} ms",
        "use of a core": f"{100 * sum(line['processor_s'] for line in lines) / (60 * len(lines)):.0f} %",
        f"memory, from minute {WARM_UP_MINUTES + 1} to the last": "; ".join(memories),
        "frames of the witness": f"{sum(part['frames'] for part in witness)}",
        "their largest difference from offline (unit frame)": f"{max(part['difference'] for part in witness):.1e}",
    }
    return ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]
