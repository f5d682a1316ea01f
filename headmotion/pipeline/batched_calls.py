"""The calls of encoders and generators that sessions need next, made for one session or for many in one batch.

A session describes its work as a Python generator: it yields a call and is sent the call's result. So the code of a
session is the same whether it runs alone or together with others.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from ..core.interfaces.audio_encoder import SupportsAudioPooling, SupportsAudioStreaming
from ..core.interfaces.capabilities import SupportsPooling, SupportsStreaming
from ..core.outputs import checked_step

T = TypeVar("T")
Result = tuple[Tensor, Any]
"""Features or frames, and the new state."""


@dataclass(frozen=True)
class EncoderCall:
    """The next samples of a stream for an audio encoder."""

    encoder: SupportsAudioStreaming
    wave: Tensor
    """``[1, s]``."""
    state: Any

    def run(self) -> Result:
        """Make the call."""
        return checked_step(self.encoder, self.encoder.step(self.wave, self.state))

    @staticmethod
    def run_together(calls: Sequence[EncoderCall]) -> list[Result] | None:
        """Make the calls of one encoder in a batch, or return None if it has none."""
        encoder = calls[0].encoder
        if not isinstance(encoder, SupportsAudioPooling):
            return None
        return encoder.step_streams([call.wave for call in calls], [call.state for call in calls])


@dataclass(frozen=True)
class GeneratorCall:
    """The next features of a stream for a generator."""

    generator: SupportsStreaming
    features: Tensor
    """``[1, a, C]``."""
    state: Any
    last: bool

    def run(self) -> Result:
        """Make the call."""
        return checked_step(self.generator, self.generator.step(self.features, self.state, self.last))

    @staticmethod
    def run_together(calls: Sequence[GeneratorCall]) -> list[Result] | None:
        """Make the calls of one generator in a batch, or return None if it has none."""
        generator = calls[0].generator
        if not isinstance(generator, SupportsPooling):
            return None
        return generator.step_streams(
            [call.features for call in calls], [call.state for call in calls], [call.last for call in calls]
        )


Call = EncoderCall | GeneratorCall
Work = Generator[Call, Result, T]
"""What a session does, as a generator of calls."""


@torch.inference_mode()
def run_alone(work: Work[T]) -> T:
    """Do the work of one session."""
    reply: Result | None = None
    while True:
        try:
            call = _resume(work, reply)
        except StopIteration as end:
            value: T = end.value
            return value
        reply = call.run()  # outside, because a part may raise StopIteration


@torch.inference_mode()
def run_together(works: Sequence[Work[T]]) -> list[T | Exception]:
    """Do the work of several sessions, the calls that are due at the same time in one batch.

    Returns:
        What each returned, or the exception that ended it; the others go on.
    """
    ended: dict[int, T | Exception] = {}
    replies: dict[int, Result | Exception | None] = dict.fromkeys(range(len(works)))
    while replies:
        calls: dict[int, Call] = {}
        for index, reply in replies.items():
            try:
                calls[index] = _resume(works[index], reply)
            except StopIteration as end:
                ended[index] = end.value
            except Exception as error:
                ended[index] = error
        replies = dict(zip(calls, _results(list(calls.values())), strict=True))
    return [ended[index] for index in range(len(works))]


def _resume(work: Work[Any], reply: Result | Exception | None) -> Call:
    if isinstance(reply, Exception):
        return work.throw(reply)
    return next(work) if reply is None else work.send(reply)


def _results(calls: Sequence[Call]) -> list[Result | Exception]:
    """Return the result of each call, or its exception; calls of one part are made together."""
    groups: dict[int, list[int]] = {}
    for index, call in enumerate(calls):
        part = call.encoder if isinstance(call, EncoderCall) else call.generator
        groups.setdefault(id(part), []).append(index)
    results: dict[int, Result | Exception] = {}
    for indices in groups.values():
        results |= zip(indices, _group_results([calls[index] for index in indices]), strict=True)
    return [results[index] for index in range(len(calls))]


def _group_results(calls: Sequence[Any]) -> Sequence[Result | Exception]:
    if len(calls) > 1:
        try:
            together: list[Result] | None = calls[0].run_together(calls)
        except Exception:
            together = None  # one by one shows whose fault it is; states are not changed by a call
        if together is not None:
            return together
    return [_result(call) for call in calls]


def _result(call: Call) -> Result | Exception:
    try:
        return call.run()
    except Exception as error:
        return error
