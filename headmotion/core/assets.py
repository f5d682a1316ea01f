"""What headmotion and its plugins bring along, or make use of, beside code: where it comes from, and on what terms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Asset:
    """Media, weights or data that somebody made: told for the users who pass them on."""

    name: str
    """What it is called, such as a file's name."""
    license: str
    """An SPDX identifier or a few words."""
    source: str
    """Who made it, and where it was published."""
    bundled: bool = True
    """Whether it is in the package; else the user has or fetches it."""
    note: str = ""
    """What else should be known before it is passed on."""
