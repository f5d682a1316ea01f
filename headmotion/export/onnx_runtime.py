"""ONNX Runtime without its telemetry. Nothing else in headmotion imports it."""

from __future__ import annotations

import os
from typing import Any

from ..core.errors import HeadmotionError
from ..core.lazy import import_optional

TELEMETRY_VARIABLE = "ORT_DISABLE_TELEMETRY"
"""Environment variable that ONNX Runtime reads when it is imported: 1 keeps it from sending and storing anything."""


def import_onnx_runtime() -> Any:
    """Import and return ``onnxruntime`` with its telemetry switched off.

    From version 1.29 on it asks for a host of its maker's, and stores an identifier in the user's cache, unless an
    environment variable forbids it before the import (Privacy.md in its package).

    Raises:
        HeadmotionError: it is not installed, or its telemetry cannot be switched off.
    """
    os.environ[TELEMETRY_VARIABLE] = "1"
    runtime = import_optional("onnxruntime", "headmotion[onnx]", "export")
    switch = getattr(runtime, "disable_telemetry_events", None)  # for versions that do not read the variable
    if switch is None:
        got = f"version {getattr(runtime, '__version__', '(unknown)')}"
        raise HeadmotionError(
            "export", "an ONNX Runtime whose telemetry can be switched off", got, "update onnxruntime"
        )
    switch()
    return runtime
