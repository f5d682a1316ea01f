"""Every Python block of README.md and docs/ is run, or skipped with a reason; every hook is documented."""

from __future__ import annotations

import ast
import re
from importlib.resources import files
from pathlib import Path
from unittest import SkipTest

import click
import pytest
import soundfile
from sybil import Document
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

from headmotion.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PYTHON_BLOCK = re.compile(r"^\s*(?:```|~~~)[ \t]*(?:python|py)\b", re.MULTILINE | re.IGNORECASE)
SKIP_WITHOUT_REASON = re.compile(r"<!--+\s*;?\s*skip:\s*(?:next|start)\s*-->")


def parsed(page: Path) -> Document:
    return Document.parse(str(page), PythonCodeBlockParser(), SkipParser())


def source_blocks(document: Document) -> int:
    return sum(isinstance(example.region.parsed, str) for example in document.examples())


@pytest.fixture
def user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the files that the pages name: two seconds of speech, a picture, its landmarks."""
    assets = files("headmotion") / "assets"
    (tmp_path / "face.png").write_bytes((assets / "portrait.png").read_bytes())
    (tmp_path / "face.npz").write_bytes((assets / "portrait_landmarks.npz").read_bytes())
    with (assets / "speech.flac").open("rb") as stream:
        samples, rate = soundfile.read(stream)
    soundfile.write(tmp_path / "speech.wav", samples[: 2 * rate], rate)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run(page: Path, user_folder: None) -> None:
    for example in parsed(page).examples():
        try:
            example.evaluate()
        except SkipTest as reason:
            assert str(reason)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_block_is_overlooked(page: Path) -> None:
    text = page.read_text("utf-8")
    assert source_blocks(parsed(page)) == len(PYTHON_BLOCK.findall(text))
    assert not SKIP_WITHOUT_REASON.search(text), "a skipped block needs a reason"


def test_overlooked_blocks_would_be_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\na = 1\n```\n\n~~~ Python\nb = 1\n~~~\n", "utf-8")
    assert source_blocks(parsed(page)) < len(PYTHON_BLOCK.findall(page.read_text("utf-8")))


def test_every_hook_is_documented_with_its_signature() -> None:
    documented = (ROOT / "docs/plugins.md").read_text("utf-8")
    module = ast.parse((ROOT / "headmotion/core/hookspecs.py").read_text("utf-8"))
    hooks = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name.startswith("headmotion_")]
    assert hooks
    for hook in hooks:
        assert hook.returns is not None
        signature = f"def {hook.name}({ast.unparse(hook.args)}) -> {ast.unparse(hook.returns)}:"
        assert signature in documented, f"docs/plugins.md lacks: {signature}"


def test_every_room_is_documented() -> None:
    documented = (ROOT / "docs/architecture.md").read_text("utf-8")
    for room in (ROOT / "headmotion").iterdir():
        if room.name.startswith(("_", ".")) or room.name == "py.typed":
            continue
        name = f"`{room.name}/`" if room.is_dir() else f"`{room.name}`"
        assert f"| {name} |" in documented, f"docs/architecture.md lacks {name}"


def test_every_command_and_option_is_documented() -> None:
    documented = (ROOT / "docs/cli.md").read_text("utf-8")
    for name, command in cli.commands.items():
        _, _, section = documented.partition(f"\n## {name}\n")
        section = section.partition("\n## ")[0]
        assert section, f"docs/cli.md lacks {name}"
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert any(f"`{option}" in section for option in parameter.opts), f"{name}: {parameter.opts}"
