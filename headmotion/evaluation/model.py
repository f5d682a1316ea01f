"""Motion that a model makes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import override

from ..core.checkpoint import read_header
from ..core.motion import Motion
from ..core.plugins import registry
from ..data.clip import SAMPLE_RATE, sample_count
from ..media.audio import Wave
from ..pipeline.pipeline import Pipeline, load
from .eval_clip import Case
from .eval_split import Clips
from .motion_source import Source

REPEAT = 1_000_000
"""Between the seeds of two motions for the same clip; clips differ by 1."""


class Model(Source):
    """A trained pipeline. Clip ``k`` is generated with the seed ``seed + k``."""

    name = "model"

    def __init__(self, pipeline: Pipeline, clips: Clips, seed: int) -> None:
        self.pipeline, self.clips, self.seed = pipeline, clips, seed

    @override
    def motion(self, case: Case) -> Motion:
        return self.spoken(case, case.speech)

    def again(self, case: Case, repeat: int) -> Motion:
        """The same speech from another seed."""
        return self.spoken(case, case.speech, repeat)

    def long(self, case: Case, frames: int) -> Motion:
        """The speech of this clip and of those after it, beginning anew behind the last."""
        needed, pieces, number = sample_count(frames, case.real.fps), [case.speech], case.number
        while sum(map(len, pieces)) < needed:
            number = (number + 1) % len(self.clips)
            pieces.append(self.clips[number].speech)
        return self._generated(case, np.concatenate(pieces)[:needed], case.number)

    def spoken(self, case: Case, speech: Wave, repeat: int = 0) -> Motion:
        """Motion from the clip's first pose for any speech, as long as the clip."""
        return case.moved(self._generated(case, speech, case.number + repeat * REPEAT).values)

    def _generated(self, case: Case, speech: Wave, number: int) -> Motion:
        reference = case.reference.unsqueeze(0)
        return self.pipeline.generate((speech, SAMPLE_RATE), reference, self.seed + number, case.real.fps)


def load_model(name: str, device: str) -> tuple[Pipeline, dict[str, Any]]:
    """A pipeline, and what identifies it: its name, the SHA-256 of its weights and of the file.

    Raises:
        CheckpointError: no such model, or it cannot be loaded.
    """
    pipeline = load(name, device)
    path = registry().models.get(name) or Path(name)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return pipeline, {"kind": "model", "name": name, "sha256": digest, "weights_sha256": read_header(path).sha256}
