"""How failures are explained: by what the part returns, if that is wrong, and without blaming the part for the kit."""

import textwrap

import pytest
import torch
from faulty_parts import Gen
from faulty_specs import SPECS, GenSpec

from headmotion.testing import ComponentTests, installed_plugin, report, run_checks


class Returns(GenSpec):
    """Its part returns something that the test chooses."""

    def build(self, context):
        part = Gen(self, context)
        part.forward = lambda reference, audio, seed=0: OUTPUTS[self.fault](reference, audio)
        return part


OUTPUTS = {
    "nothing": lambda reference, audio: None,
    "an array": lambda reference, audio: reference[:, -1:].expand(-1, audio.shape[1] // 4, -1, -1).numpy(),
    "one frame": lambda reference, audio: reference[:, -1],
    "NaN": lambda reference, audio: reference[:, -1:].expand(-1, audio.shape[1] // 4, -1, -1) * torch.nan,
}
SAID = {
    "nothing": "OutputError: generator gen: expected forward to return motion [2, 8, 68, 2], got None",
    "an array": "expected forward to return motion [2, 8, 68, 2], got an array float32 [2, 8, 68, 2]",
    "one frame": "expected forward to return motion [2, 8, 68, 2], got float32 [2, 68, 2]",
    "NaN": "OutputError: generator gen: expected finite motion, got NaN or infinity",
}


@pytest.mark.parametrize("fault", OUTPUTS)
def test_a_wrong_output_is_explained_once_and_by_the_promise_of_the_interface(fault):
    text = report({"generator:gen": run_checks("generator", Returns(fault=fault))})
    (found,) = {line.strip() for line in text.splitlines() if line.strip().startswith("found")}
    assert SAID[fault] in found and "says more" not in found and "Mend it first" in text


@pytest.mark.parametrize("built", [None, torch.nn.Linear(2, 2)])
def test_a_build_that_makes_no_part_is_explained_once(built):
    class Makes(GenSpec):
        def build(self, context):
            return built

    text = report({"generator:gen": run_checks("generator", Makes())})
    assert text.count("found") == 1 and "test_failures.py" in text and "in Makes" in text
    assert f"generator gen: expected build to return a generator, got {'None' if built is None else 'Linear'}" in text


WRONG = [
    ("enc", "forward", "audio encoder enc: expected forward to return features [2, 32, 1], got None"),
    ("sync-er", "embed_audio", "syncer sync-er: expected embed_audio to return embeddings [2, E], got None"),
    ("disc", "forward", "discriminator disc: expected forward to return scores [n]"),
    ("far", "forward", "loss far: expected forward to return scalar floating-point tensors by name, got None"),
    ("draw", "frames", "renderer draw: expected frames to return an iterator of pictures, got None"),
    ("size", "figures", "metric size: expected figures to return MetricValues, got None"),
    ("size", "observe", "metric size: expected observe to return an observation, tensors by name, got None"),
    ("find", "detect", "detector find: expected detect to return a list for each of 1 pictures, got None"),
    ("repr", "flip", "representation repr: expected flip to return values [3, 68, 2], got None"),
]


@pytest.mark.parametrize(("name", "method", "said"), WRONG, ids=[f"{name}-{method}" for name, method, _ in WRONG])
def test_a_method_that_returns_nothing(name, method, said, monkeypatch):
    spec = SPECS[name]()
    build = type(spec).build

    def broken(self, context=None):
        part = build(self, context)
        object.__setattr__(part, method, lambda *inputs, **options: None)
        return part

    monkeypatch.setattr(type(spec), "build", broken)
    failed = [result for result in run_checks(spec.kind, spec) if not result.conforms]
    assert failed and all(said in result.detail for result in failed)


def test_an_assertion_of_the_part_is_the_parts_own_error():
    class Asserts(GenSpec):
        def build(self, context):
            part = Gen(self, context)
            assert part.lookahead > 7, "embed_dim must be divisible by num_heads"
            return part

    text = report({"generator:gen": run_checks("generator", Asserts())})
    assert text.count("embed_dim must be divisible") == 1 and "in build" in text and "Mend it first" in text


def test_a_class_of_tests_explains_in_the_same_way():
    tests = type("Nothing", (ComponentTests,), {"spec": Returns(fault="nothing")})
    with pytest.raises(AssertionError) as caught:
        tests().test_output_is_deterministic()
    first, where, remedy = str(caught.value).splitlines()
    assert first.startswith("failed: OutputError: generator gen: expected forward to return motion")
    assert "faulty_parts.py" in where and remedy.startswith("Mend it first")


def test_a_phase_without_results(monkeypatch):
    spec = SPECS["steps"]()
    build = type(spec).build

    def broken(self, context):
        phase = build(self, context)
        phase.result = lambda: None
        return phase

    monkeypatch.setattr(type(spec), "build", broken)
    results = {result.name: result for result in run_checks("phase", spec)}
    assert results["phase-results-have-names"].detail == "AssertionError: result returned None"


def test_the_line_that_imports_torch_is_named(tmp_path, monkeypatch):
    package = tmp_path / "torchy_parts"
    package.mkdir()
    (package / "__init__.py").write_text(
        textwrap.dedent("""
        print("hello")
        from headmotion import Motion, hookimpl
        from .specs import NoneSpec

        @hookimpl
        def headmotion_specs():
            return [NoneSpec]
        """)
    )
    (package / "specs.py").write_text(
        textwrap.dedent("""
        from typing import Literal
        from headmotion import LossSpec

        class NoneSpec(LossSpec):
            type: Literal["torchy/none"] = "torchy/none"

            def build(self, context):
                from headmotion.losses.spread import Spread
        """)
    )
    monkeypatch.syspath_prepend(tmp_path)
    with installed_plugin("torchy", "torchy_parts"):
        results = {result.name: result for result in run_checks("loss", "torchy/none")}
    failed = results["spec-imports-without-torch"]
    assert "by " in failed.detail and "__init__.py:3: from headmotion import Motion, hookimpl" in failed.detail
    assert "specs.py:5 in NoneSpec" in failed.where


def test_a_changed_default_is_named_although_the_part_then_fails():
    class Double(GenSpec):
        def build(self, context):
            torch.set_default_dtype(torch.float64)
            part = Gen(self, context)
            part.forward = lambda reference, audio, seed=0: torch.nn.Linear(2, 2)(reference.float())
            return part

    results = {result.name: result for result in run_checks("generator", Double())}
    assert results["settings-are-untouched"].detail == "AssertionError: build changes torch's default dtype"
    assert torch.get_default_dtype() == torch.float32
