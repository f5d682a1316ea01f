"""Things that a page refers to by names that nobody can guess; the oldest are forgotten."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import Generic, TypeVar

from ..core.errors import ServingError

T = TypeVar("T")


class Recent(Generic[T]):
    """The last few things of a kind.

    Args:
        kind: what they are, for errors.
        count: how many are kept.
    """

    def __init__(self, kind: str, count: int) -> None:
        self._kind, self._count = kind, count
        self._items: OrderedDict[str, T] = OrderedDict()

    def add(self, item: T) -> str:
        """Keep a thing and return its name."""
        name = secrets.token_urlsafe(12)
        self._items[name] = item
        while len(self._items) > self._count:
            self._items.popitem(last=False)
        return name

    def get(self, name: str) -> T:
        """Return a thing, which is then the last to be forgotten.

        Raises:
            ServingError: there is none of that name.
        """
        if name not in self._items:
            raise ServingError(self._kind, "one of this server", "another one", "make it again")
        self._items.move_to_end(name)
        return self._items[name]
