"""A name that is nearly right is answered with the right one, wherever a name is taken."""

from fractions import Fraction
from pathlib import Path
from unittest import mock

import pytest
import torch

import headmotion as hm
from headmotion.evaluation.baselines import make_baselines
from headmotion.export.formats import format_of
from headmotion.testing.plugin import check_plugin
from headmotion.training.recipe import load_recipe

MOTION = hm.Motion(torch.rand(5, 68, 2), Fraction(25))


def test_plugins() -> None:
    with pytest.raises(hm.PluginError, match="got 'ms-sink'; did you mean 'ms-sync'"):
        check_plugin("ms-sink")


def test_formats() -> None:
    with pytest.raises(hm.MotionError, match="got 'livelink'; did you mean 'live-link'"):
        format_of(Path("a.csv"), "livelink")


def test_groups() -> None:
    with pytest.raises(hm.MotionError, match="got 'lisp'; did you mean 'lips'"):
        hm.controls.scale_group("lisp", 1.2)(MOTION)


def test_baselines() -> None:
    with pytest.raises(hm.EvaluationError, match="got 'statc'; did you mean 'static'"):
        make_baselines(["statc"], mock.Mock())


def test_recipes() -> None:
    with pytest.raises(hm.SpecError, match="got 'smoky'; did you mean 'smoke'"):
        load_recipe("smoky")
