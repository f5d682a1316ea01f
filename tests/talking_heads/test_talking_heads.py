"""The benchmark of talking heads: how methods are named, and what its tables say."""

from __future__ import annotations

import pytest

import headmotion as hm
from benchmarks.talking_heads.methods import parse_method
from benchmarks.talking_heads.tables import differences, interval, markdown, rows


@pytest.mark.parametrize(
    ("text", "model", "source", "generator"),
    [
        ("A=atvg/grid", "atvg/grid", "true", None),
        ("A=runs/a=b/model.safetensors:own", "runs/a=b/model.safetensors", "own", "runs/a=b/model.safetensors"),
        ("A=atvg/grid:/runs/model.safetensors", "atvg/grid", "/runs/model.safetensors", "/runs/model.safetensors"),
        (r"A=C:\model.safetensors:still", r"C:\model.safetensors", "still", None),
    ],
)
def test_methods_by_name(text: str, model: str, source: str, generator: str | None) -> None:
    method = parse_method(text)
    assert (method.name, method.model, method.source, method.generator) == ("A", model, source, generator)


def test_a_method_without_a_model_is_one_line() -> None:
    with pytest.raises(hm.HeadmotionError, match="--method: expected NAME=MODEL or NAME=MODEL:MOTION"):
        parse_method("atvg/grid")


def test_tables_have_means_intervals_and_differences() -> None:
    clips, before = [{"SSIM": 0.5}, {"SSIM": 0.7}], [{"SSIM": 0.4}, {"SSIM": 0.6, "other": 1.0}]
    found = interval([clip["SSIM"] for clip in clips])
    assert found is not None and (found.mean, found.low, found.high, found.clips) == (0.6, 0.5, 0.7, 2)
    assert [round(clip["SSIM"], 6) for clip in differences(clips, before)] == [0.1, 0.1]
    lines = markdown(rows({"method": clips}, ["SSIM", "other"]))
    assert lines[0] == "| | SSIM | other |" and lines[2] == "| method | 0.6 (0.5 to 0.7) | - |"
