"""Bundled files: a name that is nearly right is answered by those that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import headmotion as hm
from headmotion.core.interfaces.specs import BuildContext
from headmotion.training.recipe import load_recipe

BUNDLED = {"units": Path("models/units.safetensors"), "grid": Path("models/grid.safetensors")}


def test_a_name_is_a_bundled_file_and_anything_else_a_path(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"")
    assert hm.find_bundled("units", BUNDLED) == BUNDLED["units"]
    assert hm.find_bundled(tmp_path / "mine", BUNDLED) == tmp_path / "mine"
    # It is missing, which whoever reads it says with the path.
    assert hm.find_bundled("elsewhere/units.safetensors", BUNDLED) == Path("elsewhere/units.safetensors")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "unitz",
            "a file or one of the bundled models grid, units, got 'unitz'; did you mean 'units'?",
        ),
        ("x", "a file or one of the bundled models grid, units, got 'x'"),
        ("", "a path, got an empty text"),
        (3, "a path, got int 3"),
    ],
)
def test_a_wrong_name_lists_those_that_there_are(source: str, message: str) -> None:
    with pytest.raises(hm.CheckpointError, match=f"^estimator: expected {re.escape(message)}$"):
        hm.find_bundled(source, BUNDLED, "estimator")


def test_a_folder_leads_to_the_file_in_it(tmp_path: Path) -> None:
    with pytest.raises(hm.CheckpointError, match=re.escape(f"models grid, units, got the folder {tmp_path}") + "$"):
        hm.find_bundled(tmp_path, BUNDLED)
    (inside := tmp_path / "model.safetensors").touch()
    with pytest.raises(hm.CheckpointError, match=re.escape(f"got the folder {tmp_path}; give {inside}")):
        hm.load(tmp_path)


def test_metrics_list_their_bundled_syncers() -> None:
    spec = hm.resolve_spec("metric", {"type": "av-sync", "syncers": "metric-syncer"})
    with pytest.raises(hm.CheckpointError, match=r"^syncers: .*did you mean 'metric-syncers'"):
        spec.build(BuildContext(hm.resolve_spec("representation", "landmarks68").build(), 0))


def test_a_name_of_a_plugin_that_is_not_installed_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    install = r".*; for what a plugin carries, install the package of plugin 'zoo', such as headmotion-zoo$"
    with pytest.raises(hm.CheckpointError, match=r"^model: .* got 'zoo/small'" + install):
        hm.load("zoo/small")
    with pytest.raises(hm.SpecError, match=r"^recipe: .* got 'zoo/small'" + install):
        load_recipe("zoo/small")
    (tmp_path / "zoo").mkdir()
    with pytest.raises(hm.CheckpointError, match=r"got 'zoo/small'$"):
        hm.load("zoo/small")
