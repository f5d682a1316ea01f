"""Every Python block of README.md and docs/ is run, or skipped with a reason; every hook is documented."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from unittest import SkipTest

import click
import pytest
import soundfile
from sybil import Document
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

import headmotion as hm
from headmotion.cli import cli
from headmotion.core.plugins import registry
from headmotion.data.synthetic.talking_faces import synthetic_clip

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PYTHON_BLOCK = re.compile(r"^\s*(?:```|~~~)[ \t]*(?:python|py)\b", re.MULTILINE | re.IGNORECASE)
SKIP_WITHOUT_REASON = re.compile(r"<!--+\s*;?\s*skip:\s*(?:next|start)\s*-->")


def parsed(page: Path) -> Document:
    return Document.parse(str(page), PythonCodeBlockParser(), SkipParser())


def source_blocks(document: Document) -> int:
    return sum(isinstance(example.region.parsed, str) for example in document.examples())


def test_every_name_that_a_text_or_an_error_mentions_exists() -> None:
    """Such as ``hm.Motion.load`` in a remedy; names of instances' fields, below a class, are left out."""
    pages = [*PAGES, *(path for folder in ("headmotion", "plugins") for path in (ROOT / folder).rglob("*.py"))]
    missing = set()
    for page in pages:
        for name in re.findall(r"(?<![\w./])hm((?:\.[A-Za-z]\w*)+)", page.read_text("utf-8")):
            item: object = hm
            for part in name[1:].split("."):
                if not isinstance(item, ModuleType):
                    break
                if not hasattr(item, part):
                    missing.add(f"{page.relative_to(ROOT)}: hm{name}")
                    break
                item = getattr(item, part)
    assert not missing


@pytest.fixture
def user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the files that the pages name: speech, a picture, its landmarks, a motion."""
    assets = files("headmotion") / "assets"
    (tmp_path / "face.png").write_bytes((assets / "portrait.png").read_bytes())
    (tmp_path / "face.npz").write_bytes((assets / "portrait_landmarks.npz").read_bytes())
    with (assets / "speech.flac").open("rb") as stream:
        samples, rate = soundfile.read(stream)
    soundfile.write(tmp_path / "speech.wav", samples[: 2 * rate], rate)
    hm.Motion(synthetic_clip(0).landmarks[..., :2], Fraction(25)).save(tmp_path / "person.npz")
    monkeypatch.chdir(tmp_path)


class Package:
    """The package that a page builds: blocks that begin with ``# folder/file.py`` are its files."""

    FILE = re.compile(r"# (\w+/\w+\.py)( goes on| anew)?(?:, in version ([\d.]+))?\n")
    POINT = re.compile(r"^\[project\.entry-points\.headmotion\]\n([\w-]+) = \"(\w+)\"", re.MULTILINE)

    def __init__(self, site: Path) -> None:
        self.site = site

    def takes(self, block: str, page: Path) -> bool:
        """Whether a block is a file of the package; it is written, and what is known of plugins is forgotten."""
        named = self.FILE.match(block)
        if named is None:
            return False
        name, how, version = named.groups()
        file = self.site / name
        assert file.exists() == bool(how), f"{page.name}: {name}"
        file.parent.mkdir(exist_ok=True)
        before = file.read_text("utf-8") + "\n\n" if how == " goes on" else ""
        file.write_text(before + block, "utf-8")
        self._install(page.read_text("utf-8"), file.parent.name, version or "1.0")
        return True

    def _install(self, text: str, module: str, version: str) -> None:
        points = {each[1]: each[0] for each in self.POINT.findall(text)}
        info = self.site / f"headmotion_{points[module]}-1.dist-info"
        info.mkdir(exist_ok=True)
        metadata = f"Metadata-Version: 2.1\nName: headmotion-{points[module]}\nVersion: {version}\n"
        (info / "METADATA").write_text(metadata)
        (info / "entry_points.txt").write_text(f"[headmotion]\n{points[module]} = {module}\n")
        for name in [each for each in sys.modules if each.partition(".")[0] == module]:
            del sys.modules[name]
        importlib.invalidate_caches()
        registry.cache_clear()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    yield Package(site)
    monkeypatch.undo()
    registry.cache_clear()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run(page: Path, user_folder: None, package: Package) -> None:
    for example in parsed(page).examples():
        if isinstance(example.region.parsed, str) and package.takes(example.region.parsed, page):
            continue
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


def test_every_hook_has_a_page_with_its_signature() -> None:
    module = ast.parse((ROOT / "headmotion/core/hookspecs.py").read_text("utf-8"))
    hooks = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name.startswith("headmotion_")]
    listed = (ROOT / "docs/plugins.md").read_text("utf-8")
    assert {page.stem for page in (ROOT / "docs/hooks").glob("*.md")} == {hook.name for hook in hooks}
    for hook in hooks:
        assert hook.returns is not None
        signature = f"def {hook.name}({ast.unparse(hook.args)}) -> {ast.unparse(hook.returns)}:"
        assert signature in (ROOT / f"docs/hooks/{hook.name}.md").read_text("utf-8"), f"its page lacks: {signature}"
        assert f"(hooks/{hook.name}.md)" in listed, f"docs/plugins.md does not lead to {hook.name}"


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
        if command.hidden:
            continue
        _, _, section = documented.partition(f"\n## {name}\n")
        section = section.partition("\n## ")[0]
        assert section, f"docs/cli.md lacks {name}"
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert any(f"`{option}" in section for option in parameter.opts), f"{name}: {parameter.opts}"


def test_the_quickstart_prints_the_error_of_today() -> None:
    text = (ROOT / "docs/quickstart.md").read_text("utf-8")
    found = re.search(r"```python\n(try:\n.*?)```\s+```text\n(.*?)```", text, re.DOTALL)
    assert found is not None
    code = f"import headmotion as hm\n{found[1]}"
    own = os.environ | {"HEADMOTION_PLUGINS": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=own)
    assert done.stdout == found[2], done.stderr
