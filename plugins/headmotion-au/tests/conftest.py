"""Makes the plugin known to headmotion where it is not installed, as in a fresh checkout."""

from __future__ import annotations

from pathlib import Path

from headmotion.testing import plugin_fixture

installed = plugin_fixture(Path(__file__).parents[1])
