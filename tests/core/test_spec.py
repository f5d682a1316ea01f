import json
from fractions import Fraction
from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from headmotion.core import spec as spec_module
from headmotion.core.errors import SpecError
from headmotion.core.interfaces.specs import GeneratorSpec, LossSpec, SyncerSpec, resolve_spec
from headmotion.core.plugins import Registry
from headmotion.core.spec import Spec, SpecField
from headmotion.sync.specs import PyramidSpec


class Walker(GeneratorSpec):
    """Puts one foot before the other."""

    type: Literal["walker"] = "walker"
    stride: float = Field(0.7, gt=0, le=2)
    """Length of a step (m)."""
    steps: tuple[int, ...] = (1, 2)
    """Some numbers."""
    pyramid: PyramidSpec = PyramidSpec()
    """A nested spec."""

    def build(self, context):
        raise NotImplementedError


class Runner(GeneratorSpec):
    """Needs a pace."""

    type: Literal["zoo/runner"] = "zoo/runner"
    pace: float
    """Speed (m/s)."""

    def build(self, context):
        raise NotImplementedError


class Sum(LossSpec):
    """A loss of losses."""

    type: Literal["sum"] = "sum"
    terms: tuple[SpecField[LossSpec], ...] = ()
    """What is added up."""

    def build(self, context):
        raise NotImplementedError


class Whole(Spec):
    """Holds parts."""

    generator: SpecField[GeneratorSpec] = Field(default="walker", validate_default=True)
    """How it moves."""
    losses: tuple[SpecField[LossSpec], ...] = ()
    """What is made small."""


@pytest.fixture(scope="module", autouse=True)
def small_registry():
    registry = Registry()
    for spec in (Walker, Runner, Sum):
        registry.specs[spec.kind, spec.type_name()] = spec
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spec_module, "registry", lambda: registry)
        yield


def test_three_ways_to_name_a_spec():
    expected = Walker()
    assert Whole(generator="walker").generator == expected
    assert Whole(generator={"type": "walker"}).generator == expected
    assert Whole(generator=expected).generator is expected
    assert Whole().generator == expected
    assert resolve_spec("generator", "walker") == expected
    assert resolve_spec("generator", expected) is expected
    with pytest.raises(SpecError, match="syncer spec: expected a type name"):
        resolve_spec("syncer", expected)


def message(build):
    with pytest.raises(SpecError) as caught:
        build()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("value", [None, 3, [], {}, {"kind": "walker"}, {"type": 3}])
def test_neither_name_nor_type(value):
    assert "expected a type name or an object with a 'type'" in message(lambda: Whole(generator=value))


def test_errors_name_the_part_the_field_and_the_remedy():
    def generator(**fields):
        return message(lambda: Whole(generator={"type": "walker", **fields}))

    assert "did you mean 'walker'?" in message(lambda: Whole(generator="wlaker"))
    assert "such as headmotion-farm" in message(lambda: Whole(generator="farm/walker"))
    text = generator(colour="red")
    assert text == "walker spec: expected no field 'colour', got 'red'; the fields are type, stride, steps, pyramid"
    assert generator(stride=3) == "walker spec: expected stride: at most 2, got 3"
    assert "walker spec: expected stride" in generator(stride=float("nan"))
    assert "steps.1: a whole number" in generator(steps=(1, "x"))
    assert "kernel: an odd number of taps" in generator(pyramid={"kernel": 2})
    assert message(lambda: Whole(generator="zoo/runner")).endswith("expected the field 'pace', got none; add 'pace'")
    assert "zoo/runner spec" in message(lambda: Whole(losses=({"type": "sum"},), generator={"type": "zoo/runner"}))
    assert "expected a type name" in message(lambda: Whole(generator=Sum()))
    assert len(generator(stride="x" * 10_000)) < 250


class Odd(LossSpec):
    """Fields of many types."""

    type: Literal["odd"] = "odd"
    weight: float | tuple[float, ...] = 1.0
    fps: Fraction = Fraction(25)
    level: Literal[1, 2] = 1
    shares: dict[str, float] = Field(default_factory=dict)
    inner: Walker = Walker()
    is_causal: bool = True
    label: bool | str = "a"

    def build(self, context):
        raise NotImplementedError


@pytest.mark.parametrize("true", [True, np.True_, torch.tensor(True)])
def test_a_boolean_is_no_number(true):
    assert message(lambda: Walker(stride=true)) == f"walker spec: expected stride: a number, got {true!r}"
    assert "steps.1: a number" in message(lambda: Walker(steps=[3, true]))
    assert "expected weight: a number" in message(lambda: Odd(weight=true))
    assert "expected weight.1: a number" in message(lambda: Odd(weight=(1, true)))
    assert "expected shares.b: a number" in message(lambda: Odd(shares={"a": 1, "b": true}))
    nested = message(lambda: Whole(generator={"type": "walker", "stride": true}))
    assert nested == message(lambda: Odd(inner={"stride": true})) == message(lambda: Walker(stride=true))


def test_a_boolean_is_a_boolean():
    assert message(lambda: Odd(fps=True)) == "odd spec: expected fps: a number, got True"
    assert message(lambda: Odd(level=True)) == "odd spec: expected level: a number, got True"
    assert Odd(is_causal=False, label=True).label is True
    assert Odd.model_validate_json('{"weight": [1, 2], "is_causal": false}').weight == (1.0, 2.0)
    assert "weight.1" in message(lambda: Odd.model_validate_json('{"weight": [1, true]}'))


def test_frozen():
    spec = Walker()
    with pytest.raises(ValidationError, match="frozen"):
        spec.stride = 1.0
    assert hash(spec) == hash(Walker())
    assert spec != Walker(stride=1.0)


def test_type_name():
    assert (Walker.type_name(), Runner.type_name(), Whole.type_name()) == ("walker", "zoo/runner", "Whole")
    assert Walker.kind == "generator"
    assert SyncerSpec.kind == "syncer"


def test_a_spec_must_have_build():
    class Bare(GeneratorSpec):
        type: Literal["bare"] = "bare"

    with pytest.raises(TypeError, match="abstract"):
        Bare()  # type: ignore[abstract]


WALKERS = st.builds(
    Walker,
    stride=st.floats(0, 2, exclude_min=True),
    steps=st.lists(st.integers(-(1 << 20), 1 << 20), max_size=3).map(tuple),
    pyramid=st.builds(PyramidSpec, levels=st.integers(1, 9), kernel=st.sampled_from([1, 3, 7])),
)
GENERATORS = WALKERS | st.builds(Runner, pace=st.floats(allow_nan=False, allow_infinity=False))
LOSSES = st.recursive(
    st.just(Sum()), lambda inner: st.builds(Sum, terms=st.lists(inner, max_size=2).map(tuple)), max_leaves=4
)


@given(st.builds(Whole, generator=GENERATORS, losses=st.lists(LOSSES, max_size=2).map(tuple)))
def test_json_round_trip(spec):
    assert Whole.model_validate_json(spec.model_dump_json()) == spec
    described = json.loads(json.dumps(spec.model_dump(mode="json")))
    assert Whole.model_validate(described) == spec
    assert described["generator"]["type"] == spec.generator.type


def references(schema):
    if isinstance(schema, dict):
        for key, value in schema.items():
            yield from [value] if key == "$ref" else references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def test_json_schema_describes_every_registered_type():
    schema = Whole.model_json_schema()
    brief, *full = schema["properties"]["generator"]["anyOf"]
    assert brief["enum"] == ["walker"], "only what needs no further field can be said in a word"
    assert [schema["title"] for schema in full] == ["Walker", "Runner"]
    assert full[0]["properties"]["stride"]["description"] == "Length of a step (m)."
    assert full[0]["properties"]["stride"]["maximum"] == 2
    assert full[0]["additionalProperties"] is False
    # Definitions stand where the references point, and a loss of losses does not recurse.
    assert {"#/$defs/PyramidSpec"} <= set(references(schema)) <= {f"#/$defs/{name}" for name in schema["$defs"]}
    json.dumps(schema)


def test_a_plugin_without_a_json_schema_does_not_stop_that_of_the_others(fake_plugins, monkeypatch, caplog):
    source = """
from typing import Literal
from pydantic import ConfigDict
from headmotion.core.hookspecs import hookimpl
from headmotion.core.interfaces.specs import GeneratorSpec

class Part(GeneratorSpec):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    type: Literal["odd/part"] = "odd/part"
    lock: BaseException | None = None
    def build(self, context): ...

@hookimpl
def headmotion_specs(): return [Part]
"""
    fake_plugins.install("headmotion-odd", source)
    fakes = fake_plugins.registry()
    monkeypatch.setattr("headmotion.core.spec.registry", lambda: fakes)

    class Holder(Spec):
        generator: SpecField[GeneratorSpec]

    schema = Holder.model_json_schema()
    assert "odd/part" in str(schema) and "type odd/part has no JSON schema" in caplog.text


def test_integers_without_a_bound_of_their_own_have_the_default_one(monkeypatch):
    text = message(lambda: Walker(steps=(1, 1 << 21)))
    assert text.startswith("walker spec: expected steps to be at most 1,048,576, got 2097152; if it has to be so large")
    assert "levels" in message(lambda: Walker(pyramid={"levels": 1 << 21}))
    monkeypatch.setenv("HEADMOTION_LIMIT_FACTOR", "2")
    assert Walker(steps=(1, 1 << 21)).steps == (1, 1 << 21)
