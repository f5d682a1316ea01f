"""From blocks of speech to frames that are sent, each at its time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, Protocol

from numpy.typing import NDArray

from ..core.motion import Motion
from ..media.audio import Audio
from ..pipeline.session import Session


class Sender(Protocol):
    """What shows frames, such as another program."""

    def send(self, frame: Motion, time: Fraction) -> None:
        """Show a motion of one frame, ``time`` seconds after the first."""
        ...


def run_live(session: Session, blocks: Iterable[NDArray[Any]], senders: Sequence[Sender]) -> int:
    """Push blocks of speech to a session as they come, and send each frame at its time.

    A push may give several frames; they are sent one by one, ``1 / fps`` apart. Frames that are late are sent at once.

    Args:
        session: of the pipeline, fresh.
        blocks: samples in real time, such as those of `microphone`.
        senders: where each frame goes.

    Returns:
        Number of frames that were sent.
    """
    count, start = 0, 0.0
    for motion in _motions(session, blocks):
        for k in range(len(motion)):
            now = time.monotonic()
            start = start or now
            stamp = count / session.fps
            time.sleep(max(0.0, start + float(stamp) - now))
            for sender in senders:
                sender.send(motion[k : k + 1], stamp)
            count += 1
    return count


def _motions(session: Session, blocks: Iterable[NDArray[Any]]) -> Iterator[Motion]:
    for block in blocks:
        yield session.push(block)
    yield session.flush()


def in_real_time(audio: Audio, rate: int = 16_000, block_ms: float = 20) -> Iterator[NDArray[Any]]:
    """Yield the samples of a recording as fast as they were spoken.

    Args:
        audio: the recording.
        rate: samples per second.
        block_ms: length of a block.
    """
    start = time.monotonic()
    for k, block in enumerate(audio.blocks(rate, block_ms / 1000), 1):
        time.sleep(max(0.0, start + k * block_ms / 1000 - time.monotonic()))
        yield block
