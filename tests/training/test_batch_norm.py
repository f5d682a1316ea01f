import pytest
import torch
from torch import nn

from headmotion.core.errors import TrainingError
from headmotion.training.batch_norm import WholeBatchNorm
from headmotion.training.batch_partition import BatchPartition, replay_state_per_part


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.inner, self.second = nn.Linear(3, 3), nn.BatchNorm1d(3), nn.BatchNorm1d(3, momentum=None)


def test_batch_norm_uses_the_statistics_of_the_whole_batch() -> None:
    whole, divided = Model().double().train(), Model().double().train()
    batch = 5 + 2 * torch.randn(12, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = whole.second(batch)
    norm, parts = WholeBatchNorm([divided], BatchPartition(grad_accumulation=3)), list(batch.split(4))
    norm.measure(divided.second, parts)
    outputs = torch.cat([divided.second(part) for part in replay_state_per_part(parts, [divided])])
    torch.testing.assert_close(outputs, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(divided.state_dict(), whole.state_dict() | dict(divided.named_parameters()))


def test_batch_norm_after_trained_parameters_is_refused() -> None:
    model = Model().train()
    WholeBatchNorm([model], BatchPartition(grad_accumulation=2))
    with pytest.raises(TrainingError, match="batch norm of data only"):
        model.inner(model.first(torch.ones(4, 3)))
    assert model.eval().inner(model.first(torch.ones(4, 3))).shape == (4, 3)
