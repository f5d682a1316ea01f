"""Long lists of sources of training data, shortened for people to read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

FEW = 8
"""Sources, or groups of them, that are shown in full."""
EXAMPLES = 2
"""Sources of a larger group that are shown."""


def short_card(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model's card in which the sources of its training data, and of models before it, are `grouped`."""
    short = dict(card)
    if _is_texts(card.get("sources")):
        short["sources"] = grouped(card["sources"])
    if isinstance(card.get("from"), list):
        short["from"] = [short_card(entry) if isinstance(entry, Mapping) else entry for entry in card["from"]]
    return short


def grouped(sources: list[str]) -> list[str]:
    """Return all of a few sources, or examples and counts by what they begin with, such as a corpus or a folder."""
    if len(sources) <= FEW:
        return sources
    groups: dict[str, list[str]] = {}
    for source in sources:
        groups.setdefault(re.split("[;,/]", source, maxsplit=1)[0], []).append(source)
    lines: list[str] = []
    for start, members in list(groups.items())[:FEW]:
        is_long = len(members) > EXAMPLES + 1
        more = f"... and {len(members) - EXAMPLES} more that begin with {start!r}"
        lines += [*members[:EXAMPLES], more] if is_long else members
    others = sum(len(members) for members in list(groups.values())[FEW:])
    return [*lines, f"... and {others} others"] if others else lines


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
