"""Values and pictures that were measured, kept in a folder: one method of one clip is never measured twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import headmotion as hm
from headmotion.core.files import atomic_output, write_text
from headmotion.core.interfaces.renderer import Picture

from .measures import Values, measure_motion, measure_pictures, protocol
from .methods import Drawn, Method, digest, generated, load
from .recording import Recording

VALUES, DRAWN = "values.json", "drawn"
"""File of the values of a clip, and name of the picture of its shown frame."""


class Results:
    """A folder with a folder for each method, in which each clip has values, the shown frame, and maps."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.protocol = folder / "clips", protocol()

    def pictures(self, method: Method, recording: Recording) -> Values:
        """Return the values of a method's pictures, which are drawn if they are not there yet."""
        path = self._cache_path(method.identity, recording)
        if (stored := path / VALUES).exists():
            return _read(stored)
        pictures = method.draw(recording)
        values = measure_pictures(recording, pictures)
        shown = {DRAWN: pictures[recording.shown_frame], **method.maps(recording)}
        path.mkdir(parents=True, exist_ok=True)
        for name, picture in shown.items():
            Image.fromarray(picture).save(path / f"{name}.png")
        return _write(stored, values)

    def motion(self, model: str, recording: Recording) -> Values:
        """Return the values of the landmarks that a model's generator makes."""
        stored = self._cache_path({"generator": digest(model)}, recording) / VALUES
        return (
            _read(stored) if stored.exists() else _write(stored, measure_motion(recording, generated(model, recording)))
        )

    def shown(self, method: Method, recording: Recording) -> dict[str, Picture]:
        """Return the shown frame of a method that was measured as `DRAWN`, and its maps by name."""
        files = sorted(self._cache_path(method.identity, recording).glob("*.png"))
        return {path.stem: np.array(Image.open(path)) for path in files}

    def _cache_path(self, identity: Mapping[str, str], recording: Recording) -> Path:
        text = json.dumps({"identity": dict(identity), "protocol": self.protocol}, sort_keys=True, default=str)
        return self.folder / hashlib.sha256(text.encode()).hexdigest()[:16] / recording.name.replace("/", "-")


def generators(methods: list[Method]) -> dict[str, str]:
    """Return the models that generate landmarks for any of the methods, by the name of their first method."""
    models: dict[str, str] = {}
    for method in methods:
        model = method.generator if isinstance(method, Drawn) else None
        # Action units and blend shapes have no landmarks to be measured.
        if model is not None and isinstance(load(model).representation, hm.SupportsPoints2D):
            models.setdefault(model, method.name)
    return {name: model for model, name in models.items()}


def _read(path: Path) -> Values:
    values: Values = json.loads(path.read_text("utf-8"))
    return values


def _write(path: Path, values: Any) -> Values:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_output(path) as temporary:
        write_text(temporary, json.dumps(values, indent=1))
    return dict(values)
