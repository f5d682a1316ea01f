"""What a host program may have changed in torch or in a pipeline, checked where a session begins or goes on."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

import torch

from ..core.errors import HeadmotionError

if TYPE_CHECKING:
    from .pipeline import Pipeline

_used = False  # whether this process, or the one that it was forked from, has computed with several threads
_stuck = False  # whether it was forked after that: threads do not survive a fork, and torch would wait for them


def check_host(pipeline: Pipeline, goes_on: bool = False) -> None:
    """Put the parts of a pipeline into evaluation mode, and refuse settings under which a session fails or hangs.

    Args:
        pipeline: the parts.
        goes_on: whether the session was checked when it began. Then one weight of each part is checked, because to
            check all takes as long as a push of 20 ms that completes no frame.

    Raises:
        HeadmotionError: weights or torch's default type of another precision than float32, a default device other than
            the CPU, or several threads in a process that was forked after torch had used some.
    """
    global _used
    if _stuck and torch.get_num_threads() > 1:
        remedy = "call torch.set_num_threads(1) first, or start processes by spawn"
        raise HeadmotionError("session", "one thread of torch after a fork", str(torch.get_num_threads()), remedy)
    _used = _used or torch.get_num_threads() > 1
    if (dtype := torch.get_default_dtype()) != torch.float32:
        raise HeadmotionError("session", "torch's default type float32", str(dtype), "call torch.set_default_dtype")
    if (device := torch.get_default_device()).type != "cpu":
        remedy = "call torch.set_default_device('cpu'), and give the device to headmotion.load"
        raise HeadmotionError("session", "torch's default device cpu", str(device), remedy)
    for part in (pipeline.audio_encoder, pipeline.generator):
        weights = (value.dtype for value in part.parameters() if value.is_floating_point())
        types = set(itertools.islice(weights, 1 if goes_on else None)) - {torch.float32}
        if types:
            raise HeadmotionError("session", "weights in float32", str(types.pop()), "call float() on the pipeline")
    if pipeline.training or any(part.training for part in pipeline.children()):
        pipeline.eval()


def _mark_fork() -> None:
    global _stuck
    _stuck = _used


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_mark_fork)
