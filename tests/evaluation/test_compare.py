"""Comparison of reports, and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from headmotion.cli import cli
from headmotion.core.errors import EvaluationError
from headmotion.evaluation import Report, compare
from headmotion.evaluation.report import CorpusReport, MetricReport, ReportedValue, SourceResult

PROTOCOL = {"clips_sha256": "1a", "group": "lips", "split": "val", "representation": {"type": "landmarks68", "dims": 2}}


def save_report(
    folder: Path, name: str, value: float, protocol: dict[str, Any] | None = None, **more: MetricReport
) -> Path:
    result = SourceResult(n=7, values={"lmd_px": ReportedValue(value=value, low=value - 0.5, high=value + 0.5)})
    metric = MetricReport(
        spec={"type": "lmd"},
        protocol=PROTOCOL if protocol is None else protocol,
        better={"lmd_px": "lower"},
        results={"model": result, "ground-truth": SourceResult(n=7, values={"lmd_px": ReportedValue(value=0.0)})},
    )
    report = Report(
        headmotion="0",
        command="headmotion evaluate",
        subject={"kind": "model", "name": name},
        data=CorpusReport(corpus="c", index_sha256="", split="val", clips=7, ids_sha256=""),
        seed=0,
        seeds=1,
        metrics={"lmd": metric, **more},
        baselines={},
    )
    target = folder / f"{name}-{value:g}" / "report.json"
    report.save(target)
    return target.parent


def test_reports_of_one_protocol_stand_side_by_side(tmp_path: Path) -> None:
    left, right = save_report(tmp_path, "new", 1.25), save_report(tmp_path, "[bold]", 2.5)
    comparison = compare([left, right / "report.json"])
    (lmd,) = comparison.metrics
    assert lmd.table.columns == ("new", "[bold]", "ground-truth")
    assert [(cell.value, cell.interval) for cell in lmd.table.rows[0].cells] == [
        ("1.25", "0.75 to 1.75"),
        ("2.5", "2 to 3"),
        ("0", ""),
    ]
    printed = CliRunner().invoke(cli, ["compare", str(left), str(right)], env={"COLUMNS": "200"})
    assert printed.exit_code == 0 and "1.25 (0.75 to 1.75)" in printed.output and "[bold]" in printed.output
    written = CliRunner().invoke(cli, ["compare", str(left), str(right), "-o", str(tmp_path / "both.html")])
    assert written.exit_code == 0
    text = (tmp_path / "both.html").read_text("utf-8")
    assert "2.5<small>2 to 3</small>" in text and not {"src=", "href="} & set(text.split())


def save_clips(folder: Path, name: str, clips: dict[str, dict[str, float]]) -> Path:
    """Save a report whose metric ``lmd`` has a mean over clips, ``lmd_px``, and a value that is none, ``ratio``."""
    mean = sum(values["lmd_px"] for values in clips.values()) / len(clips)
    values = {"lmd_px": ReportedValue(value=mean), "ratio": ReportedValue(value=1.0)}
    result = SourceResult(n=len(clips), values=values, clips=clips)
    metric = MetricReport(
        spec={"type": "lmd"}, protocol=PROTOCOL, better={"lmd_px": "lower"}, results={"model": result}
    )
    return save_report(folder, name, 1.0, lmd=metric)


def test_a_difference_is_that_of_pairs_of_clips(tmp_path: Path) -> None:
    # Clips differ far more from each other than the second model from the first.
    first = {f"clip-{k}": {"lmd_px": 10.0 * k} for k in range(40)}
    second = {name: {"lmd_px": values["lmd_px"] - 0.5 - 0.01 * k} for k, (name, values) in enumerate(first.items())}
    del second["clip-39"]
    paths = [save_clips(tmp_path, "a", first), save_clips(tmp_path, "b", second)]
    (lmd,) = compare(paths).metrics
    assert lmd.differences.columns == ("b",)
    difference, clips = lmd.differences.rows
    assert (difference.name, difference.cells[0].value, clips.cells[0].value) == ("lmd_px", "-0.69", "39")
    low, high = map(float, difference.cells[0].interval.split(" to "))
    assert -0.75 < low < -0.69 < high < -0.63
    printed = CliRunner().invoke(cli, ["compare", *map(str, paths)], env={"COLUMNS": "200"})
    assert "lmd: difference from a" in printed.output and "-0.69 (" in printed.output


def test_a_metric_without_values_of_clips_has_no_difference(tmp_path: Path) -> None:
    (lmd,) = compare([save_report(tmp_path, "a", 1.25), save_report(tmp_path, "b", 2.5)]).metrics
    assert lmd.differences.rows == ()


@pytest.mark.parametrize("name", ["both.csv", "both.tex", "both"])
def test_a_page_is_written_under_the_name_of_a_page_only(name: str, tmp_path: Path) -> None:
    reports = [str(save_report(tmp_path, "a", 1.25)), str(save_report(tmp_path, "b", 2.5))]
    for command in (["compare", *reports], ["inspect-corpus", str(tmp_path)]):
        refused = CliRunner().invoke(cli, [*command, "-o", str(tmp_path / name)])
        assert refused.exit_code == 2 and "expected the name of an HTML file" in refused.stderr
        assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("protocol", "message"),
    [
        (
            PROTOCOL | {"clips_sha256": "2b", "n": 9},
            r"other clips in one than in two \(unknown and 9\); evaluate both on",
        ),
        (PROTOCOL | {"group": "eyes"}, "protocol of 'lmd', got group 'lips' in one and 'eyes' in two"),
        (
            PROTOCOL | {"representation": {"type": "landmarks68", "dims": 3}},
            "representation.dims 2 in one and 3 in two",
        ),
        (
            {"clips_sha256": "1a", "group": "lips", "split": "val"},
            r"representation {'dims': 2, 'type': 'landmarks68'} in one and '\(none\)' in two",
        ),
    ],
)
def test_another_protocol_is_refused_with_the_difference(
    protocol: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(EvaluationError, match=message):
        compare(
            [
                save_report(tmp_path, "one", 1),
                save_report(tmp_path, "three", 1),
                save_report(tmp_path, "two", 2, protocol),
            ]
        )


def test_reports_of_the_same_model_are_titled_by_their_paths(tmp_path: Path) -> None:
    extra = Report.load(save_report(tmp_path, "other", 3)).metrics["lmd"]
    left, right = save_report(tmp_path, "model", 1), save_report(tmp_path, "model", 2, **{"lmd group=eyes": extra})
    comparison = compare([left, right])
    assert comparison.columns == (str(left), str(right))
    assert comparison.unshared == {str(right): ["lmd group=eyes"]}
    assert compare([left, left]).columns == (f"{left} (1)", f"{left} (2)")


def test_one_report_is_no_comparison(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="two reports or more"):
        compare([save_report(tmp_path, "one", 1)])


def test_a_report_without_results_of_its_subject_is_refused(tmp_path: Path) -> None:
    good = save_report(tmp_path, "one", 1.0)
    path = save_report(tmp_path, "two", 2.0) / "report.json"
    path.write_text(path.read_text().replace('"kind": "model"', '"kind": "motions"'))
    with pytest.raises(EvaluationError, match=r"expected results of the subject 'motions' in the metric 'lmd'"):
        compare([good, path])
