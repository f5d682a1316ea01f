"""The reference covers the public names, its targets exist, and what a reader looks up has a description."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import headmotion as hm
from headmotion.core.plugins import registry
from headmotion.training.recipe import load_recipe

DOCS = Path(__file__).parents[2] / "docs"
TARGETS = {
    target: page.name
    for page in sorted((DOCS / "reference").glob("*.md"))
    for target in re.findall(r"^::: ([\w.]+)$", page.read_text("utf-8"), re.MULTILINE)
}


def resolved(target: str) -> Any:
    """Return the module or object of a dotted name."""
    try:
        return importlib.import_module(target)
    except ModuleNotFoundError:
        module, _, name = target.rpartition(".")
        return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("target", TARGETS)
def test_targets_exist(target: str) -> None:
    assert inspect.getdoc(resolved(target)), f"{TARGETS[target]}: {target} has no docstring"


EXPLAINED_WHERE_USED = ("hookimpl", "Observation", "SpecField", "Track")


def test_public_names_are_covered() -> None:
    missing = []
    for name in hm.__all__:
        value = getattr(hm, name)
        if inspect.ismodule(value) or name in EXPLAINED_WHERE_USED:
            continue
        homes = {f"{value.__module__}.{value.__qualname__}", value.__module__}
        if not homes & TARGETS.keys():
            missing.append(f"{name} ({value.__module__})")
    assert not missing, missing


PLUGIN_SOURCES = sorted((DOCS.parent / "plugins").glob("*/src/**/*.py"))


@pytest.mark.parametrize("path", PLUGIN_SOURCES, ids=lambda path: path.name)
def test_plugins_use_public_names_only(path: Path) -> None:
    """What a published system needs is public: in `headmotion` itself, or in the reference."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    imported = [
        (node.module, alias.name)
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "headmotion"
        for alias in node.names
    ]
    private = [f"{module}.{name}" for module, name in imported if not is_public(module, name)]
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "hm"}
    assert not private and used <= {*hm.__all__, "__version__"}, (private, used - {*hm.__all__})


def is_public(module: str, name: str) -> bool:
    """Return whether a page of the reference, or the top level, has a name of a module."""
    if module in ("headmotion", "headmotion.testing", "headmotion.training"):
        return name in importlib.import_module(module).__all__
    return f"{module}.{name}" in TARGETS or module in TARGETS


def undescribed(target: str) -> list[str]:
    """Return the public fields of dataclasses and specs of a target that have no description after them."""
    value = resolved(target)
    source = inspect.getsource(value)
    fields = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
            continue
        for statement, following in zip(node.body, [*node.body[1:], None], strict=True):
            if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
                continue
            name, annotation = statement.target.id, ast.unparse(statement.annotation)
            described = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            if not (described or name.startswith("_") or name == "type" or "ClassVar" in annotation):
                fields.append(f"{node.name}.{name}")
    return fields


@pytest.mark.parametrize("target", TARGETS)
def test_fields_are_described(target: str) -> None:
    assert not undescribed(target)


def test_the_annotated_recipe_is_the_bundled_one(tmp_path: Path) -> None:
    block = re.search(r"```yaml\n(.*?)```", (DOCS / "recipe.md").read_text("utf-8"), re.DOTALL)
    assert block is not None
    (tmp_path / "mine.yaml").write_text(block[1], "utf-8")
    assert load_recipe(tmp_path / "mine.yaml") == load_recipe("small-cpu")
    lines = block[1].splitlines()
    assert sum("#" in line for line in lines) > 0.75 * len(lines), "comments on nearly every line"


def test_every_page_is_in_the_navigation() -> None:
    listed = set(re.findall(r"- ([\w/.-]+\.md)$", (DOCS.parent / "mkdocs.yml").read_text("utf-8"), re.MULTILINE))
    assert listed == {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}


def test_bundled_recipes_are_named_in_the_guide() -> None:
    guide = (DOCS / "training.md").read_text("utf-8")
    for name, path in registry().recipes.items():
        if "/" in name and not name.startswith("ablation/"):  # a plugin's
            continue
        assert f"`{name}`" in guide, name
        assert yaml.safe_load(path.read_text("utf-8"))["name"]
