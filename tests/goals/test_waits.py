import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from benchmarks.goals import performance_page as page
from benchmarks.waits import __main__ as waits
from benchmarks.waits.floors import EDGE, FLOORS, multiply
from benchmarks.waits.work import WORK, Turn, seconds_of


def test_every_kind_of_work_is_reported() -> None:
    assert waits.WAITS_BY_NAME.keys() == WORK.keys()


def test_limits_are_those_of_reported_work() -> None:
    assert FLOORS.keys() <= WORK.keys()


def test_a_step_has_no_time_below_that_of_its_operations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(folder: Path) -> Turn:
        factor = torch.rand(EDGE, EDGE)
        return lambda: (factor @ factor, None)[1]

    monkeypatch.setitem(WORK, "product", work)
    spent, least = seconds_of(work(tmp_path)), multiply("product", tmp_path)()
    assert least is not None and 0 < least[0] == least[1] < 3 * spent[0]


def test_a_section_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("# Performance\n\n## Training\n\nslow\n\n## Goals\n\nhigh\n", "utf-8")
    for number in ("one", "two"):
        page.replace_section("Waits", [f"row {number}"], path)
    assert path.read_text("utf-8") == (
        "# Performance\n\n## Training\n\nslow\n\n## Waits\n\nrow two\n\n## Goals\n\nhigh\n"
    )
    assert page.retained_section("Waits", path) == ["", "## Waits", "", "row two"]
    assert page.retained_section("Others", path) == []


def test_turns_are_taken_in_order_and_compared_by_medians(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    order: list[str] = []

    class Worker:
        def __init__(self, name: str, tree: Path, folder: Path, script: Sequence[str] = ()) -> None:
            self.tree = "limit" if script else tree.name

        def take_turn(self) -> list[float]:
            order.append(self.tree)
            return [2.0, 4.0] if self.tree == "before" else [1.0, 1.0]

        def end(self) -> None:
            order.append("end")

    monkeypatch.setattr(waits, "Worker", Worker)
    row = waits.compare("push", [Path("before"), Path("now")], tmp_path, 3)
    assert order == ["before", "now"] * 3 + ["end"] * 2
    assert row.split(" | ")[1:6] == ["2e+03 ms", "1e+03 ms", "0.50", "0.25", ""]
    row = waits.compare("portrait", [Path("before"), Path("now")], tmp_path, 1)
    assert order[-6:] == ["before", "now", "limit"] + ["end"] * 3 and row.split(" | ")[5] == "150 frames/s"


def test_a_worker_takes_a_turn_for_each_line(tmp_path: Path) -> None:
    script = tmp_path / "work.py"
    script.write_text("import sys\nprint('noise\\nready', flush=True)\nfor _ in sys.stdin: print([1, 2], flush=True)\n")
    worker = waits.Worker("any", Path(sys.prefix), tmp_path, [str(script)])
    assert [worker.take_turn(), worker.take_turn()] == [[1.0, 2.0]] * 2
    worker.end()


def test_a_turn_may_measure_itself() -> None:
    assert seconds_of(lambda: [3.0, 1.0]) == [3.0, 1.0]
    clock, own = seconds_of(lambda: json.loads("null"))
    assert 0 <= clock < 1 and 0 <= own < 1
