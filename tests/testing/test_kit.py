"""How checks are run: expected failures, levels and versions, sizes, reports of failures, whole plugins."""

import importlib
import random
import sys

import numpy as np
import pytest
import torch
from faulty_specs import AbleSpec, DrawSpec, GenSpec, StepsSpec, WholeSpec
from hypothesis import configuration

from headmotion.core.errors import HeadmotionError, PluginError, SpecError
from headmotion.core.plugins import PluginRecord, registry
from headmotion.representations.specs import Landmarks68Spec
from headmotion.testing import (
    CHECKS,
    LEVELS,
    VERSION,
    ComponentTests,
    check_component,
    check_generator,
    check_plugin,
    report,
    run_checks,
)
from headmotion.testing import hypothesis_sizes as sizes
from headmotion.testing.hypothesis_sizes import for_sizes
from headmotion.testing.kit import Check
from headmotion.testing.neighbors import Neighbors, accepted, candidates

SHARED_NOISE = {"generator-batch-items-are-independent": "one noise for all samples"}


def by_name(results):
    return {result.name: result for result in results}


def test_expected_failures_are_strict():
    results = by_name(check_component(GenSpec(fault="batch"), expected_failures=SHARED_NOISE))
    assert results["generator-batch-items-are-independent"].status == "expected-failure"
    with pytest.raises(AssertionError, match="generator-batch-items-are-independent: unexpected-pass"):
        check_generator(GenSpec(), expected_failures=SHARED_NOISE)
    with pytest.raises(AssertionError, match="generator-streaming-equals-offline: unexpected-pass"):
        check_component(
            WholeSpec(), expected_failures={"generator-streaming-equals-offline": "it does not even stream"}
        )
    with pytest.raises(ValueError, match="no such check of a generator: typo; there are spec-is-registered"):
        check_generator(GenSpec(), expected_failures={"typo": "?"})


def test_failure_names_part_check_and_reason():
    with pytest.raises(AssertionError) as caught:
        check_generator(GenSpec(fault="batch"))
    first, *others = str(caught.value).splitlines()
    assert first == "generator 'gen' does not conform"
    (line,) = others
    assert line.startswith(
        "generator-batch-items-are-independent: failed. AssertionError: with batch=2, frames=1: a single sample: "
    )


def test_failure_says_where_to_look():
    (failed,) = (result for result in run_checks("generator", GenSpec(fault="batch")) if result.status == "failed")
    assert "faulty_specs.py" in failed.where or "faulty_parts.py" in failed.where

    class Breaks(GenSpec):
        def build(self, context):
            raise KeyError("weights")

    broken = by_name(run_checks("generator", Breaks()))["output-is-deterministic"]
    assert broken.detail == "KeyError: 'weights'" and "in build" in broken.where


def test_levels_and_versions_choose_checks(monkeypatch):
    must = {result.name for result in run_checks("generator", GenSpec(), level=1)}
    all_checks = {result.name for result in run_checks("generator", GenSpec())}
    assert must < all_checks and "generator-output-shape" in must and "generator-streaming-equals-offline" not in must
    later = Check("later", "generator", 1, VERSION + 1, "Comes later.", "Wait.", lambda subject: None)
    monkeypatch.setitem(CHECKS["generator"], "later", later)
    assert {result.name for result in run_checks("generator", GenSpec())} == all_checks
    assert {result.name for result in run_checks("generator", GenSpec(), kit=VERSION + 1)} == all_checks | {"later"}


def test_every_check_is_explained():
    for kind, checks in CHECKS.items():
        for name, check in checks.items():
            assert (check.name, check.kind) == (name, kind) and check.level in LEVELS and 1 <= check.since <= VERSION
            assert check.promise.endswith(".") and check.remedy.endswith((".", '"""'))


def test_other_representations():
    check_generator(GenSpec(), representation={"type": "landmarks68", "dims": 3})


def test_global_random_states_are_not_changed():
    torch.manual_seed(5)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    check_component(GenSpec())
    assert torch.equal(torch.get_rng_state(), before[0]) and random.getstate() == before[1]
    assert np.array_equal(np.random.get_state()[1], before[2])


def test_sizes_are_the_same_each_time_and_the_smallest_failure_is_named():
    seen = []

    def body(batch, frames):
        seen.append((batch, frames))
        assert batch < 3, "too many"

    for _ in range(2):
        with pytest.raises(AssertionError, match=r"^with batch=3, frames=1: too many"):
            for_sizes(body, batch=(1, 9), frames=(1, 5))
    assert seen[: len(seen) // 2] == seen[len(seen) // 2 :]


def test_nothing_is_stored_in_the_working_directory():
    before, homes = configuration.storage_directory().path, set()
    for_sizes(lambda batch: homes.add(configuration.storage_directory().path), batch=(1, 9))
    assert len(homes) == 1 and before not in homes and not any(home.exists() for home in homes)
    assert configuration.storage_directory().path == before


def test_without_hypothesis_the_error_names_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(HeadmotionError, match=r"pip install 'headmotion\[testing\]'"):
        importlib.reload(sizes)


@pytest.mark.parametrize("wrong", [None, "gen", {"type": "gen"}, GenSpec])
def test_what_is_no_spec_is_one_line(wrong):
    with pytest.raises(SpecError, match=r"^check_component: expected a spec, such as MySpec\(\) or .*, got "):
        check_component(wrong)
    with pytest.raises(SpecError, match=r"^spec of Wrong: expected a spec, such as MySpec"):
        type("Wrong", (ComponentTests,), {"spec": wrong})
    with pytest.raises(SpecError, match=r"^spec of Forgotten: expected a spec, .* got None"):
        type("Forgotten", (ComponentTests,), {})


class TestGen(ComponentTests):
    spec = GenSpec(fault="batch")
    expected_failures = SHARED_NOISE


class TestAble(ComponentTests):
    spec = AbleSpec()
    representation = "keypoints"
    level = 2


def test_a_class_has_a_test_for_each_check():
    tests = {name for name in vars(TestGen) if name.startswith("test_")}
    assert tests == {f"test_{name.replace('-', '_')}" for kind in ("spec", "", "generator") for name in CHECKS[kind]}
    assert "test_spec_is_documented" not in vars(TestAble), "a check of level 3"

    class Faulty(ComponentTests):
        spec = GenSpec(fault="late")

    Faulty().test_generator_output_shape()  # type: ignore[attr-defined]
    with pytest.raises(AssertionError, match=r"failed: .*look-ahead of 1(.|\n)*State the true lookahead"):
        Faulty().test_generator_lookahead_as_declared()  # type: ignore[attr-defined]
    with pytest.raises(AssertionError, match="unexpected-pass"):
        sound = type("Sound", (ComponentTests,), {"spec": GenSpec(), "expected_failures": SHARED_NOISE})
        sound().test_generator_batch_items_are_independent()
    with pytest.raises(ValueError, match="no such check"):
        type("Typo", (ComponentTests,), {"spec": GenSpec(), "expected_failures": {"typo": ""}})


def test_check_plugin(monkeypatch):
    results = check_plugin("representations", level=1)
    assert all(result.conforms for outcomes in results.values() for result in outcomes)
    landmarks = {result.name: result.status for result in results["representation:landmarks68"]}
    for name in ("representation-fits-and-travels", "progress-is-in-the-checkpoint"):
        assert landmarks.pop(name) == "not-applicable"
    assert set(landmarks.values()) == {"passed"}
    (joints,) = results["representation:joints"]
    assert (joints.status, joints.detail[:14]) == ("not-applicable", "required field")
    monkeypatch.setattr(Landmarks68Spec, "build", lambda self, context=None: 1 / 0)
    (broken,) = check_plugin("representations")["representation:landmarks68"]
    assert (broken.status, broken.detail) == ("failed", "ZeroDivisionError: division by zero")
    with pytest.raises(PluginError, match=r"one of .*representations.* got 'nothing'; install its package"):
        check_plugin("nothing")
    for name in ("headmotion-representations", "representations/landmarks68"):
        with pytest.raises(PluginError, match=f"got '{name}'; did you mean 'representations'"):
            check_plugin(name)
    broken = PluginRecord("zoo", "headmotion-zoo", "1", "error", "ImportError: no legs")  # type: ignore[assignment]
    monkeypatch.setattr(registry(), "records", [broken])
    with pytest.raises(PluginError, match="expected a loaded plugin, got error; ImportError: no legs"):
        check_plugin("zoo")


def test_a_type_is_checked_as_its_spec_says_and_its_defaults_are_built(monkeypatch):
    built, build = [], Landmarks68Spec.build
    monkeypatch.setattr(Landmarks68Spec, "for_checks", {"dims": 3})
    monkeypatch.setattr(Landmarks68Spec, "build", lambda self, context=None: built.append(self) or build(self, context))
    results = check_plugin("representations", level=1)["representation:landmarks68"]
    assert results[0].name == "builds-by-default" and all(result.conforms for result in results)
    assert {spec.dims for spec in built} == {2, 3}
    monkeypatch.setattr(Landmarks68Spec, "for_checks", {"dims": 4})
    (broken,) = check_plugin("representations", level=1)["representation:landmarks68"]
    assert broken.status == "failed" and "dims" in broken.detail


def test_a_part_that_refuses_landmarks_is_checked_with_the_plugins_representation():
    class Picky(GenSpec):
        def build(self, context):
            if context.representation.name != "mesh478":
                raise SpecError("generator", "mesh478", context.representation.name)
            return super().build(context)

    face, shapes, mesh = (Neighbors(name) for name in ("landmarks68", "blendshapes", "mesh478"))
    assert accepted("generator", Picky(), [face, shapes, mesh]) is mesh
    assert accepted("generator", Picky(), [face, shapes]) is face
    assert accepted("generator", GenSpec(), [face, mesh]) is face


class OwnSpec(StepsSpec):
    """A phase for the plugin's own generator."""

    def build(self, context):
        if context.use("generator").spec.type_name() != "gen":
            raise SpecError("phase", "the generator gen", "another")
        return super().build(context)


def test_a_phase_that_refuses_other_generators_is_checked_with_the_plugins_own():
    choices = candidates(["phase:steps", "generator:gen", "audio_encoder:enc"])
    assert choices[0] == Neighbors()
    assert [set(each.pipeline) for each in choices] == [
        set(),
        {"generator"},
        {"audio_encoder"},
        {"generator", "audio_encoder"},
    ]
    assert accepted("phase", StepsSpec(), choices) == choices[0]
    assert accepted("phase", OwnSpec(), choices).pipeline == {"generator": {"type": "gen"}}
    failed = {result.name for result in run_checks("phase", OwnSpec(), level=1) if not result.conforms}
    assert failed >= {"phase-results-have-names", "phase-resumes-exactly"}
    results = run_checks("phase", OwnSpec(), pipeline={"generator": "gen"})
    assert {result.name for result in results if not result.conforms} == {
        "spec-is-registered",
        "spec-imports-without-torch",
    }


def test_an_error_of_the_part_itself_is_explained_once():
    class Breaks(GenSpec):
        def build(self, context):
            part = super().build(context)
            part.forward = None
            return part

    results = run_checks("generator", Breaks())
    text = report({"generator:gen": results})
    assert text.count("TypeError: 'NoneType' object is not callable") < 3 and "Mend it first" in text
    assert text.count("(the same error as in ") > 5
    assert all(result.crashed for result in results if result.name == "generator-output-shape")


def test_report_explains_each_failure():
    results = run_checks("renderer", DrawSpec(fault="greedy"))
    lines = report({"renderer:draw": results}).splitlines()
    assert lines[0] == "renderer:draw" and lines[1] == "    ok         1  spec-is-registered"
    start = lines.index("    FAILED     3  renderer-reads-lazily")
    names = [line.split()[0] for line in lines[start + 1 : start + 6]]
    assert names == ["found", "promise", "where", "remedy", "level"]
    assert "20 of 20 chunks" in lines[start + 1] and lines[start + 3].split()[-1] in ("Draw", "frames")
    assert lines[-1] == f"{len(results)} checks, 1 failed"
