"""A module of the tests as an installed plugin."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from headmotion.core.plugins import registry


@contextlib.contextmanager
def installed_plugin(name: str, module: str, site: Path) -> Iterator[None]:
    """Install the package headmotion-NAME, as pip would leave it, until the context ends.

    Args:
        name: of the plugin.
        module: that it consists of.
        site: an empty folder for its metadata.
    """
    info = site / f"headmotion_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: headmotion-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[headmotion]\n{name} = {module}\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(site)
        registry.cache_clear()
        yield
    registry.cache_clear()
