"""A new plugin of each kind installs, passes the kit, and does what its own page says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import soundfile
from sybil import Document
from sybil.parsers.markdown import PythonCodeBlockParser

from headmotion.cli.main import cli
from headmotion.cli.plugins import KINDS
from headmotion.core.errors import PluginError
from headmotion.core.interfaces.specs import ComponentSpec, ControlSpec, PhaseSpec
from headmotion.core.plugins import registry
from headmotion.scaffold import PARTS, _compatible, new_plugin
from headmotion.testing import check_plugin, report

ROOT = Path(__file__).parents[2]


def name_of(kind: str) -> str:
    return f"try-{kind.replace('_', '-')}"


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A plugin of each kind, installed as pip leaves a package that can be edited."""
    folder = tmp_path_factory.mktemp("plugins")
    site = folder / "site"
    paths = [str(site)]
    for kind in PARTS:
        package = new_plugin(name_of(kind), kind, folder / kind)
        project = tomllib.loads((package / "pyproject.toml").read_text("utf-8"))["project"]
        info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        )
        points = "".join(f"{name} = {module}\n" for name, module in project["entry-points"]["headmotion"].items())
        (info / "entry_points.txt").write_text(f"[headmotion]\n{points}")
        paths.append(str(package / "src"))
    sys.path[:0] = paths
    registry.cache_clear()
    yield folder
    del sys.path[: len(paths)]
    registry.cache_clear()


@pytest.fixture
def user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A second of speech and a picture, under the names that the pages use."""
    assets = files("headmotion") / "assets"
    (tmp_path / "face.png").write_bytes((assets / "portrait.png").read_bytes())
    with (assets / "speech.flac").open("rb") as stream:
        samples, rate = soundfile.read(stream)
    soundfile.write(tmp_path / "speech.wav", samples[:rate], rate)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("current", "range_"), [("0.1.0", ">=0.1,<0.2"), ("1.3.2", ">=1.3,<2"), ("2.0.0rc1", ">=2.0,<3")]
)
def test_the_package_names_the_versions_that_it_works_with(current: str, range_: str) -> None:
    assert _compatible(current) == range_


@pytest.mark.parametrize("kind", PARTS)
def test_passes_the_kit(plugins: Path, kind: str) -> None:
    results = check_plugin(name_of(kind))
    assert list(results) == [f"{kind}:{name_of(kind)}/{PARTS[kind].type}"]
    assert all(result.conforms for checked in results.values() for result in checked), report(results)


@pytest.mark.parametrize("kind", PARTS)
def test_does_what_its_page_says(plugins: Path, user_folder: Path, kind: str) -> None:
    page = plugins / kind / "README.md"
    for example in Document.parse(str(page), PythonCodeBlockParser()).examples():
        example.evaluate()
    commands = re.findall(r"^headmotion (?:train|animate|evaluate) .*$", page.read_text("utf-8"), re.MULTILINE)
    trains = [command for command in commands if " train " in command]
    assert bool(trains) == (kind not in ("renderer", "metric", "detector", "control"))
    quick = {
        "train": [] if kind == "phase" else ["--set", "phases.syncers.steps=2", "--set", "phases.generator.steps=2"],
        "evaluate": ["--limit", "1", "--baseline", "none", *(() if kind == "metric" else ("--metric", "jitter"))],
    }
    for command in commands:
        _, name, *arguments = shlex.split(command)
        cli.main([name, *arguments, *quick.get(name, ()), "--device", "cpu", "-q"], standalone_mode=False)
    evaluates = any(" evaluate " in command for command in commands)
    assert (
        evaluates == (user_folder / "report/report.html").exists() == (kind not in ("renderer", "detector", "control"))
    )
    if trains:
        assert (user_folder / "runs/first/model.safetensors").stat().st_size
        assert f"{name_of(kind)}/{PARTS[kind].type}" in (user_folder / "runs/first/recipe.json").read_text("utf-8")
    assert (user_folder / "talk.mp4").exists() == any(" animate " in command for command in commands)


@pytest.mark.skipif(os.name != "posix", reason="names /dev/null, and starts Python in an empty environment")
def test_its_own_tests_pass(plugins: Path) -> None:
    tests = [str(next((plugins / kind / "tests").glob("test_*.py"))) for kind in ("generator", "metric")]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", *tests]
    run = subprocess.run(command, env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True, text=True, cwd=plugins)
    assert run.returncode == 0, run.stdout + run.stderr


def test_there_is_one_for_every_kind() -> None:
    kinds = {base.kind for base in ComponentSpec.__subclasses__()} | {PhaseSpec.kind, ControlSpec.kind}
    assert kinds == set(PARTS) == set(KINDS)


def test_the_template_in_the_repository_is_a_new_plugin(tmp_path: Path) -> None:
    new = new_plugin("template", "generator", tmp_path / "template")
    stored = ROOT / "plugins/template"
    names = {path.relative_to(new) for path in new.rglob("*") if path.is_file()}
    stored_names = {
        path.relative_to(stored) for path in stored.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    remedy = "write it again: headmotion plugins new template --kind generator -o plugins/template"
    assert stored_names == names, remedy
    assert all((new / name).read_bytes() == (stored / name).read_bytes() for name in names), remedy


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("Calm", "'calm'"),
        ("calm_", "'calm'"),
        ("2calm", "'calm'"),
        ("a--b", "'calm'"),
        ("", "'calm'"),
        ("../up", "'calm'"),
        ("x" * 61, "at most 60"),
        ("headmotion", "without 'headmotion' in front"),
        ("headmotion-calm", "will be called headmotion-<name>"),
        ("ms-sync", "a name that no other plugin has, got 'ms-sync', which is of headmotion"),
    ],
)
def test_names_are_checked(user_folder: Path, name: str, remedy: str) -> None:
    before = sorted(user_folder.iterdir())
    with pytest.raises(PluginError) as caught:
        new_plugin(name, "loss")
    assert remedy in str(caught.value)
    assert sorted(user_folder.iterdir()) == before


def test_it_appears_whole_or_not_at_all(user_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PluginError, match="a kind among representation, audio_encoder"):
        new_plugin("calm", "mood")
    taken = user_folder / "headmotion-calm"
    taken.mkdir()
    with pytest.raises(PluginError, match="a folder that does not exist yet, got headmotion-calm; choose another"):
        new_plugin("calm", "loss")
    taken.rmdir()
    before = sorted(user_folder.rglob("*"))
    monkeypatch.setattr(Path, "write_text", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        new_plugin("calm", "loss")
    assert sorted(user_folder.rglob("*")) == before
    monkeypatch.undo()
    monkeypatch.chdir(user_folder)
    assert new_plugin("calm", "loss", "deep/er") == Path("deep/er")
    shutil.rmtree("deep")


def test_a_package_that_is_installed_is_replaced_and_that_is_said(
    user_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(user_folder)
    for name, said in (("template", "headmotion-template 0.1.0 is installed, and installing the"), ("numpy", "")):
        folder = new_plugin(name, "loss")
        assert said in caplog.text and len(caplog.messages) == bool(said)
        caplog.clear()
        shutil.rmtree(folder)


def test_the_command_prints_the_folder(user_folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    cli.main(["plugins", "new", "calm", "--kind", "loss"], standalone_mode=False)
    assert capfdbinary.readouterr().out == b"headmotion-calm\n"
    assert (user_folder / "headmotion-calm/src/headmotion_calm/loss.py").exists()


def test_the_same_call_again_finds_the_package(tmp_path: Path) -> None:
    """As after a kill when it has just appeared; one that was changed is never written over."""
    folder = new_plugin("calm", "loss", tmp_path / "calm")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert new_plugin("calm", "loss", folder) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    for kind, change in (("metric", None), ("loss", "more"), ("loss", "README.md")):
        if change:
            (folder / change).write_text("changed")
        with pytest.raises(PluginError, match="a folder that does not exist yet"):
            new_plugin("calm", kind, folder)
        (folder / "more").unlink(missing_ok=True)
