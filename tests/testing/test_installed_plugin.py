"""Plugins in tests without pip."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import headmotion as hm
from headmotion.core.plugins import registry
from headmotion.testing import installed_plugin, plugin_fixture

PLUGIN = """
from typing import Literal
import headmotion as hm

class CalmSpec(hm.LossSpec):
    "A loss."
    type: Literal["calm/none"] = "calm/none"

@hm.hookimpl
def headmotion_specs():
    return [CalmSpec]
"""


def test_a_module_is_a_plugin_until_the_context_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "calm_parts.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    before = list(sys.path)
    with installed_plugin("calm", "calm_parts"):
        assert "calm/none" in registry().types("loss")
        assert next(r for r in registry().records if r.name == "calm").dist == "headmotion-calm"
    assert "calm/none" not in registry().types("loss") and sys.path == before


def test_a_package_without_a_plugin_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'calm'\n")
    with pytest.raises(hm.HeadmotionError, match="plugin_fixture: expected one entry point of the group 'headmotion'"):
        plugin_fixture(tmp_path)
