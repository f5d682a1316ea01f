"""The checks find faults: each faulty part fails the checks that are about its fault, and no others."""

import pytest
import torch  # noqa: F401  (a spec in a module that imports it)
from faulty_specs import SPECS, GenSpec

from headmotion.core.plugins import registry
from headmotion.metrics.specs import JitterSpec
from headmotion.renderers.specs import SkeletonSpec
from headmotion.testing import CHECKS, check_component, checks_of, run_checks
from headmotion.testing.kit import OFFERS

LOOKS_AHEAD = {"generator-streaming-equals-offline", "generator-lookahead-as-declared"}
ONE_FAULT = [
    ("gen", "four steps", {"generator-uses-steps-per-frame"}),
    ("gen", "context", {"generator-uses-context-frames"}),
    ("gen", "batch", {"generator-batch-items-are-independent"}),
    ("gen", "global statistics", LOOKS_AHEAD),
    ("gen", "looks further", LOOKS_AHEAD),
    ("gen", "late", {"generator-lookahead-as-declared"}),
    ("gen", "hidden state", {"checkpoint-round-trips"}),
    ("gen", "lock", {"deep-copies-are-equal"}),
    ("gen", "detached", {"gradients-reach-parameters"}),
    ("gen", "unused layer", {"gradients-reach-parameters"}),
    ("gen", "state written to", {"generator-states-are-immutable", "generator-streaming-equals-offline"}),
    ("able", "listener per chunk", {"generator-accepts-listener-audio"}),
    ("able", "negative deviation", {"generator-deviations-match-frames"}),
    ("able", "branches", {"generator-fixed-shapes-can-be-traced"}),
    ("able", "reads past the end", {"generator-fixed-shapes-equal-offline"}),
    ("whole", "only looks ahead", {"capabilities-are-whole"}),
    ("whole", "a file of the folder", {"folder-does-not-matter"}),
    ("whole", "double", {"settings-are-untouched"}),
    ("whole", "misspelled", {"capabilities-are-whole"}),
    ("enc", "unused layer", {"gradients-reach-parameters"}),
    ("enc", "no default", {"encoder-output-shape", "encoder-receptive-field-as-declared"}),
    (
        "enc",
        "peak",
        {
            "encoder-streaming-equals-offline",
            "encoder-receptive-field-as-declared",
            "encoder-batch-items-are-independent",
        },
    ),
    ("enc", "batch", {"encoder-batch-items-are-independent"}),
    ("enc", "reach", {"encoder-receptive-field-as-declared"}),
    ("enc", "promise", {"encoder-streaming-equals-offline", "encoder-receptive-field-as-declared"}),
    ("enc", "forgets", {"encoder-streaming-equals-offline"}),
    ("pool-enc", "one state for all", {"encoder-streams-together-equal-alone"}),
    ("pool-enc", "attenuates power", {"encoder-attenuation-equals-a-quieter-wave"}),
    ("pool-enc", "attenuates in place", {"encoder-attenuation-equals-a-quieter-wave"}),
    ("able", "one base for all", {"generator-streams-together-equal-alone"}),
    ("enc", "writes its state", {"encoder-states-are-immutable"}),
    ("sync-er", "sizes", {"syncer-embedding-shape", "syncer-has-motion-gradient"}),
    ("sync-er", "batch", {"syncer-embedding-shape"}),
    ("sync-er", "gradient", {"syncer-has-motion-gradient"}),
    ("disc", "scalar", {"discriminator-output-shape"}),
    ("disc", "gradient", {"discriminator-has-motion-gradient"}),
    ("steps", "nameless", {"phase-results-have-names"}),
    ("steps", "forgets to apply", {"phase-steps-move-its-parameters"}),
    ("steps", "hidden", {"phase-modules-hold-its-results"}),
    ("steps", "counts", {"phase-resumes-exactly"}),
    ("disc", "detached prediction", {"discriminator-predictions-are-scalar-terms"}),
    ("sway", "a frame too many", {"control-keeps-shapes"}),
    ("sway", "counts in a piece", {"control-streams-as-on-the-whole", "control-can-be-stored"}),
    ("sway", "writes", {"control-is-a-value"}),
    ("sway", "forgets", {"control-can-be-stored"}),
    ("sway", "waits longer", {"control-states-its-look-ahead"}),
    ("draw", "no image", {"renderer-requires-its-image"}),
    ("draw", "greedy", {"renderer-reads-lazily"}),
    ("draw", "counts in a chunk", {"renderer-yields-one-picture-per-frame"}),
    ("draw", "float", {"renderer-yields-one-picture-per-frame"}),
    ("draw", "double", {"renderer-yields-one-picture-per-frame"}),
    ("draw", "never empty", {"renderer-accepts-empty-motion"}),
    ("draw", "paints the picture", {"renderer-does-not-modify-arrays"}),
    ("draw", "one buffer", {"renderer-does-not-modify-arrays"}),
    ("draw", "drops alpha", {"renderer-keeps-alpha-if-declared"}),
    ("learn", "detached", {"gradients-reach-parameters"}),
    ("learn", "batch", {"renderer-returns-pictures-to-train-on"}),
    ("learn", "no sigmoid", {"renderer-returns-pictures-to-train-on", "renderer-frames-equal-pictures"}),
    ("learn", "darker", {"renderer-frames-equal-pictures"}),
    ("learn", "chunks", {"renderer-frames-equal-pictures", "renderer-yields-one-picture-per-frame"}),
    ("learn", "missing audio as zeros", {"renderer-requires-its-audio"}),
    ("repr", "name", {"representation-is-consistent"}),
    ("repr", "index", {"representation-is-consistent"}),
    ("repr", "not mirrored", {"representation-flip-mirrors-points"}),
    ("repr", "frame", {"representation-fills-unit-square"}),
    ("repr", "takes anything", {"representation-rejects-invalid-input"}),
    ("far", "vector", {"loss-returns-scalar-terms"}),
    ("far", "names", {"loss-returns-scalar-terms"}),
    ("far", "detached", {"loss-has-motion-gradient"}),
    ("far", "norm", {"loss-is-finite-for-perfect-and-static-motion"}),
    ("far", "untrained", {"loss-trains-its-parameters"}),
    ("size", "protocol", {"metric-protocol-is-json"}),
    ("size", "numbers", {"metric-observations-are-plain-tensors"}),
    ("size", "order", {"metric-ignores-clip-order"}),
    ("size", "first for all", {"metric-batch-equals-single"}),
    ("size", "crashes without", {"metric-names-missing-inputs"}),
    ("size", "survives without", {"metric-names-missing-inputs"}),
    ("size", "unnamed need", {"metric-names-missing-inputs"}),
    ("size", "undeclared need", {"metric-names-missing-inputs"}),
    ("size", "needless need", {"metric-names-missing-inputs"}),
    ("size", "unknown need", {"metric-names-missing-inputs"}),
    ("size", "crashes on one frame", {"metric-names-missing-inputs"}),
    ("size", "infinite on one frame", {"metric-names-missing-inputs"}),
    ("find", "one for dark", {"detector-returns-a-list-per-picture"}),
    ("find", "very sure", {"detector-returns-a-list-per-picture"}),
    ("find", "unit frame", {"detector-gives-pixels"}),
    ("find", "batch", {"detector-pictures-are-independent"}),
    ("find", "labels", {"detector-labels-its-detections"}),
    ("find", "a pose too many", {"detector-gives-the-representations-it-names"}),
    ("find", "smallest first", {"detector-sorts-by-size"}),
    ("find", "paints", {"detector-does-not-modify-the-picture", "inputs-are-not-modified"}),
]
BROAD_FAULTS = [
    ("gen", "random", "global-rngs-are-untouched"),
    ("gen", "python random", "global-rngs-are-untouched"),
    ("gen", "nan", "output-is-deterministic"),
    ("gen", "flat", "generator-output-shape"),
    ("gen", "writes", "inputs-are-not-modified"),
    ("gen", "counts", "generator-is-deterministic-by-seed"),
    ("disc", "headless", "discriminator-output-shape"),
    ("draw", "moves the motion", "renderer-does-not-modify-arrays"),
    ("repr", "mirror", "representation-is-consistent"),
    ("repr", "flip", "representation-maps-round-trip"),
    ("repr", "normalize", "representation-maps-round-trip"),
    ("repr", "detached", "representation-is-differentiable"),
    ("find", "a list too few", "detector-returns-a-list-per-picture"),
    ("size", "spread of one", "metric-values-are-finite"),
]


def failed(spec):
    return {result.name for result in run_checks(spec.kind, spec) if result.status == "failed"}


@pytest.mark.parametrize("name", SPECS)
def test_a_correct_part_conforms(name):
    spec = SPECS[name]()
    results = check_component(spec)
    assert [result.name for result in results] == list(checks_of(spec.kind))
    assert {result.status for result in results} <= {"passed", "not-applicable"}


@pytest.mark.parametrize(("name", "fault", "checks"), ONE_FAULT, ids=[f"{n}-{f}" for n, f, _ in ONE_FAULT])
def test_each_fault_fails_its_checks(name, fault, checks):
    assert failed(SPECS[name](fault=fault)) == checks


@pytest.mark.parametrize(("name", "fault", "check"), BROAD_FAULTS, ids=[f"{n}-{f}" for n, f, _ in BROAD_FAULTS])
def test_faults_that_fail_many_checks(name, fault, check):
    assert check in failed(SPECS[name](fault=fault))


class Undocumented(GenSpec):
    """A field without a docstring; and this module imports torch."""

    size: int = 3


class Lossy(GenSpec):
    """Forgets its fault in JSON."""

    def model_dump_json(self, **options):
        return '{"fault": "batch"}'


def test_a_promise_that_a_part_does_not_make_is_not_applicable():
    def status(spec, check):
        return next(result.status for result in run_checks(spec.kind, spec) if result.name == check)

    assert status(SPECS["size"](), "metric-batch-equals-single") == "passed"
    assert status(JitterSpec(), "metric-batch-equals-single") == "not-applicable"
    assert status(SPECS["draw"](), "renderer-requires-its-image") == "passed"
    assert status(SkeletonSpec(), "renderer-requires-its-image") == "not-applicable"
    assert status(SPECS["clip-enc"](), "encoder-streaming-equals-offline") == "not-applicable"
    assert status(SPECS["clip-enc"](), "encoder-states-are-immutable") == "not-applicable"
    assert status(SPECS["clip-enc"](), "encoder-receptive-field-as-declared") == "not-applicable"
    assert status(SPECS["find"](), "detector-sorts-by-size") == "passed"
    assert status(SPECS["find"](fault="finds nothing"), "detector-sorts-by-size") == "not-applicable"


def test_faults_of_a_spec(monkeypatch):
    assert failed(Lossy()) == {"spec-is-registered", "spec-json-round-trips", "spec-imports-without-torch"}
    monkeypatch.setitem(registry().specs, ("generator", "gen"), Undocumented)
    assert failed(Undocumented()) == {"spec-is-documented", "spec-imports-without-torch"}
    monkeypatch.setitem(registry().owners, ("generator", "gen"), "stranger")
    assert failed(Undocumented()) == {"spec-is-documented", "spec-imports-without-torch", "spec-is-registered"}


def test_every_check_has_a_fault_that_it_finds():
    covered = set().union(*(checks for _, _, checks in ONE_FAULT), {check for _, _, check in BROAD_FAULTS})
    covered |= {"representation-fits-and-travels"}  # tests/representations/test_fitted.py, because it needs converters
    covered |= {"weights-are-registered"}  # tests/training/test_gradient_coverage.py
    covered |= {"progress-is-in-the-checkpoint"}  # tests/training/test_outputs_and_schedules.py
    covered |= {name for kind in OFFERS for name in CHECKS[kind]}  # test_offers.py
    covered |= {"spec-is-documented", "spec-json-round-trips", "spec-imports-without-torch", "spec-is-registered"}
    assert covered == {name for checks in CHECKS.values() for name in checks}
