"""Trained syncers as metrics use them: from a file or bundled, with what makes them known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.errors import SpecError
from ..core.interfaces.representation import Representation
from ..sync.trained import load_syncers

BUNDLED = Path(__file__).with_name("models")
"""Syncers that come with headmotion, by the names of their files."""
PAGE = "docs/metrics-sync-frechet.md"


class Judge:
    """Syncers for a representation.

    Args:
        syncers: a file, or the name of a bundled one.

    Raises:
        CheckpointError: the file is missing, damaged, or something else.
        SpecError: they were trained on another representation.
    """

    def __init__(self, syncers: str, representation: Representation) -> None:
        own = BUNDLED / f"{syncers}.safetensors"
        path = own if own.is_file() else Path(syncers)
        self.trained = load_syncers(path)
        self._digest = hashlib.sha256(path.read_bytes()).hexdigest()
        known = self.trained.representation
        self.dims = known.dims
        if known.points != representation.points or known.dims > representation.dims:
            expected = f"syncers for {representation.name}, {representation.points} points of {representation.dims}"
            got = f"{path}, trained on {known.name}, {known.points} of {known.dims}"
            raise SpecError("syncers", expected, got, f"train them on that representation: {PAGE}")

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The file's SHA-256, and what it holds."""
        syncers = self.trained.syncers
        return {
            "syncers_sha256": self._digest,
            "levels": syncers.pyramid.levels,
            "stride": syncers.pyramid.stride,
            "window_frames": syncers.window,
            "syncers_fps": self.trained.fps,
            "embeddings": self.trained.space,
        }
