"""The default detector, and short names of detectors."""

from __future__ import annotations

from typing import Any

from ..core.interfaces.specs import DetectorSpec, resolve_spec
from .specs import FaceAlignmentSpec, FaceMeshSpec, MediapipeSpec


def detector_spec(value: DetectorSpec | dict[str, Any] | str | None = "auto") -> DetectorSpec:
    """Return the spec of a detector.

    Args:
        value: ``auto`` or None (`face-mesh`, which is bundled), a type, a dict with ``type``, a spec, or the path of a
            ``.task`` file for the package mediapipe. The name ``"face-alignment"`` also requests the download of its
            weights. A spec or dict does so only with ``fetch``, so that checkpoints and checks of plugins never use the
            network.

    Raises:
        SpecError: unknown type, unknown field, bad value.
    """
    if value is None or value == "auto":
        return FaceMeshSpec()
    if value == "face-alignment":
        return FaceAlignmentSpec(fetch=True)
    if isinstance(value, str) and value.endswith(".task"):
        return MediapipeSpec(model=value)
    return resolve_spec("detector", value)
