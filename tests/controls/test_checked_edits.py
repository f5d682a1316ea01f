"""What a control returns is checked where it is used, and the control is named."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.controls import Control, ControlContext


@dataclass(frozen=True)
class Wrong(Control):
    edit: Any

    def start(self, context: ControlContext) -> Any:
        return self.edit

    def lookahead_ms(self, frames_ms: float = 0.0) -> float:
        return frames_ms


WRONG_EDITS = {
    "no function": {1: 2},
    "nothing": lambda frames, speech, last: None,
    "an array": lambda frames, speech, last: frames.numpy(),
    "integers": lambda frames, speech, last: frames.long(),
    "fewer points": lambda frames, speech, last: frames[:, 1:],
}


@pytest.mark.parametrize("edit", WRONG_EDITS.values(), ids=list(WRONG_EDITS))
def test_wrong_edits_are_named(edit: Any) -> None:
    motion = hm.Motion(torch.zeros(5, 68, 2) + torch.arange(68.0)[:, None], Fraction(25))
    with pytest.raises(hm.OutputError, match=r"control .*test_checked_edits\.Wrong.* plugins check"):
        Wrong(edit)(motion)
    with pytest.raises(hm.OutputError, match=r"control .*test_checked_edits\.Wrong"):
        hm.load("ms-sync").generate((np.zeros(8000, np.float32), 16_000), controls=[Wrong(edit)])
