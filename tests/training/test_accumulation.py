import json
from pathlib import Path
from typing import Any

import pytest
import torch
from exact import EXACT, assert_same_state
from torch import nn

from headmotion.core.errors import SpecError, TrainingError
from headmotion.training import train
from headmotion.training.batch_norm import WholeBatchNorm
from headmotion.training.batch_partition import Division, from_one_start


def figures(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def test_parts_one_after_another_give_the_parameters_of_one_batch(small_corpus: Path, tmp_path: Path) -> None:
    for parts in (1, 2):
        changes = [*EXACT, f"grad_accumulation={parts}"]
        train("smoke", [small_corpus], tmp_path / str(parts), device="cpu", quiet=True, overrides=changes)
    assert_same_state(tmp_path / "1", tmp_path / "2")
    for one, other in zip(figures(tmp_path / "1"), figures(tmp_path / "2"), strict=True):
        assert other.pop("phase") == one.pop("phase")
        assert other == pytest.approx(one, rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (["data.batch_size=8"], "syncers phase: expected a batch size that is a multiple of 16"),
        (["data.batch_size=10", "syncers.batch_size=16"], "generator phase: expected .* a multiple of 4"),
    ],
)
def test_groups_and_pairs_are_never_split(
    changes: list[str], complaint: str, small_corpus: Path, tmp_path: Path
) -> None:
    with pytest.raises(SpecError, match=complaint):
        train("smoke", [small_corpus], tmp_path / "run", device="cpu", overrides=[*changes, "grad_accumulation=2"])
    assert not (tmp_path / "run").exists()


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.inner, self.second = nn.Linear(3, 3), nn.BatchNorm1d(3), nn.BatchNorm1d(3, momentum=None)


def test_batch_norm_keeps_the_statistics_of_the_whole() -> None:
    whole, divided = Model().double().train(), Model().double().train()
    batch = 5 + 2 * torch.randn(12, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = whole.second(batch)
    norm, parts = WholeBatchNorm([divided], Division(grad_accumulation=3)), list(batch.split(4))
    norm.measure(divided.second, parts)
    found = torch.cat([divided.second(part) for part in from_one_start(parts, [divided])])
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(divided.state_dict(), whole.state_dict() | dict(divided.named_parameters()))


def test_batch_norm_of_what_parameters_made_is_refused() -> None:
    model = Model().train()
    WholeBatchNorm([model], Division(grad_accumulation=2))
    with pytest.raises(TrainingError, match="batch norm of data only"):
        model.inner(model.first(torch.ones(4, 3)))
    assert model.eval().inner(model.first(torch.ones(4, 3))).shape == (4, 3)
