"""Models, recipes, converters, readers and writers of a plugin are examined, and each fault fails its check."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import headmotion as hm
from headmotion.core.plugins import registry
from headmotion.testing import CHECKS, check_plugin, installed_plugin
from headmotion.testing.kit import OFFERS

PLUGIN = """
from dataclasses import replace
from pathlib import Path

import headmotion as hm

HERE = Path(__file__).parent


def to_dots(motion, target):
    return replace(motion, values=motion.values[:, :4], reference=motion.reference[:4], representation=DOTS)


def write(motion, path):
    if motion.values.shape[2] != 2:
        raise hm.MotionError("dots", "two numbers per point", "more")
    path.write_text("".join(f"{x} {y} 4" + chr(10) for x, y in motion.values[:, 0].tolist()))


def read(path):
    import torch

    try:
        rows = [[float(word) for word in line.split()][:2] for line in path.read_text("utf-8").splitlines()]
        values = torch.tensor(rows).reshape(-1, 1, 2)
    except (ValueError, RuntimeError) as error:
        raise hm.MotionError("dots", "lines of numbers", f"{path} ({error})") from None
    return hm.Motion(values, 25, {"type": "keypoints", "points": 1, "jacobians": False})


DOTS = {"type": "keypoints", "points": 4, "jacobians": False}


@hm.hookimpl
def headmotion_models():
    return {"zoo/small": HERE / "small.safetensors"}


@hm.hookimpl
def headmotion_recipes():
    return {"zoo/smoke": HERE / "smoke.yaml"}


@hm.hookimpl
def headmotion_converters():
    return [hm.Converter("landmarks68", "zoo/dots", to_dots, "all points but four")]


@hm.hookimpl
def headmotion_motion_readers():
    return {".dots": read}


@hm.hookimpl
def headmotion_motion_writers():
    return {".dots": write}


@hm.hookimpl
def headmotion_licenses():
    return [hm.Asset("small.safetensors", "MIT", "drawn at random")]


@hm.hookimpl
def headmotion_specs():
    return [DotsSpec]


class DotsSpec(hm.RepresentationSpec):
    type: hm_literal = "zoo/dots"

    def build(self, context=None):
        built = hm.resolve_spec("representation", {"type": "keypoints", "points": 4, "jacobians": False}).build()
        object.__setattr__(built, "spec", self)
        return built
""".replace("type: hm_literal", 'type: __import__("typing").Literal["zoo/dots"]').replace(
    "representation=DOTS", 'representation={"type": "zoo/dots"}'
)
FAULTS = {
    "relative": ('HERE / "small', '"small', {"model-file-is-in-the-package", "model-loads-and-generates"}),
    "absent": ('small.safetensors"}', 'other.safetensors"}', set(CHECKS["model"])),
    "no model": ('small.safetensors"}', 'smoke.yaml"}', {"model-loads-and-generates", "model-states-its-license"}),
    "elsewhere": ('HERE / "smoke', 'HERE.parent / "smoke', {"recipe-file-is-in-the-package"}),
    "no recipe": ("smoke.yaml", "__init__.py", {"recipe-can-be-read"}),
    "no type": ('"landmarks68", "zoo/dots"', '"landmark68", "zoo/dots"', {"converter-types-are-registered"}),
    "points": (
        "values[:, :4]",
        "values[:, :5]",
        {"converter-returns-its-target", "converter-does-not-modify-the-motion"},
    ),
    "reference": ("reference[:4]", "reference[:5]", {"converter-returns-its-target"}),
    "rate": ("replace(motion, ", "replace(motion, fps=24, ", {"converter-returns-its-target"}),
    "writes": (
        "    return replace(",
        "    motion.values.mul_(2)\n    return replace(",
        {"converter-does-not-modify-the-motion"},
    ),
    "no file": ("path.write_text", "str", {"writer-writes-a-file", "reader-reads-what-the-writer-wrote"}),
    "a frame less": (".splitlines()]", ".splitlines()[1:]]", {"reader-reads-what-the-writer-wrote"}),
    "any error": ("except (ValueError, RuntimeError)", "except KeyError", {"reader-refuses-other-files"}),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    small = {"type": "ms-sync", "preset": "small", "hidden_size": 16, "encoder_size": 16, "pose_size": 8}
    hm.build({"generator": small}).save(folder / "small.safetensors")
    shutil.copy(registry().recipes["smoke"], folder / "smoke.yaml")
    return folder


@pytest.fixture
def failed(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], set[str]]]:
    """Returns the checks of the plugin with a source that fail."""
    package = tmp_path / "zoo_parts"
    shutil.copytree(files, package)
    (tmp_path / "smoke.yaml").write_text((package / "smoke.yaml").read_text())
    monkeypatch.syspath_prepend(tmp_path)

    def run(source: str) -> set[str]:
        (package / "__init__.py").write_text(source)
        with installed_plugin("zoo", "zoo_parts"):
            checked = check_plugin("zoo")
        offered = {part: results for part, results in checked.items() if part.partition(":")[0] in OFFERS}
        assert len(offered) == len(OFFERS)
        return {result.name for results in offered.values() for result in results if not result.conforms}

    yield run
    sys.modules.pop("zoo_parts", None)


def test_a_sound_plugin_conforms(failed: Callable[[str], set[str]]) -> None:
    assert failed(PLUGIN) == set()


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_fails_its_checks(failed: Callable[[str], set[str]], fault: str) -> None:
    before, after, checks = FAULTS[fault]
    assert before in PLUGIN
    assert failed(PLUGIN.replace(before, after)) == checks
