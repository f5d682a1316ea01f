"""YAML of any origin: nothing but plain values, and no more of them than its text could well write out."""

from __future__ import annotations

from typing import Any

import yaml  # type: ignore[import-untyped]

MAX_BYTES = 100_000
"""A longer text is refused before it is parsed."""
MAX_NODES = 100_000
"""A text is refused that would hold more values if each alias were replaced by what it stands for."""


def read_yaml(text: str | bytes) -> Any:
    """The one document in a text: mappings, lists, words, numbers, dates and nothing else.

    Raises:
        ValueError: not YAML, or far more than a person writes.
    """
    if len(text) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes")
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            return None
        # Counted first, because merging writes aliases out.
        if _written_out(root, {}) > MAX_NODES:
            raise ValueError(f"more than {MAX_NODES:,} values behind aliases")
        return loader.construct_document(root)
    except Exception as error:  # constructors raise whatever a number or a date out of range leads them to
        raise ValueError(" ".join(str(error).split())[:120]) from None


def _written_out(node: Any, known: dict[int, int | None]) -> int:
    """Nodes in a tree in which no alias is left; ``known`` holds those counted before, None while under way."""
    if id(node) in known:
        if (count := known[id(node)]) is None:
            raise ValueError("an alias for what it is part of")
        return count
    known[id(node)] = None
    children = [] if isinstance(node, yaml.ScalarNode) else node.value
    if isinstance(node, yaml.MappingNode):
        children = [each for pair in node.value for each in pair]
    known[id(node)] = count = 1 + sum(_written_out(child, known) for child in children)
    return count
