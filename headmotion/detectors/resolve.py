"""Which detector serves when the user names none, or names one in short."""

from __future__ import annotations

from typing import Any

from ..core.interfaces.specs import DetectorSpec, resolve_spec
from .specs import FaceAlignmentSpec, FaceMeshSpec, MediapipeSpec


def detector_spec(value: DetectorSpec | dict[str, Any] | str | None = "auto") -> DetectorSpec:
    """The detector that is meant: ``auto`` (or None), a type, a dict with ``type``, a spec, or a ``.task`` file.

    ``auto`` is `face-mesh`, which is bundled. A ``.task`` file is one for the package mediapipe.
    Asking for ``"face-alignment"`` by name is asking for its weights to be fetched; a spec or dict says so by itself,
    so that no checkpoint, and no check of plugins, reaches for the network.

    Raises:
        SpecError: unknown type, unknown field, bad value.
    """
    if isinstance(value, DetectorSpec):
        return value
    if value is None or value == "auto":
        return FaceMeshSpec()
    if value == "face-alignment":
        return FaceAlignmentSpec(fetch=True)
    if isinstance(value, str) and value.endswith(".task"):
        return MediapipeSpec(model=value)
    return resolve_spec("detector", value)
