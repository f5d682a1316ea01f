"""JSON in which each key occurs once, where a person may have written it: of two, Python takes the last in silence."""

from __future__ import annotations

import json
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """Return the values of a JSON text.

    Raises:
        ValueError: it is damaged, or an object has a key twice.
        RecursionError: it is nested too deep.
    """
    return json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {name!r} twice")
        found[name] = value
    return found
