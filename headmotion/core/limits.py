"""The resource policy: how much memory a file or a spec may ask for. Every reader takes its bounds from here.

Bounds are far above what is used in practice. The environment variable ``HEADMOTION_LIMIT_FACTOR`` multiplies all of
them, for the rare input that is larger.
"""

from __future__ import annotations

import math
import os

from .errors import HeadmotionError

FACTOR_VARIABLE = "HEADMOTION_LIMIT_FACTOR"

ARRAY_BYTES = 1 << 30
"""An array from a file, in memory and after conversion to ``float32``."""
TEXT_BYTES = 1 << 28
"""A text file that is parsed as a whole: JSON, BVH."""
PIPED_BYTES = 1 << 30
"""Speech from a pipe, which is kept in a temporary file."""
BUILD_BYTES = 1 << 26
"""Tensors of the parts that are built from a checkpoint's spec, beyond four times those in the file."""
FROZEN_BYTES = 1 << 31
"""The same where a part has frozen weights, which need not be in the file."""
POINTS = 1 << 16
"""Points of a representation whose number the spec states."""
INTEGER = 1 << 20
"""An integer of a spec whose field states no bound of its own: widths, windows and counts all multiply memory."""


def limit(bound: int) -> int:
    """Return one of the bounds above, multiplied by ``HEADMOTION_LIMIT_FACTOR``.

    Raises:
        HeadmotionError: the variable is not a number from 1 up.
    """
    text = os.environ.get(FACTOR_VARIABLE, "1")
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not 1 <= factor < math.inf:
        raise HeadmotionError(FACTOR_VARIABLE, "a number from 1 up", repr(text), "unset it")
    return int(bound * factor)


def remedy() -> str:
    """Return what an error recommends where a bound is exceeded on purpose."""
    return f"if it has to be so large, set {FACTOR_VARIABLE}"
