"""What one client sends is processed in slices, between which all others have their turn."""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from headmotion.serving import ServerLimits
from headmotion.serving.connection_guard import MAX_SLICE, MIN_SLICE, SLICE_S, Guard

PING = b"\x89\x80\0\0\0\0"
PONG = b"\x8a\0"
PING_S = 25e-6
"""Processor time of a ping (s)."""


class Clock:
    """Processor time that passes in the protocol only."""

    def __init__(self) -> None:
        self.now = 0.0

    def thread_time(self) -> float:
        return self.now


class Pongs:
    """A protocol that answers each ping, and notes how many it had at a time."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.rest = clock, b""
        self.turns: list[int] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        pings, left = divmod(len(self.rest + data), len(PING))
        self.rest = (self.rest + data)[len(self.rest + data) - left :]
        self.turns.append(pings)
        for _ in range(pings):
            self.clock.now += PING_S
            self.transport.write(PONG)


class Network:
    """A transport that keeps what it sends."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.is_read = True

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str) -> None:
        return None

    def set_write_buffer_limits(self, high: int) -> None:
        pass


def connected(read_ms: float, clock: Clock) -> tuple[Guard, Pongs, Network]:
    connections = SimpleNamespace(
        limits=ServerLimits(read_ms=read_ms), add=lambda transport: True, remove=lambda transport: None
    )
    network, pongs = Network(), Pongs(clock)
    guard = Guard(connections, pongs)  # type: ignore[arg-type]
    guard.connection_made(network)  # type: ignore[arg-type]
    return guard, pongs, network


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(sys.modules["headmotion.serving.connection_guard"], "time", clock)
    return clock


def test_others_have_their_turn_between_slices_of_a_flood(clock: Clock) -> None:
    async def flood() -> None:
        guard, pongs, network = connected(1000, clock)
        turns_of_others = []

        def other() -> None:  # whatever else the server does, such as sending motion
            turns_of_others.append(len(pongs.turns))
            if sum(pongs.turns) < 10_000:
                asyncio.get_running_loop().call_soon(other)

        asyncio.get_running_loop().call_soon(other)
        guard.data_received(10_000 * PING)
        assert sum(pongs.turns) <= MAX_SLICE / len(PING) and not network.is_read
        while sum(pongs.turns) < 10_000:
            await asyncio.sleep(0)
        assert turns_of_others == list(range(1, len(pongs.turns))), "one turn after each slice"
        # A slice may end within a ping.
        assert max(pongs.turns[1:]) <= MIN_SLICE / len(PING) + 1, "what costs much is read in smaller slices"
        assert network.sent == [turn * PONG for turn in pongs.turns], "answers to a slice leave together, and in order"
        assert network.is_read
        guard._stop_timer()

    asyncio.run(flood())


def test_a_flood_rests_when_its_share_of_a_second_is_over(clock: Clock) -> None:
    async def flood() -> None:
        guard, pongs, network = connected(20, clock)
        guard.data_received(10_000 * PING)
        for _ in range(1000):
            await asyncio.sleep(0)
        assert 0.02 <= clock.now <= 0.02 + SLICE_S + PING_S and not network.is_read
        begin = len(pongs.turns)
        guard._wake()  # as the timer does in the next second
        for _ in range(1000):
            await asyncio.sleep(0)
        assert len(pongs.turns) > begin and 0.04 <= clock.now <= 0.04 + 2 * (SLICE_S + PING_S)
        guard._stop_timer()

    asyncio.run(flood())
