from pathlib import Path

import pytest
import torch

from benchmarks.goals import performance_page as page
from benchmarks.goals.generation import bare_products
from benchmarks.goals.goal_list import GOALS, Goal
from benchmarks.goals.profile import kind_of
from benchmarks.goals.scaling import exponent
from benchmarks.goals.timing import Measurement, growth_per_hour, median_seconds
from headmotion.core.interfaces.specs import BuildContext
from headmotion.ms_sync.specs import MSSyncGeneratorSpec
from headmotion.representations.specs import Landmarks68Spec


def test_verdicts_of_goals_where_more_and_where_less_is_better() -> None:
    more, less = (Goal("", enough, aim, lambda: Measurement(0, ""), enough < aim) for enough, aim in ((5, 7), (10, 3)))
    assert [more.verdict(value) for value in (4.9, 5, 7)] == ["missed", "reached", "as aimed for"]
    assert [less.verdict(value) for value in (10.1, 10, 3)] == ["missed", "reached", "as aimed for"]


def test_more_is_better_if_the_aim_is_above_what_is_enough() -> None:
    assert all(goal.more_is_better == (goal.aim > goal.enough) for goal in GOALS.values())


def test_growth_and_exponents_are_those_of_a_line_and_a_power() -> None:
    assert growth_per_hour([100.0, 100.5, 101.0], minutes=2) == pytest.approx(30)
    assert growth_per_hour([100.0] * 5, minutes=4) == 0
    assert exponent((1, 2, 8), [9.0, 1.0, 64.0]) == pytest.approx(3)


def test_cases_take_turns_and_the_first_is_not_counted() -> None:
    order: list[str] = []
    seconds = median_seconds({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, turns=2)
    assert order == ["a", "b"] * 3 and seconds.keys() == {"a", "b"}


def test_the_floor_reads_every_weight_of_a_frame_once() -> None:
    spec = MSSyncGeneratorSpec.model_validate({"preset": "small"})
    generator = spec.build(BuildContext(Landmarks68Spec().build(), 26))
    sizes: list[int] = []
    for product in bare_products(generator, 3):
        names, cells = product.__code__.co_freevars, product.__closure__ or ()
        weight = dict(zip(names, cells, strict=True))["weight"].cell_contents
        assert product().shape == (len(weight), 3, weight.shape[2])
        sizes.append(weight.numel())
    parts = (generator.encoder, generator.lstm, generator.branches)
    matrices = [w for part in parts for w in part.parameters() if w.dim() > 1 and w.shape[-2] > 1]
    assert sum(sizes) == sum(weight.numel() for weight in matrices)


def test_measurements_are_stored_by_name_and_shown_in_the_order_of_the_goals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "RESULTS", tmp_path / "runs" / "goals.json")
    empty = list(page.section(tmp_path / "no page"))
    page.store("portrait", Measurement(100, "frames/s", "a note"))
    page.store("push", Measurement(3.5, "ms"))
    page.store("push", Measurement(2.5, "ms"))
    rows = list(page.section(tmp_path / "no page"))[len(empty) :]
    assert [row.split(" | ")[3:5] for row in rows] == [["2.5 ms", "as aimed for"], ["100 frames/s", "reached"]]

    target = tmp_path / "page.md"
    target.write_text("# Performance\n\n| a | b |\n\n## Goals\n\nold\n", "utf-8")
    page.update(target)
    page.update(target)
    written = target.read_text("utf-8")
    assert written == "\n".join(["# Performance\n\n| a | b |", *page.section(tmp_path / "no page")]) + "\n"
    page.RESULTS.unlink()
    page.update(target)
    assert target.read_text("utf-8") == written, "rows were lost with the file of the measurements"


@pytest.mark.parametrize(
    ("operator", "kind"),
    [
        ("aten::baddbmm", "matrix products"),
        ("aten::native_layer_norm", "norms"),
        ("aten::gelu", "activations"),
        ("aten::addcmul", "sums and scales"),
        ("aten::copy_", "copies and views"),
    ],
)
def test_operators_have_a_kind(operator: str, kind: str) -> None:
    assert kind_of(operator) == kind
    assert hasattr(torch.ops.aten, operator.removeprefix("aten::"))
