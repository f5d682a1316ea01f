"""Licenses: where bundled and optional data comes from, and under which terms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Asset:
    """Media, weights or data of a third party, listed for users who redistribute them."""

    name: str
    """Name of the file or data set."""
    license: str
    """An SPDX identifier or a few words."""
    source: str
    """Author, and place of publication."""
    bundled: bool = True
    """Whether it is in the package; otherwise the user has it or downloads it."""
    note: str = ""
    """Anything else that matters before it is redistributed."""
