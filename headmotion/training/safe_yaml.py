"""YAML of any origin: nothing but plain values, and no more of them than its text could well write out."""

from __future__ import annotations

import re
from typing import Any

import yaml  # type: ignore[import-untyped]

MAX_BYTES = 100_000
"""A longer text is refused before it is parsed."""
MAX_NODES = 100_000
"""Most values that a text may hold when each alias is replaced by what it refers to."""


def read_yaml(text: str | bytes) -> Any:
    """Read the one document of a text: mappings, lists, words, numbers, dates and nothing else.

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
        # Counted first, because constructing a merge key (``<<``) copies what its aliases refer to.
        if _count_expanded(root, {}) > MAX_NODES:
            raise ValueError(f"more than {MAX_NODES:,} values behind aliases")
        return loader.construct_document(root)
    except RecursionError:
        raise ValueError("values nested too deep") from None
    except Exception as error:  # constructors raise whatever a number or a date out of range leads them to
        # The text has no name for the parser, which calls it a string of bytes or of letters.
        raise ValueError(re.sub(r' in "<\w+ string>",', " in", " ".join(str(error).split()))) from None


def _count_expanded(node: Any, counted: dict[int, int | None]) -> int:
    """Count the nodes of a tree after all aliases are expanded.

    Args:
        node: the root.
        counted: counts of the nodes that were visited, None for those whose children are being visited.
    """
    if id(node) in counted:
        if (count := counted[id(node)]) is None:
            raise ValueError("an alias for what it is part of")
        return count
    counted[id(node)] = None
    children = [] if isinstance(node, yaml.ScalarNode) else node.value
    if isinstance(node, yaml.MappingNode):
        _refuse_repeated_keys(node)
        children = [child for pair in node.value for child in pair]
    counted[id(node)] = count = 1 + sum(_count_expanded(child, counted) for child in children)
    return count


def _refuse_repeated_keys(node: yaml.MappingNode) -> None:
    """Refuse a mapping in which a key comes twice, of which YAML would silently take the last."""
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ValueError(f"a key that is a list or a mapping in line {key.start_mark.line + 1}")
        if key.tag != "tag:yaml.org,2002:merge":
            if key.value in seen:
                raise ValueError(f"the key {key.value!r} twice in one mapping")
            seen.add(key.value)
