"""The names of the formats in which motion can be written, for which no torch is needed."""

from __future__ import annotations

from pathlib import Path

from ..core.errors import MotionError

SUFFIXES = {
    "npz": ".npz",
    "json": ".json",
    "csv": ".csv",
    "live-link": ".csv",
    "bvh": ".bvh",
    "glb": ".glb",
    "gltf": ".gltf",
    "vtt": ".vtt",
}
"""The suffix of each format. Where two share one, the first is meant unless the other is named."""


def format_of(path: Path, format: str | None = None) -> str:
    """The format of a file, by its suffix unless it is named.

    Raises:
        MotionError: an unknown suffix or name, or a name that goes with another suffix.
    """
    suffix = path.suffix.lower()
    if format is None:
        chosen = next((name for name, each in SUFFIXES.items() if each == suffix), None)
        if chosen is None:
            known = ", ".join(dict.fromkeys(SUFFIXES.values()))
            raise MotionError("export", f"a name ending in one of {known}", repr(path.name))
        return chosen
    if format not in SUFFIXES:
        raise MotionError("export", f"one of the formats {', '.join(SUFFIXES)}", repr(format))
    if suffix != SUFFIXES[format]:
        raise MotionError("export", f"a name ending in {SUFFIXES[format]} for {format}", repr(path.name))
    return format
