"""Checks of the models and recipes that a plugin carries."""

from __future__ import annotations

import torch

from ...core.plugins import registry
from ...pipeline.loading import load
from ...training.recipe import load_recipe
from ..inputs import SAMPLE_RATE, wave
from ..kit import check
from ..offer import Offer

FRAMES = 10
"""Frames that a model generates."""
IN_PACKAGE = "Return Path(__file__).with_name(...) from the hook, and keep the file in the folder of the package."


@check("model", 1, IN_PACKAGE)
def model_file_is_in_the_package(subject: Offer) -> None:
    """The file is in the folder of the plugin's package, so that the wheel has it and it is found from any folder."""
    _require_in_package(subject)


@check("model", 1, "Write the file with `Pipeline.save`; headmotion_migrate keeps files of older versions alive.")
def model_loads_and_generates(subject: Offer) -> None:
    """The model is loaded by its name, and generates finite motion for noise, one frame per 1/fps of a second."""
    pipeline = load(subject.name, "cpu")
    speech = wave(round(SAMPLE_RATE * FRAMES / pipeline.context().fps), batch=1)[0]
    motion = pipeline.generate((speech, SAMPLE_RATE), seed=0)
    assert len(motion) == FRAMES, f"{len(motion)} frames for {FRAMES} / fps seconds of sound"
    assert torch.isfinite(motion.values).all(), "NaN or infinite"


@check("model", 3, "Return an hm.Asset with the file's name from headmotion_licenses.")
def model_states_its_license(subject: Offer) -> None:
    """One of the plugin's licenses names the file."""
    names = [asset.name for asset in registry().assets[subject.plugin]]
    found = any(name.rpartition("/")[2] == subject.value.name for name in names)
    assert found, f"no license names {subject.value.name}" + (f", only {', '.join(names)}" if names else "")


@check("recipe", 1, IN_PACKAGE)
def recipe_file_is_in_the_package(subject: Offer) -> None:
    """The file is in the folder of the plugin's package, so that the wheel has it and it is found from any folder."""
    _require_in_package(subject)


@check("recipe", 1, "Correct the file; `headmotion train NAME --data CORPUS --dry-run` builds everything in it.")
def recipe_can_be_read(subject: Offer) -> None:
    """The recipe is YAML, and the types and fields in it are those of registered parts."""
    load_recipe(subject.name)


def _require_in_package(subject: Offer) -> None:
    path, folder = subject.value, subject.folder
    assert path.is_absolute(), f"the path {path}, which depends on the current folder"
    assert path.is_file(), f"no file {path}"
    assert folder is None or path.resolve().is_relative_to(folder.resolve()), f"{path}, which is not in {folder}"
