"""Clients that break the rules over and over, in a process of their own: each kind in a task.

``python -m benchmarks.serving.bad_clients URL SECONDS`` prints the number of connections by kind as JSON.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from io import BytesIO
from typing import Any

import numpy as np
import websockets
from websockets.typing import Origin

from .speakers import RATE, speech_wave

PAUSE_S = 0.2
"""Wait between two connections of a kind (seconds)."""
HELLO = {"type": "hello", "version": 1, "rate": RATE}

Client = Any
Kind = Callable[[Client], Awaitable[None]]


async def annoy(url: str, seconds: float) -> Counter[str]:
    """Let bad clients connect for some seconds, and return the number of connections by kind."""
    command = (sys.executable, "-m", __spec__.name, url, str(seconds))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return Counter(json.loads(output))


async def _misbehave(url: str, wave: np.ndarray, seconds: float) -> Counter[str]:
    """Connect over and over for some seconds."""
    kinds, counts, until = _kinds(wave), Counter[str](), time.perf_counter() + seconds

    async def repeat(name: str) -> None:
        while time.perf_counter() < until:
            counts[name] += 1
            with suppress(websockets.WebSocketException, OSError, TimeoutError):
                if name in _RAW:
                    await asyncio.to_thread(_RAW[name], url)
                else:
                    await asyncio.wait_for(_talk(url, kinds[name], name), 15)
            await asyncio.sleep(PAUSE_S)

    await asyncio.gather(*map(repeat, [*kinds, *_RAW]))
    return counts


async def _talk(url: str, kind: Kind, name: str) -> None:
    origin = Origin("https://example.org") if name == "other page" else None
    async with websockets.connect(f"{url}/v1/stream", compression=None, proxy=None, origin=origin) as client:
        await kind(client)
        async for _ in client:
            pass


def _kinds(wave: np.ndarray) -> dict[str, Kind]:
    """Return what each kind of client sends, and when."""
    rng = np.random.default_rng(1)
    second = wave[:RATE].astype("<i2").tobytes()
    blank = _blank_picture()

    def saying(**fields: Any) -> Kind:
        async def say(client: Client) -> None:
            await client.send(json.dumps(HELLO | fields))

        return say

    def sending(*messages: bytes, hello: dict[str, Any] | None = None) -> Kind:
        async def send(client: Client) -> None:
            await client.send(json.dumps(HELLO | (hello or {})))
            for message in messages:
                await client.send(message)

        return send

    async def garbage(client: Client) -> None:
        await client.send(rng.bytes(100))

    async def vanish(client: Client) -> None:
        await sending(second)(client)
        await client.recv()
        client.transport.abort()

    async def stall(client: Client) -> None:
        await sending(second)(client)
        await asyncio.sleep(4)

    not_numbers = np.full(1000, np.nan, "<f4").tobytes()
    return {
        "garbage": garbage,
        "half a sample": sending(rng.bytes(1001)),
        "NaN": sending(not_numbers, hello={"samples": "float32"}),
        "too fast": sending(*[second] * 50),
        "a gigabyte": sending(*[bytes(1 << 20)] * 1024),
        "vanishing": vanish,
        "stalling": stall,
        "rate 0": saying(rate=0),
        "a path as model": saying(model="../../etc/passwd"),
        "no face": sending(blank, hello={"reference": {"picture_bytes": len(blank)}}),
        "other page": saying(),
    }


def _blank_picture() -> bytes:
    from PIL import Image

    content = BytesIO()
    Image.new("RGB", (64, 64), (200, 200, 200)).save(content, "PNG")
    return content.getvalue()


def _half(url: str) -> None:
    """Send half of a handshake."""
    with socket.create_connection(_address(url), 5) as client:
        client.sendall(b"GET /v1/stream HT")
        time.sleep(0.5)


def _flood(url: str) -> None:
    """Open two hundred connections at once that say nothing."""
    with ExitStack() as clients:
        for _ in range(200):
            clients.enter_context(socket.create_connection(_address(url), 5))
        time.sleep(1)


def _address(url: str) -> tuple[str, int]:
    host, port = url.removeprefix("ws://").split(":")
    return host, int(port)


_RAW: dict[str, Callable[[str], None]] = {"half a handshake": _half, "of 200 at once": _flood}
"""Kinds that speak no WebSocket."""


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_misbehave(sys.argv[1], speech_wave(), float(sys.argv[2])))))
