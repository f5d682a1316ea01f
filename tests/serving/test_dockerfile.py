"""The Dockerfile: it copies what exists and is not ignored, ends as another user than root, and refuses to run openly.

Whether the image builds is not tested here, because that needs a daemon.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
from click.testing import CliRunner

from headmotion.cli import cli
from headmotion.serving import Server

ROOT = Path(__file__).parents[2]
INSTRUCTIONS = re.findall(r"^([A-Z]+) (.+)$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)


def last(name: str) -> str:
    return [text for instruction, text in INSTRUCTIONS if instruction == name][-1]


def test_what_it_copies_is_there_and_not_ignored() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")]
    sources = [source for name, text in INSTRUCTIONS if name == "COPY" for source in text.split()[:-1]]
    assert sources and all((ROOT / source).exists() for source in sources)
    assert all(any(fnmatch(source, pattern) for pattern in kept) for source in sources)


def test_it_does_not_run_as_root() -> None:
    assert (
        last("USER") == "headmotion"
        and "--uid 10001" in dict((text.split()[0], text) for name, text in INSTRUCTIONS if name == "RUN")["useradd"]
    )


def test_it_does_not_start_without_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADMOTION_SERVE_TOKEN", raising=False)
    program, *arguments = json.loads(last("ENTRYPOINT"))
    result = CliRunner().invoke(cli, arguments)
    assert program == "headmotion" and "a token for an address that others can reach" in str(result.exception)


def test_its_check_of_health(server: Server) -> None:
    code = json.loads(last("HEALTHCHECK").partition("CMD ")[2])[2]
    assert "127.0.0.1:8765" in code
    exec(code.replace("http://127.0.0.1:8765", server.address))
    with pytest.raises(OSError, match="refused"):
        exec(code.replace(":8765", ":9"))
