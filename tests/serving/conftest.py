"""A small model, a server of it, and speech."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import headmotion as hm
from headmotion.serving import Server, ServerLimits

SMALL = {"type": "ms-sync", "preset": "small", "hidden_size": 32, "pose_size": 16, "branch_size": 16}


@pytest.fixture(scope="session")
def small_pipe() -> hm.Pipeline:
    return hm.build({"generator": SMALL | {"initial_state": "random"}}, device="cpu")


@pytest.fixture(scope="module")
def server(small_pipe: hm.Pipeline) -> Iterator[Server]:
    """A server that refuses soon, so that tests are short."""
    limits = ServerLimits(sessions=6, handshake_s=1, stall_s=0.5, unread_s=0.4, resume_s=2, session_s=20, step_ms=1)
    with Server({"small": small_pipe, "second": small_pipe}, port=0, limits=limits) as server:
        yield server


@pytest.fixture(scope="session")
def speech() -> np.ndarray:
    """One second at 16 kHz."""
    return np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
