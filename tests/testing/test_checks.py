"""The checks find what is broken: each faulty part fails the checks that are about its fault, and no other."""

import pytest
import torch  # noqa: F401  (a spec in a module that imports it)
from faulty_specs import SPECS, GenSpec

from headmotion.core.plugins import registry
from headmotion.testing import CHECKS, check_component, checks_of, run_checks

LOOKS_AHEAD = {"generator-streams-the-whole", "generator-lookahead-is-honest"}
ONE_FAULT = [
    ("gen", "four steps", {"generator-uses-steps-per-frame"}),
    ("gen", "context", {"generator-uses-its-context"}),
    ("gen", "batch", {"generator-samples-stand-alone"}),
    ("gen", "global statistics", LOOKS_AHEAD),
    ("gen", "looks further", LOOKS_AHEAD),
    ("gen", "late", {"generator-lookahead-is-honest"}),
    ("gen", "hidden state", {"checkpoint-round-trips"}),
    ("gen", "lock", {"copies-are-equal"}),
    ("gen", "detached", {"gradients-reach-parameters"}),
    ("gen", "unused layer", {"gradients-reach-parameters"}),
    ("gen", "state written to", {"generator-states-are-values", "generator-streams-the-whole"}),
    ("able", "other per piece", {"generator-hears-whom-it-talks-with"}),
    ("able", "negative deviation", {"generator-deviations-fit-frames"}),
    ("able", "hears past the end", {"generator-chunks-give-the-whole"}),
    ("enc", "no default", {"encoder-keeps-shapes", "encoder-reach-is-honest"}),
    ("enc", "peak", {"encoder-streams-the-whole", "encoder-reach-is-honest", "encoder-samples-stand-alone"}),
    ("enc", "batch", {"encoder-samples-stand-alone"}),
    ("enc", "reach", {"encoder-reach-is-honest"}),
    ("enc", "promise", {"encoder-streams-the-whole", "encoder-reach-is-honest"}),
    ("enc", "forgets", {"encoder-streams-the-whole"}),
    ("sync-er", "sizes", {"syncer-embeds-into-one-space", "syncer-guides-motion"}),
    ("sync-er", "batch", {"syncer-embeds-into-one-space"}),
    ("sync-er", "gradient", {"syncer-guides-motion"}),
    ("disc", "scalar", {"discriminator-scores-by-head"}),
    ("disc", "gradient", {"discriminator-guides-motion"}),
    ("draw", "no image", {"renderer-asks-for-its-image"}),
    ("draw", "greedy", {"renderer-reads-lazily"}),
    ("draw", "counts in a piece", {"renderer-draws-every-frame"}),
    ("draw", "float", {"renderer-draws-every-frame"}),
    ("draw", "double", {"renderer-draws-every-frame"}),
    ("draw", "never empty", {"renderer-draws-nothing-of-nothing"}),
    ("draw", "paints the picture", {"renderer-leaves-what-it-is-given-and-gives"}),
    ("draw", "one buffer", {"renderer-leaves-what-it-is-given-and-gives"}),
    ("draw", "drops opacity", {"renderer-keeps-alpha-if-it-says-so"}),
    ("repr", "index", {"representation-is-consistent"}),
    ("repr", "not mirrored", {"representation-mirrors-what-is-seen"}),
    ("repr", "frame", {"representation-frames-its-points"}),
    ("repr", "takes anything", {"representation-refuses-nonsense"}),
    ("far", "vector", {"loss-has-named-terms"}),
    ("far", "names", {"loss-has-named-terms"}),
    ("far", "detached", {"loss-guides-motion"}),
    ("far", "norm", {"loss-stands-perfection"}),
    ("size", "protocol", {"metric-states-its-protocol"}),
    ("size", "numbers", {"metric-keeps-little"}),
    ("size", "order", {"metric-knows-no-order"}),
    ("size", "first for all", {"metric-observes-many-as-one"}),
    ("size", "needs truth", {"metric-says-what-it-needs"}),
    ("find", "none of dark", {"detector-finds-or-says-so"}),
    ("find", "smallest first", {"detector-gives-the-largest-first"}),
    ("find", "paints", {"detector-leaves-the-picture-alone", "inputs-stay-as-they-are"}),
]
SEEN_BY_MANY = [
    ("gen", "random", "chance-is-its-own"),
    ("gen", "python random", "chance-is-its-own"),
    ("gen", "nan", "outcome-repeats"),
    ("gen", "flat", "generator-keeps-shapes"),
    ("gen", "writes", "inputs-stay-as-they-are"),
    ("gen", "counts", "generator-repeats-by-seed"),
    ("disc", "headless", "discriminator-scores-by-head"),
    ("draw", "moves the motion", "renderer-leaves-what-it-is-given-and-gives"),
    ("repr", "mirror", "representation-is-consistent"),
    ("repr", "flip", "representation-maps-both-ways"),
    ("repr", "normalize", "representation-maps-both-ways"),
    ("repr", "detached", "representation-is-differentiable"),
    ("size", "spread of one", "metric-makes-finite-figures"),
]


def failed(spec):
    return {each.name for each in run_checks(spec.kind, spec) if each.status == "failed"}


@pytest.mark.parametrize("name", SPECS)
def test_a_sound_part_conforms(name):
    spec = SPECS[name]()
    results = check_component(spec)
    assert [each.name for each in results] == list(checks_of(spec.kind))
    assert {each.status for each in results} <= {"passed", "not-applicable"}


@pytest.mark.parametrize(("name", "fault", "checks"), ONE_FAULT, ids=[f"{n}-{f}" for n, f, _ in ONE_FAULT])
def test_each_fault_fails_its_checks(name, fault, checks):
    assert failed(SPECS[name](fault=fault)) == checks


@pytest.mark.parametrize(("name", "fault", "check"), SEEN_BY_MANY, ids=[f"{n}-{f}" for n, f, _ in SEEN_BY_MANY])
def test_faults_that_show_in_many_checks(name, fault, check):
    assert check in failed(SPECS[name](fault=fault))


class Bare(GenSpec):
    """Says nothing of its size; and this module imports torch."""

    size: int = 3


class Lossy(GenSpec):
    """Forgets its fault in JSON."""

    def model_dump_json(self, **options):
        return '{"fault": "batch"}'


def test_faults_of_a_spec(monkeypatch):
    assert failed(Lossy()) == {"spec-is-registered", "spec-json-round-trips", "spec-is-read-without-torch"}
    monkeypatch.setitem(registry().specs, ("generator", "gen"), Bare)
    assert failed(Bare()) == {"spec-is-documented", "spec-is-read-without-torch"}
    monkeypatch.setitem(registry().owners, ("generator", "gen"), "stranger")
    assert failed(Bare()) == {"spec-is-documented", "spec-is-read-without-torch", "spec-is-registered"}


def test_every_check_has_a_fault_that_it_finds():
    found = set().union(*(checks for _, _, checks in ONE_FAULT), {check for _, _, check in SEEN_BY_MANY})
    found |= {"spec-is-documented", "spec-json-round-trips", "spec-is-read-without-torch", "spec-is-registered"}
    assert found == {name for checks in CHECKS.values() for name in checks}
