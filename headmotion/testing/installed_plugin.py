"""Plugins in tests without pip: a package of a checkout, or a module of the tests, as if it were installed."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..core.errors import HeadmotionError
from ..core.files import write_text
from ..core.hookspecs import ENTRY_POINT_GROUP
from ..core.plugins import OWN_DISTRIBUTION, registry


@contextlib.contextmanager
def installed_plugin(name: str, module: str) -> Iterator[None]:
    """Register a module as the plugin of the package ``headmotion-NAME``, as pip would, until the context ends.

    Args:
        name: of the plugin, which is the namespace of its types.
        module: that Python can import, with the plugin's hooks.
    """
    with tempfile.TemporaryDirectory() as site:
        # As pip names the folder: a hyphen would begin the version.
        info = Path(site) / f"{OWN_DISTRIBUTION}_{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {OWN_DISTRIBUTION}-{name}\nVersion: 1.0\n"
        write_text(info / "METADATA", metadata)
        write_text(info / "entry_points.txt", f"[{ENTRY_POINT_GROUP}]\n{name} = {module}\n")
        sys.path.insert(0, site)
        _forget_plugins()
        try:
            yield
        finally:
            sys.path.remove(site)
            _forget_plugins()


def plugin_fixture(package: str | os.PathLike[str]) -> Callable[..., Any]:
    """Return a pytest fixture that makes a package's tests run in a checkout where it is not installed.

    In the ``conftest.py`` of the tests::

        installed = plugin_fixture(Path(__file__).parents[1])

    The folder ``src`` is importable from then on; the plugin is registered during each module of tests. Where pip has
    installed the package, nothing is done.

    Args:
        package: folder of the package's ``pyproject.toml``.

    Raises:
        HeadmotionError: it has no entry point of a plugin.
    """
    import pytest  # which only this function needs

    project = tomllib.loads((Path(package) / "pyproject.toml").read_text("utf-8")).get("project", {})
    plugins = project.get("entry-points", {}).get(ENTRY_POINT_GROUP, {})
    if len(plugins) != 1:
        expected = f"one entry point of the group {ENTRY_POINT_GROUP!r} in {package}/pyproject.toml"
        raise HeadmotionError("plugin_fixture", expected, str(len(plugins)))
    ((name, module),) = plugins.items()
    if importlib.util.find_spec(module) is None:
        sys.path.insert(0, str(Path(package) / "src"))

    @pytest.fixture(scope="module", autouse=True)
    def installed() -> Iterator[None]:
        if any(record.name == name for record in registry().records):
            yield
        else:
            with installed_plugin(name, module):
                yield

    return installed


def _forget_plugins() -> None:
    importlib.invalidate_caches()
    registry.cache_clear()
