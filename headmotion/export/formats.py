"""The formats in which motion can be written. The command line reads them before it imports torch."""

from __future__ import annotations

from pathlib import Path

from ..core.errors import MotionError, did_you_mean

SUFFIXES = {
    "npz": ".npz",
    "json": ".json",
    "csv": ".csv",
    "live-link": ".csv",
    "bvh": ".bvh",
    "glb": ".glb",
    "gltf": ".gltf",
    "vtt": ".vtt",
    "html": ".html",
}
"""The suffix of each format. Of two that share one, the first is the default."""


def format_of(path: Path, format: str | None = None) -> str:
    """Return the format of a file.

    Args:
        path: the file.
        format: a name among `SUFFIXES`; None takes the suffix.

    Raises:
        MotionError: an unknown suffix or format, or a format of another suffix.
    """
    suffix = path.suffix.lower()
    if format is None:
        matching = [name for name, known in SUFFIXES.items() if known == suffix]
        if not matching:
            suffixes = ", ".join(dict.fromkeys(SUFFIXES.values()))
            raise MotionError("export", f"a name ending in one of {suffixes}", repr(path.name))
        return matching[0]
    if format not in SUFFIXES:
        raise MotionError(
            "export", f"one of the formats {', '.join(SUFFIXES)}", repr(format), did_you_mean(format, SUFFIXES)
        )
    if suffix != SUFFIXES[format]:
        raise MotionError("export", f"a name ending in {SUFFIXES[format]} for {format}", repr(path.name))
    return format
