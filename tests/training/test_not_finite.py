"""NaN in training: the error names the first part that returned it, not only the term in which it arrived."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

import headmotion as hm
from headmotion.audio_encoders.log_mel import LogMel
from headmotion.losses.reconstruction import ReconstructionLoss
from headmotion.ms_sync.discriminator import MSSyncDiscriminator
from headmotion.ms_sync.generator import MSSyncGenerator
from headmotion.ms_sync.syncer import MSSyncSyncer
from headmotion.training import train

SHORT = ["phases.syncers.steps=1", "phases.generator.steps=1"]
PARTS: dict[str, tuple[type, str, str]] = {
    "syncer": (MSSyncSyncer, "embed_motion", "syncer ms-sync"),
    "audio encoder": (LogMel, "forward", "audio encoder log-mel"),
    "generator": (MSSyncGenerator, "forward", "generator ms-sync"),
    "discriminator": (MSSyncDiscriminator, "forward", "discriminator ms-sync"),
    "loss": (ReconstructionLoss, "forward", "loss reconstruction"),
}


def spoiled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: spoiled(item) for name, item in value.items()}
    return value * torch.nan


@pytest.mark.parametrize("part", PARTS)
def test_the_first_part_that_returned_nan_is_named(
    part: str, small_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, method, name = PARTS[part]
    whole: Callable[..., Any] = getattr(kind, method)
    monkeypatch.setattr(kind, method, lambda *inputs, **options: spoiled(whole(*inputs, **options)))
    message = f"step 0: expected a finite .*, got nan with the clips .*; {name} is the first part that returned NaN"
    with pytest.raises(hm.TrainingError, match=message):
        train("smoke", [small_corpus], tmp_path / "run", device="cpu", overrides=SHORT, quiet=True)


class Steep(torch.autograd.Function):
    """The same values, but a gradient that is infinite, as that of a square root at 0."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor) -> torch.Tensor:
        return values.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return gradient * torch.inf


def steep(value: Any) -> Any:
    return {name: steep(item) for name, item in value.items()} if isinstance(value, Mapping) else Steep.apply(value)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("part", sorted(PARTS.keys() - {"audio encoder"}))
def test_the_part_in_which_a_gradient_becomes_infinite_is_named(
    part: str, small_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, method, name = PARTS[part]
    whole: Callable[..., Any] = getattr(kind, method)
    monkeypatch.setattr(kind, method, lambda *inputs, **options: steep(whole(*inputs, **options)))
    message = f"step 0: expected a finite gradient, got (nan|inf) .*; the gradient of .* stops being finite in {name};"
    with pytest.raises(hm.TrainingError, match=message):
        train("smoke", [small_corpus], tmp_path / "run", device="cpu", overrides=SHORT, quiet=True)


def test_terms_of_a_generator_are_checked(small_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MSSyncGenerator, "training_terms", lambda *inputs: {"own": 3}, raising=False)
    message = "generator ms-sync: expected training_terms: 'own' to return a scalar floating-point tensor, got int 3"
    with pytest.raises(hm.OutputError, match=message):
        train("smoke", [small_corpus], tmp_path / "run", device="cpu", overrides=SHORT, quiet=True)
