"""The bundled portrait and speech. LICENSES.md states the same licenses for readers of the folder."""

from collections.abc import Iterable

from ..core.assets import Asset
from ..core.hookspecs import hookimpl


@hookimpl
def headmotion_licenses() -> Iterable[Asset]:
    """Return the media of the demonstration, and the data of rooms that are not plugins."""
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
            "statistics of how far and how fast heads move, by tools/head_statistics.py",
            note="statistics of several speakers; none of their recordings is part of it",
        ),
        Asset("sentences.json", "Apache-2.0", "word lists of synthetic sentences, written for headmotion"),
        Asset("icon.svg", "Apache-2.0", "sign of the studio, drawn for headmotion"),
        Asset(
            "onnxruntime-web",
            "MIT",
            "Microsoft Corporation; npm package",
            bundled=False,
            note="headmotion export --web copies two files of it into the page",
        ),
        Asset("speech.flac", "Apache-2.0", "synthesized by espeak-ng from a text written for headmotion"),
    ]
