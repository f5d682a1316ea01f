"""Opening sessions: pictures are searched one by one, for a share of the time, and nobody else waits for them."""

from __future__ import annotations

import asyncio
import time

import pytest

import headmotion as hm
from headmotion.serving import ServerLimits
from headmotion.serving.opening_threads import OpeningThreads


def busy(seconds: float) -> str:
    """Use so much processor time."""
    begin = time.thread_time()
    while time.thread_time() - begin < seconds:
        pass
    return "face"


def test_a_flood_of_pictures_delays_no_other_session() -> None:
    async def scenario() -> None:
        threads = OpeningThreads(ServerLimits(pictures=1, pictures_ms=1))
        assert await threads.search(busy, 0.02) == "face"
        # The next one has its turn after 20 s.
        waiting = asyncio.create_task(threads.search(busy, 0.02))
        await asyncio.sleep(0)
        with pytest.raises(hm.ServingError, match="at most 1 pictures to search, got one more; try again later"):
            await threads.search(busy, 0.02)
        assert await threads.run(busy, 0) == "face"
        assert not waiting.done()
        waiting.cancel()
        threads.close()

    asyncio.run(scenario())


def test_an_error_lets_the_next_picture_in() -> None:
    def fails() -> None:
        raise hm.ImageError("picture", "a face", "none")

    async def scenario() -> None:
        threads = OpeningThreads(ServerLimits(pictures_ms=1000))
        with pytest.raises(hm.ImageError, match="a face"):
            await threads.search(fails)
        assert await threads.search(busy, 0) == "face"
        threads.close()

    asyncio.run(scenario())
