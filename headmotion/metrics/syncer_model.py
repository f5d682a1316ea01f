"""Trained syncers as metrics use them: from a file or bundled, identified by the file's SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.bundled import find_bundled
from ..core.errors import SpecError
from ..core.files import read_regular
from ..core.interfaces.representation import Representation
from ..sync.trained import load_syncers

BUNDLED = {path.stem: path for path in Path(__file__).with_name("models").glob("*.safetensors")}
"""Syncers that come with headmotion, by name."""


class SyncerModel:
    """Syncers that were trained on a representation.

    Args:
        syncers: a file, or the name of a bundled one.
        representation: what the measured motion is in. A depth that the syncers were not trained on is dropped.

    Raises:
        CheckpointError: no bundled syncers of that name; or the file is missing, damaged, or something else.
        SpecError: they were trained on another representation.
    """

    def __init__(self, syncers: str, representation: Representation) -> None:
        path = find_bundled(syncers, BUNDLED, "syncers")
        self.trained = load_syncers(path)
        # The digest identifies the syncers in the protocol: values by other syncers are not comparable.
        self._digest = hashlib.sha256(read_regular(path)).hexdigest()
        trained_on = self.trained.representation
        self.dims = trained_on.dims
        # Syncers for 2-D points also measure 3-D ones, by leaving the depth out.
        if trained_on.points != representation.points or trained_on.dims > representation.dims:
            expected = f"syncers for {representation.name}, {representation.points} points of {representation.dims}"
            got = f"{path}, trained on {trained_on.name}, {trained_on.points} of {trained_on.dims}"
            remedy = "train them on that representation: docs/metrics-sync-frechet.md"
            raise SpecError("syncers", expected, got, remedy)

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The file's SHA-256, and what it holds, as JSON values."""
        syncers = self.trained.syncers
        return {
            "syncers_sha256": self._digest,
            "levels": syncers.pyramid.levels,
            "stride": syncers.pyramid.stride,
            "window_frames": syncers.window,
            "syncers_fps": self.trained.fps,
            "embeddings": self.trained.space,
        }
