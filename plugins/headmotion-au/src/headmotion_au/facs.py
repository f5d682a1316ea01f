"""Action units of the Facial Action Coding System (Ekman and Friesen 1978), and the blend shapes that show them.

Intensities are 0 at rest and 1 at the maximum, level E of the coding system; OpenFace's scale of 0 to 5 is divided by
5. Reading this module does not import torch.
"""

from __future__ import annotations

from collections.abc import Mapping

SPEECH_UNITS = ("AU10", "AU14", "AU20", "AU25", "AU26")
"""The speech-related units: upper lip raiser, dimpler, lip stretcher, lips part, jaw drop."""
UNIT_PATTERN = r"^AU[1-9][0-9]?$"
"""Names of units, as in the coding system: ``AU1``, and not ``AU01``."""
PRESENCE = 0.2
"""Intensity from which a unit counts as present: 1 on the scale of 0 to 5, level A."""

LIPS = ("AU10", "AU12", "AU14", "AU15", "AU16", "AU17", "AU18", "AU20", "AU22", "AU24", "AU25")
JAW = ("AU26",)
GROUPS = {"lips": LIPS, "jaw": JAW, "brows": ("AU1", "AU2", "AU4"), "eyes": ("AU5", "AU6", "AU7", "AU45")}
"""Units by the part of the face that they move."""

PARTING = "AU25"
"""The unit that several blend shapes together bring about: lips part with the jaw or without it."""
BLENDSHAPES: Mapping[str, Mapping[str, float]] = {
    "AU1": {"browInnerUp": 1.0},
    "AU2": {"browOuterUp": 1.0},
    "AU4": {"browDown": 1.0},
    "AU5": {"eyeWide": 1.0},
    "AU6": {"cheekSquint": 1.0},
    "AU7": {"eyeSquint": 1.0},
    "AU9": {"noseSneer": 1.0},
    "AU10": {"mouthUpperUp": 1.5},
    "AU12": {"mouthSmile": 1.0},
    "AU14": {"mouthDimple": 4.0},
    "AU15": {"mouthFrown": 1.0},
    "AU16": {"mouthLowerDown": 1.0},
    "AU17": {"mouthShrugLower": 1.0},
    "AU18": {"mouthPucker": 1.0},
    "AU20": {"mouthStretch": 3.0},
    "AU22": {"mouthFunnel": 1.0},
    "AU24": {"mouthPress": 1.0},
    "AU25": {"jawOpen": 2.0, "mouthClose": -2.0, "mouthLowerDown": 0.5, "mouthUpperUp": 0.5},
    "AU26": {"jawOpen": 1.5},
    "AU45": {"eyeBlink": 1.0},
}
"""Intensity of a unit as a sum of factors times blend shapes, clamped to 0..1. A shape that has a left and a right side
stands for the mean of both. Factors are chosen so that the units of fluent speech span their range; see the page."""


def sides_of(stem: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the blend shapes that a stem stands for: itself, or its left and right side."""
    return (stem,) if stem in names else tuple(f"{stem}{side}" for side in ("Left", "Right"))
