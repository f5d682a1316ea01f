"""The order of rooms: a module imports only from rooms above its own, and no modules import each other in a circle.

The order is the table of docs/architecture.md. Imports under ``TYPE_CHECKING`` do not run, so they are left out.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "headmotion"
ROOMS = re.findall(r"^\| `(\w+)/` \|", (ROOT / "docs/architecture.md").read_text("utf-8"), re.MULTILINE)
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if "templates" not in path.parts  # packages of their own, which import headmotion as a plugin does
}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def statements(node: ast.AST, *, top_level: bool = False) -> Iterator[ast.Import | ast.ImportFrom]:
    """Return the imports below a node; of a module's own level only, if asked, because only those run on import."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from statements(ast.Module(child.orelse, []), top_level=top_level)
        elif not (top_level and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)):
            yield from statements(child, top_level=top_level)


def imported(module: str, *, top_level: bool = False) -> set[str]:
    """Return the modules of headmotion that a module imports."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found = set()
    for statement in statements(ast.parse(path.read_text("utf-8")), top_level=top_level):
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
            continue
        parts = package.split(".")
        base = parts[: len(parts) - statement.level + 1] if statement.level else []
        source = ".".join([*base, *([statement.module] if statement.module else [])])
        found |= {
            f"{source}.{alias.name}" if f"{source}.{alias.name}" in MODULES else source for alias in statement.names
        }
    return {name for name in found if name in MODULES and name != module}


def test_all_rooms_have_their_place() -> None:
    assert {room_of(module) for module in MODULES if MODULES[module].parent != PACKAGE} == set(ROOMS)


def test_rooms_import_from_rooms_above() -> None:
    wrong = [
        f"{module} imports {other}"
        for module in MODULES
        if room_of(module) in ROOMS
        for other in imported(module)
        if room_of(other) in ROOMS and ROOMS.index(room_of(other)) > ROOMS.index(room_of(module))
    ]
    assert not wrong, "\n".join(wrong)


def test_no_circles_at_run_time() -> None:
    graph = {module: imported(module, top_level=True) for module in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None


def test_a_circle_would_be_noticed() -> None:
    source = "if TYPE_CHECKING:\n    import a\nelse:\n    import b\ndef f():\n    import c\n"
    tree = ast.parse(source)
    names = [alias.name for found in statements(tree) if isinstance(found, ast.Import) for alias in found.names]
    assert names == ["b", "c"]
    names = [alias.name for x in statements(tree, top_level=True) if isinstance(x, ast.Import) for alias in x.names]
    assert names == ["b"]


def test_files_of_tests_have_names_of_their_own() -> None:
    """Folders of tests are no packages, so pytest refuses to import a second file of one name."""
    folders = [ROOT / "tests", *(ROOT / "plugins").glob("*/tests")]
    names = [path.name for folder in folders for path in folder.rglob("*.py") if path.name != "conftest.py"]
    assert not [name for name, count in Counter(names).items() if count > 1]
