"""Processes that train together, started by torchrun or by whatever else sets RANK and WORLD_SIZE."""

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

from ..core.device import pick_device
from ..core.errors import HeadmotionError, TrainingError

TIMEOUT = timedelta(minutes=30)
"""How long a process waits for another before it gives up: longer than saving, or making a preview, may take."""
F = TypeVar("F", bound=Callable[..., Any])


def _collective(method: F) -> F:
    """Skip a method in a single process; with several, turn a failure of communication into a `TrainingError`."""

    @wraps(method)
    def call(self: Processes, *arguments: Any) -> Any:
        if self.count == 1:
            return None
        try:
            return method(self, *arguments)
        except RuntimeError as error:
            # Without the places in source files, which torch puts in brackets.
            got = re.sub(r"\[[^]]*\]", "", str(error)).strip().split("\n")[0]
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
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    @_collective
    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors of one device and type by their means over all processes, in one reduction."""
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        distributed.all_reduce(flat)
        flat /= self.count
        for tensor, mean in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))

    @_collective
    def sum(self, tensor: Tensor) -> None:
        """Replace a tensor by its sum over all processes."""
        distributed.all_reduce(tensor)

    @_collective
    def broadcast_module(self, module: nn.Module) -> None:
        """Give all processes the parameters and buffers of the first."""
        for tensor in module.state_dict().values():
            distributed.broadcast(tensor, 0)

    def read_on_first(self, read: Callable[[], bytes]) -> bytes:
        """Return in all processes what ``read`` returns in the first, which alone needs the file.

        Raises:
            TrainingError: ``read`` raised a `HeadmotionError` in the first process; it is raised in all of them.
        """
        if self.count == 1:
            return read()
        message = b""
        if self.first:
            try:
                message = b"+" + read()
            except HeadmotionError as error:
                message = b"-" + json.dumps(error.__reduce__()[1]).encode()
        message = self._broadcast_bytes(message)
        if message[:1] == b"-":
            raise TrainingError(*json.loads(message[1:]))
        return message[1:]

    @_collective
    def _broadcast_bytes(self, content: bytes) -> bytes:
        size = torch.tensor([len(content)], device=self.device)
        distributed.broadcast(size, 0)
        if self.first:
            data = torch.frombuffer(bytearray(content), dtype=torch.uint8).to(self.device)
        else:
            data = torch.empty(int(size), dtype=torch.uint8, device=self.device)
        distributed.broadcast(data, 0)
        return data.cpu().numpy().tobytes()


@contextmanager
def join_processes(device: str) -> Iterator[Processes]:
    """Join this process to those that torchrun has started with it, if any; on CUDA each has a GPU of its own.

    Args:
        device: ``cpu``, ``cuda`` or ``auto``.

    Raises:
        TrainingError: the environment is incomplete, or there are fewer GPUs than processes on this machine.
    """
    count = _environment_number("WORLD_SIZE", 1)
    if count == 1:
        yield Processes(device=pick_device(device))
        return
    rank, picked = _environment_number("RANK"), pick_device(device)
    if picked.type == "cuda":
        picked = _own_gpu(_environment_number("LOCAL_RANK", 0))
    if not distributed.is_available():
        raise TrainingError("processes", "a build of torch with torch.distributed", "none", "train in one process")
    # A caller that has set up torch.distributed itself also takes it down.
    initialize = not distributed.is_initialized()
    if initialize:
        _initialize(rank, count, "cpu:gloo,cuda:nccl" if picked.type == "cuda" else "gloo")
    try:
        yield Processes(rank, count, picked)
    finally:
        if initialize:
            distributed.destroy_process_group()


def _initialize(rank: int, count: int, backend: str) -> None:
    try:
        distributed.init_process_group(backend, rank=rank, world_size=count, timeout=TIMEOUT)
    except (RuntimeError, ValueError) as error:
        got = " ".join(str(error).split())
        raise TrainingError(f"process {rank} of {count}", "to be started by torchrun", got) from None


def _own_gpu(local_rank: int) -> torch.device:
    if local_rank >= torch.cuda.device_count():
        got = f"{torch.cuda.device_count()} for process {local_rank} of this machine"
        raise TrainingError("processes", "a GPU for each", got, "lower --nproc-per-node, or --device cpu")
    torch.cuda.set_device(local_rank)
    return torch.device("cuda", local_rank)


def _environment_number(variable: str, default: int | None = None) -> int:
    value = os.environ.get(variable, "" if default is None else str(default))
    if not value.isdecimal():
        raise TrainingError(f"environment variable {variable}", "a number, as torchrun sets it", repr(value))
    return int(value)
