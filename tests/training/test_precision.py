import json
import math
from pathlib import Path

import pytest
import torch
from exact import EXACT
from safetensors.torch import load_file

from headmotion.training import train


def test_bfloat16_runs_and_is_close(small_corpus: Path, tmp_path: Path) -> None:
    logs = {}
    for precision in ("32", "bf16"):
        changes = [*EXACT, f"precision={precision}"]
        model = train("smoke", [small_corpus], tmp_path / precision, device="cpu", quiet=True, overrides=changes)
        assert all(value.dtype in (torch.float32, torch.int64) for value in load_file(model).values())
        logs[precision] = [json.loads(line) for line in (tmp_path / precision / "log.jsonl").read_text().splitlines()]
    assert len(logs["32"]) == len(logs["bf16"]) == 6
    for exact, rough in zip(logs["32"], logs["bf16"], strict=True):
        assert all(math.isfinite(value) for name, value in rough.items() if name != "phase")
        terms = [name for name in exact if not name.startswith(("phase", "top1")) and "gradient" not in name]
        assert [rough[name] for name in terms] == pytest.approx([exact[name] for name in terms], rel=0.15, abs=0.05)
    assert logs["32"] != logs["bf16"]


def test_double_precision_leaves_a_model_in_single(small_corpus: Path, tmp_path: Path) -> None:
    model = train("smoke", [small_corpus], tmp_path, device="cpu", quiet=True, overrides=EXACT)
    assert load_file(tmp_path / "state.safetensors")["module/generator/lstm.weight_ih"].dtype == torch.float64
    assert all(value.dtype in (torch.float32, torch.int64) for value in load_file(model).values())
