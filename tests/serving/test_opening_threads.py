"""Opening sessions: pictures are searched one by one, for a share of the time, and nobody else waits for them."""

from __future__ import annotations

import asyncio
import time

import pytest

import headmotion as hm
from headmotion.serving import ServerLimits
from headmotion.serving.openers import Openers


def busy(seconds: float) -> str:
    """Use so much processor time."""
    begin = time.thread_time()
    while time.thread_time() - begin < seconds:
        pass
    return "face"


def test_a_flood_of_pictures_delays_no_other_session() -> None:
    async def scenario() -> None:
        openers = Openers(ServerLimits(pictures=1, pictures_ms=1))
        assert await openers.search(busy, 0.02) == "face"
        # The next one has its turn after 20 s.
        waiting = asyncio.create_task(openers.search(busy, 0.02))
        await asyncio.sleep(0)
        with pytest.raises(hm.ServingError, match="at most 1 pictures to search, got one more; try again later"):
            await openers.search(busy, 0.02)
        assert await openers.run(busy, 0) == "face"
        assert not waiting.done()
        waiting.cancel()
        openers.close()

    asyncio.run(scenario())


def test_an_error_lets_the_next_picture_in() -> None:
    def fails() -> None:
        raise hm.ImageError("picture", "a face", "none")

    async def scenario() -> None:
        openers = Openers(ServerLimits(pictures_ms=1000))
        with pytest.raises(hm.ImageError, match="a face"):
            await openers.search(fails)
        assert await openers.search(busy, 0) == "face"
        openers.close()

    asyncio.run(scenario())
