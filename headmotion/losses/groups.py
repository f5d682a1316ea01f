"""Groups of points by the names that a loss is given."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.errors import SpecError
from ..core.interfaces.representation import Representation

ALL = "all"
"""The group of all points, which every representation has."""


def points_of(loss: str, representation: Representation, groups: Iterable[str]) -> list[int]:
    """The points of groups, one group after another.

    Raises:
        SpecError: the representation lacks a group.
    """
    known = {ALL: tuple(range(representation.points)), **representation.groups}
    for name in groups:
        if name not in known:
            raise SpecError(loss, f"groups that {representation.name} has: {', '.join(known)}", repr(name))
    return [point for name in groups for point in known[name]]
