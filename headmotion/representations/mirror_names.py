"""Mirror images and limbs of joints, derived from their names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

WORDS = (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT"))
LETTERS = (
    (r"^{}(?=[A-Z_.\- ])", "L", "R"),
    (r"^{}(?=[_.\- ])", "l", "r"),
    (r"(?<=[_.\- ]){}$", "L", "R"),
    (r"(?<=[_.\- ]){}$", "l", "r"),
)
"""Sides as single letters: ``LHip``, ``L_hip``, ``hip.L``, ``hip_l``."""

LIMBS = {
    "arms": ("shoulder", "clavicle", "collar", "arm", "elbow", "wrist", "hand", "finger", "thumb", "index"),
    "legs": ("leg", "thigh", "knee", "shin", "calf", "ankle", "foot", "toe"),
    "head": ("head", "neck", "jaw", "eye"),
    "torso": ("hip", "pelvis", "spine", "chest", "torso", "abdomen", "back", "root"),
}
"""Words in the names of a limb's joints. A joint belongs to the first limb that has a word in its name."""


def mirror_by_name(names: Sequence[str]) -> tuple[int, ...]:
    """Return the permutation that swaps names which differ in left and right only; all other points stay in place."""
    index = {name: k for k, name in enumerate(names)}
    partners = [
        next((index[other] for other in opposite_names(name) if other in index), k) for k, name in enumerate(names)
    ]
    # A partner counts only if it is mutual; else the permutation would not be its own inverse.
    return tuple(partner if partners[partner] == k else k for k, partner in enumerate(partners))


def opposite_names(name: str) -> Iterator[str]:
    """Yield what ``name`` may be called on the other side of the body, the most likely name first."""
    for left, right in WORDS:
        # A name with both words, such as "LeftToRight", has no clear side.
        if (left in name) != (right in name):
            yield name.replace(left, right) if left in name else name.replace(right, left)
    for pattern, left, right in LETTERS:
        for side, opposite in ((left, right), (right, left)):
            swapped, count = re.subn(pattern.format(side), opposite, name)
            if count:
                yield swapped


def limbs_by_name(names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Return the points of ``arms``, ``legs``, ``head`` and ``torso``, as far as the names show them."""
    limbs: dict[str, list[int]] = {}
    for point, name in enumerate(names):
        lower = name.lower()
        limb = next((limb for limb, words in LIMBS.items() if any(word in lower for word in words)), None)
        if limb is not None:
            limbs.setdefault(limb, []).append(point)
    return {limb: tuple(limbs[limb]) for limb in LIMBS if limb in limbs}
