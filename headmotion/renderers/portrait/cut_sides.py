"""Sides of the picture that cut the head: what it would bring in from beyond them when it moves is not there."""

from __future__ import annotations

import math

from .box import Box
from .head_ellipse import HALF_HEIGHT, HALF_WIDTH, HeadEllipse

SIDES = {"left": -1 + 0j, "right": 1 + 0j, "top": -1j, "bottom": 1j}
"""Directions out of the picture."""


def cut_sides(head: HeadEllipse, picture: Box) -> list[str]:
    """Return the sides of a picture beyond which the head reaches, except the one that the neck points to."""
    middle = complex(picture.x0 + picture.x1, picture.y0 + picture.y1) / 2
    return [
        side
        for side, outwards in SIDES.items()
        if _dot(head.up, outwards) > -math.sqrt(0.5)
        and _dot(head.center - middle, outwards) + _reach(head, outwards) > _half(picture, outwards)
    ]


def _reach(head: HeadEllipse, direction: complex) -> float:
    """Return how far the ellipse extends from its center in a direction (px)."""
    along, across = _dot(head.up, direction), _dot(head.up * 1j, direction)
    return head.face * math.hypot(HALF_HEIGHT * along, HALF_WIDTH * across)


def _half(picture: Box, direction: complex) -> float:
    width, height = picture.size
    return (width if direction.real else height) / 2


def _dot(a: complex, b: complex) -> float:
    return a.real * b.real + a.imag * b.imag
