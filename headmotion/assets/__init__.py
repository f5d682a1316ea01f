"""The bundled portrait and speech. LICENSES.md tells the same of them to those who open the folder."""

from collections.abc import Iterable

from ..core.assets import Asset
from ..core.hookspecs import hookimpl


@hookimpl
def headmotion_licenses() -> Iterable[Asset]:
    """The media of the demonstration, and data of rooms that are no plugins."""
    return [
        Asset(
            "portrait.png",
            "public domain",
            "NASA photograph of the astronaut Eileen Collins; also in scikit-image as astronaut.png",
            note="a work of the United States government; neither NASA nor the person endorses this software",
        ),
        Asset("portrait_landmarks.npz", "Apache-2.0", "68 points of portrait.png, made for headmotion"),
        Asset(
            "head_statistics.json",
            "Apache-2.0",
            "figures of how far and how fast heads move, by tools/head_statistics.py",
            note="statistics of several speakers; none of their recordings is part of it",
        ),
        Asset("speech.flac", "Apache-2.0", "synthesized by espeak-ng from a text written for headmotion"),
    ]
