"""Plugins that misbehave, as packages that a call finds installed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path


def install(site: Path, name: str, files: dict[str, str]) -> None:
    """Write a distribution ``headmotion-NAME`` as pip would leave it."""
    module = f"headmotion_{name}"
    for path, text in files.items():
        target = site / module / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    info = site / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: headmotion-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[headmotion]\n{name} = {module}\n")


def with_plugins(site: Path) -> Callable[[], None]:
    """Return a function that runs the command line where the packages in ``site`` are installed."""
    return partial(_main, site)


def _main(site: Path) -> None:
    from headmotion import cli
    from headmotion.core.plugins import registry

    sys.path.insert(0, str(site))
    registry.cache_clear()
    cli.main()
