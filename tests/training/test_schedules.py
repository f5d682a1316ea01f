import pytest
from hypothesis import given
from hypothesis import strategies as st

from headmotion.core.errors import SpecError
from headmotion.training.objectives import InfoNCE
from headmotion.training.recipe import load_recipe
from headmotion.training.schedules import Cosine, Drops, Growth, Linear, Ramp, value_at
from headmotion.training.specs import ContrastivePhaseSpec


def test_drops_come_at_shares_of_the_phase() -> None:
    drops = Drops(at=(0.5, 0.8), by=0.1)
    assert [drops.factor(step, 10) for step in (0, 4, 5, 7, 8, 9)] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_a_cosine_falls_from_one_to_its_final_factor() -> None:
    factors = [Cosine(final=0.1).factor(step, 100) for step in range(101)]
    assert factors[0] == 1 and factors[50] == pytest.approx(0.55) and factors[100] == pytest.approx(0.1)
    assert factors == sorted(factors, reverse=True)


def test_warm_up_rises_to_the_schedule() -> None:
    line = Linear(warm_up=4, final=1.0)
    assert [line.factor(step, 10) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


@given(st.floats(0, 10), st.floats(0, 10), st.integers(0, 1000), st.integers(1, 1000), st.lists(st.integers(0, 3000)))
def test_a_ramp_stays_between_its_ends(start: float, end: float, first: int, length: int, steps: list[int]) -> None:
    ramp = Ramp(start=start, end=end, from_step=first, to_step=first + length)
    assert ramp.at(first) == start and ramp.at(first + length) == pytest.approx(end)
    low, high = min(start, end), max(start, end)
    assert all(low - 1e-9 <= ramp.at(step) <= high + 1e-9 for step in steps)


def test_the_margin_grows_as_in_the_paper() -> None:
    margin = Growth(start=0.001, factor=1.002)
    assert margin.at(999) == 0.001 and margin.at(1000) == pytest.approx(0.001002)
    assert margin.at(500_000) == pytest.approx(0.001 * 1.002**500)
    assert margin.at(10**9) == 0.4 == value_at(0.4, 3)


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("phases.syncers.margin={start: 1}", "'end'"),
        ("phases.syncers.margin={start: 1, end: 2, from_step: 5, to_step: 5}", "from_step < to_step"),
        ("phases.syncers.margin=much", "margin"),
        ("phases.syncers.optimizer.schedule=cosinus", "cosine"),
        ("phases.syncers.optimizer.schedule={type: drops, final: 1}", "final"),
        ("phases.syncers.optimizer.algorithm=sgd", "adamw"),
        ("phases.generator.schedule.sync=2", "ramp spec: expected fields by name, got 2"),
        ("precision=16", "bf16"),
    ],
)
def test_a_bad_schedule_is_one_clear_error(override: str, complaint: str) -> None:
    with pytest.raises(SpecError, match=complaint):
        load_recipe("smoke", [override])


def test_schedules_come_back_from_json() -> None:
    changes = [
        "phases.syncers.margin={start: 0.001, factor: 1.002}",
        "phases.syncers.optimizer.schedule=cosine",
        "phases.generator.optimizer.schedule={type: drops, at: [0.9], warm_up: 100}",
        "phases.generator.schedule.sync={start: 0, end: 1, to_step: 100}",
        "precision=64",
    ]
    recipe = load_recipe("smoke", changes)
    phase = recipe.phases["syncers"]
    assert isinstance(phase, ContrastivePhaseSpec) and isinstance(phase.objective, InfoNCE)
    assert isinstance(phase.objective.margin, Growth) and recipe.precision == "64"
    assert type(recipe).model_validate_json(recipe.model_dump_json()) == recipe
