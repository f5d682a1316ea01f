"""What speakers do on average, whatever they say."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from ...core.motion import Motion
from ..eval_clip import Case
from ..motion_source import Source
from .context import Setting, cannot, displacement, retargeted


class MeanMotion(Source):
    """Frame by frame, the mean departure of the training clips from their first pose, put onto the clip's.

    Clips that have ended no longer count; beyond the longest the last frame is held.
    """

    name = "mean-motion"

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.protocol: Mapping[str, Any] = {
            "split": setting.clips.lesson_split,
            "clips": len(setting.clips.lessons),
        }

    @override
    def motion(self, case: Case) -> Motion:
        return retargeted(case, self._mean, self.setting)

    @cached_property
    def _mean(self) -> Tensor:
        total, count = torch.zeros(0), torch.zeros(0)
        for lesson in self.setting.clips.learned():
            moved = displacement(lesson, self.setting).double()
            if len(moved) > len(count):
                grown = torch.zeros_like(moved)
                if len(total):
                    grown[: len(total)] = total
                count = torch.nn.functional.pad(count, (0, len(moved) - len(count)))
                total = grown
            total[: len(moved)] += moved
            count[: len(moved)] += 1
        if not len(count):
            raise cannot(self.name, "a clip to learn from", "none that can be read")
        return (total / count[:, None, None]).float()
