"""Makes the plugin known to headmotion where it is not installed, as in a fresh checkout."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from headmotion.core.plugins import registry

PACKAGE = Path(__file__).parents[1]

if importlib.util.find_spec("headmotion_au") is None:
    sys.path.insert(0, str(PACKAGE / "src"))


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A distribution on the path, as pip leaves it; nothing to do where the plugin is installed."""
    if any(record.name == "au" for record in registry().records):
        yield
        return
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text("utf-8"))["project"]
    site = tmp_path_factory.mktemp("site")
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = "".join(f"{name} = {module}\n" for name, module in project["entry-points"]["headmotion"].items())
    (info / "entry_points.txt").write_text(f"[headmotion]\n{points}")
    sys.path.insert(0, str(site))
    registry.cache_clear()
    yield
    sys.path.remove(str(site))
    registry.cache_clear()
