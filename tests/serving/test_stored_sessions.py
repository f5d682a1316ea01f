"""Sessions of an earlier server: whatever lies in the folder, a damaged one is none."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from headmotion.serving.stored_sessions import StoredSessions

GOOD: dict[str, Any] = {
    "model": "small",
    "hello": {"type": "hello", "version": 1},
    "counts": {"processed": 3, "produced": 2, "confirmed": 1},
    "unconfirmed": [],
}


def load(folder: Path, content: str | None) -> Any:
    stored = StoredSessions(folder, resume_s=3600)
    _, counts = stored._paths("token")
    if content is None:
        os.mkfifo(counts)
    else:
        counts.write_text(content)
    return stored.load("token")


def test_a_good_one_is_read(tmp_path: Path) -> None:
    session = load(tmp_path, json.dumps(GOOD))
    assert session.counts == GOOD["counts"] and session.hello.rate == 16_000


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        "[]",
        "{}",
        json.dumps(GOOD | {"counts": {"processed": 3}}),
        json.dumps(GOOD | {"counts": {"processed": "3", "produced": 2, "confirmed": 1}}),
        json.dumps(GOOD | {"counts": {"processed": 3, "produced": 2, "confirmed": 7}}),
        json.dumps(GOOD | {"counts": {"processed": -1, "produced": 2, "confirmed": 1}}),
        json.dumps(GOOD | {"unconfirmed": ["x"]}),
        json.dumps(GOOD | {"unconfirmed": 3}),
        json.dumps(GOOD | {"hello": {"type": "hello"}}),
    ],
    ids=lambda text: text[:30] or "empty",
)
def test_a_damaged_one_is_none(content: str, tmp_path: Path) -> None:
    assert load(tmp_path, content) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_a_pipe_is_none_and_does_not_wait(tmp_path: Path) -> None:
    assert load(tmp_path, None) is None
