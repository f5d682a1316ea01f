"""Detected persons in the pixels of a whole picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Person:
    """A detection in the pixels of a whole picture."""

    pose: Tensor
    """``[P, D]`` of the representation that is asked for."""
    points: Tensor | None
    """Where the person is, ``[Q, 2 or 3]``; None if the detector does not say."""

    @property
    def shape(self) -> Tensor:
        """What distinguishes persons best: their points, or else their poses."""
        return self.pose if self.points is None else self.points

    @property
    def horizontal_position(self) -> float:
        """Horizontal place (px); 0 if it is not known, so that the largest person stays the first."""
        return 0.0 if self.points is None else float(self.points[:, 0].mean())


def nearest(persons: Sequence[Person], person: Person) -> Person:
    """Return the one of some persons who is nearest to a person."""
    shapes = torch.stack([candidate.shape for candidate in persons])
    return persons[int((shapes - person.shape)[..., :2].norm(dim=-1).mean(dim=1).argmin())]


def describe(persons: Sequence[Person]) -> str:
    """Say how many faces there are, and where, by the numbers that select one."""
    count = f"{len(persons)} {'face' if len(persons) == 1 else 'faces'}"
    faces = [person.points for person in persons if person.points is not None]
    centers = sorted(tuple(points[:, :2].mean(dim=0).round().int().tolist()) for points in faces)
    if not centers:
        return f"{count}, the largest first"
    return f"{count}: {', '.join(f'{number} at ({x}, {y})' for number, (x, y) in enumerate(centers, 1))}"
