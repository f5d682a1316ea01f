"""Processes that train together, started by torchrun or whatever else sets RANK and WORLD_SIZE."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn

from ..core.errors import HeadmotionError, TrainingError
from ..pipeline.pipeline import pick_device

TIMEOUT = timedelta(minutes=30)
"""How long a process waits for another before it gives up: longer than saving, or making a sample, may take."""
F = TypeVar("F", bound=Callable[..., Any])


def _collective(method: F) -> F:
    """Nothing to do for a process alone; with others, whatever fails is one clear error."""

    @wraps(method)
    def call(self: Processes, *arguments: Any) -> Any:
        if self.count == 1:
            return None
        try:
            return method(self, *arguments)
        except RuntimeError as error:
            got = re.sub(r"\[[^]]*\]", "", str(error)).strip().split("\n")[0][:120]  # less places in source files
            where = f"process {self.rank} of {self.count}"
            raise TrainingError(where, "an answer of all others", got, "see what the first to stop says") from None

    return call  # type: ignore[return-value]


class Processes:
    """This process among those that train together. All of them call the same methods in the same order."""

    def __init__(self, rank: int = 0, count: int = 1, device: torch.device | None = None) -> None:
        self.rank, self.count = rank, count
        self.device = device or torch.device("cpu")

    @property
    def first(self) -> bool:
        """Whether this one writes files and shows progress."""
        return self.rank == 0

    @_collective
    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors of one device and type by their means over all processes."""
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        distributed.all_reduce(flat)
        flat /= self.count
        for tensor, mean in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))

    @_collective
    def add(self, tensor: Tensor) -> None:
        """Replace a tensor by its sum over all processes."""
        distributed.all_reduce(tensor)

    @_collective
    def align(self, module: nn.Module) -> None:
        """Give all processes the first one's parameters and buffers."""
        for tensor in module.state_dict().values():
            distributed.broadcast(tensor, 0)

    def share(self, read: Callable[[], bytes]) -> bytes:
        """What the first process reads, or its `HeadmotionError`, in all of them; only it needs the file."""
        if self.count == 1:
            return read()
        answer = b""
        if self.first:
            try:
                answer = b"+" + read()
            except HeadmotionError as error:
                answer = b"-" + json.dumps(error.__reduce__()[1]).encode()
        answer = self._spread(answer)
        if answer[:1] == b"-":
            raise TrainingError(*json.loads(answer[1:]))
        return answer[1:]

    @_collective
    def _spread(self, content: bytes) -> bytes:
        size = torch.tensor([len(content)], device=self.device)
        distributed.broadcast(size, 0)
        if self.first:
            data = torch.frombuffer(bytearray(content), dtype=torch.uint8).to(self.device)
        else:
            data = torch.empty(int(size), dtype=torch.uint8, device=self.device)
        distributed.broadcast(data, 0)
        return data.cpu().numpy().tobytes()


@contextmanager
def joined(device: str) -> Iterator[Processes]:
    """This process and, where torchrun has started several, the others; each has a GPU of its own if on CUDA.

    Raises:
        TrainingError: the environment is incomplete, or there are fewer GPUs than processes on this machine.
    """
    count = _number("WORLD_SIZE", 1)
    if count == 1:
        yield Processes(device=pick_device(device))
        return
    rank, chosen = _number("RANK"), pick_device(device)
    if chosen.type == "cuda":
        chosen = _own_gpu(_number("LOCAL_RANK", 0))
    if not distributed.is_available():
        raise TrainingError("processes", "a build of torch with torch.distributed", "none", "train in one process")
    mine = not distributed.is_initialized()
    if mine:
        _join(rank, count, "cpu:gloo,cuda:nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Processes(rank, count, chosen)
    finally:
        if mine:
            distributed.destroy_process_group()


def _join(rank: int, count: int, backend: str) -> None:
    try:
        distributed.init_process_group(backend, rank=rank, world_size=count, timeout=TIMEOUT)
    except (RuntimeError, ValueError) as error:
        got = " ".join(str(error).split())[:120]
        raise TrainingError(f"process {rank} of {count}", "to be started by torchrun", got) from None


def _own_gpu(number: int) -> torch.device:
    if number >= torch.cuda.device_count():
        got = f"{torch.cuda.device_count()} for process {number} of this machine"
        raise TrainingError("processes", "a GPU for each", got, "lower --nproc-per-node, or --device cpu")
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


def _number(variable: str, default: int | None = None) -> int:
    value = os.environ.get(variable, "" if default is None else str(default))
    if not value.isdecimal():
        raise TrainingError(f"environment variable {variable}", "a number, as torchrun sets it", repr(value))
    return int(value)
