import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from double_precision import DOUBLE_PRECISION, assert_same_state
from safetensors.torch import load_file

from headmotion.core.errors import SpecError
from headmotion.training import train


def log_lines(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def test_parts_one_after_another_give_the_parameters_of_one_batch(small_corpus: Path, tmp_path: Path) -> None:
    for parts in (1, 2):
        changes = [*DOUBLE_PRECISION, f"grad_accumulation={parts}"]
        train("smoke", [small_corpus], tmp_path / str(parts), device="cpu", quiet=True, overrides=changes)
    assert_same_state(tmp_path / "1", tmp_path / "2")
    for single, divided in zip(log_lines(tmp_path / "1"), log_lines(tmp_path / "2"), strict=True):
        assert divided.pop("phase") == single.pop("phase")
        assert divided == pytest.approx(single, rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (["data.batch_size=8"], "syncers phase: expected a batch size that is a multiple of 16"),
        (["data.batch_size=10", "phases.syncers.batch_size=16"], "generator phase: expected .* a multiple of 4"),
    ],
)
def test_groups_and_pairs_are_never_split(
    changes: list[str], complaint: str, small_corpus: Path, tmp_path: Path
) -> None:
    with pytest.raises(SpecError, match=complaint):
        train("smoke", [small_corpus], tmp_path / "run", device="cpu", overrides=[*changes, "grad_accumulation=2"])
    assert not (tmp_path / "run").exists()


def test_bfloat16_runs_and_is_close(small_corpus: Path, tmp_path: Path) -> None:
    logs: dict[str, list[dict[str, Any]]] = {}
    for precision in ("32", "bf16"):
        changes = [*DOUBLE_PRECISION, f"precision={precision}"]
        model = train("smoke", [small_corpus], tmp_path / precision, device="cpu", quiet=True, overrides=changes)
        assert all(value.dtype in (torch.float32, torch.int64) for value in load_file(model).values())
        logs[precision] = log_lines(tmp_path / precision)
    assert len(logs["32"]) == len(logs["bf16"]) == 6
    for single, rough in zip(logs["32"], logs["bf16"], strict=True):
        assert all(math.isfinite(value) for name, value in rough.items() if name != "phase")
        terms = [name for name in single if not name.startswith(("phase", "top1")) and "gradient" not in name]
        assert [rough[name] for name in terms] == pytest.approx([single[name] for name in terms], rel=0.15, abs=0.05)
    assert logs["32"] != logs["bf16"]


def test_the_model_is_in_single_precision(small_corpus: Path, tmp_path: Path) -> None:
    model = train("smoke", [small_corpus], tmp_path, device="cpu", quiet=True, overrides=DOUBLE_PRECISION)
    assert load_file(tmp_path / "state.safetensors")["module/generator/lstm.weight_ih"].dtype == torch.float64
    assert all(value.dtype in (torch.float32, torch.int64) for value in load_file(model).values())
