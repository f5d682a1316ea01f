"""What names of joints tell: which are each other's mirror image, and to which limb they belong."""

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
"""Words by which a joint is known; the first limb that has one in the joint's name takes it."""


def mirror_by_name(names: Sequence[str]) -> tuple[int, ...]:
    """The permutation that swaps names which differ in left and right only; every other point keeps its place."""
    index = {name: k for k, name in enumerate(names)}
    mirror = [next((index[other] for other in other_sides(name) if other in index), k) for k, name in enumerate(names)]
    return tuple(other if mirror[other] == k else k for k, other in enumerate(mirror))


def other_sides(name: str) -> Iterator[str]:
    """What ``name`` may be called on the other side of the body, the likeliest first."""
    for left, right in WORDS:
        if (left in name) != (right in name):
            yield name.replace(left, right) if left in name else name.replace(right, left)
    for pattern, left, right in LETTERS:
        for here, there in ((left, right), (right, left)):
            other, found = re.subn(pattern.format(here), there, name)
            if found:
                yield other


def limbs_by_name(names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Points by limb: ``arms``, ``legs``, ``head``, ``torso``, as far as the names say."""
    limbs: dict[str, list[int]] = {}
    for point, name in enumerate(names):
        lower = name.lower()
        limb = next((limb for limb, words in LIMBS.items() if any(word in lower for word in words)), None)
        if limb is not None:
            limbs.setdefault(limb, []).append(point)
    return {limb: tuple(limbs[limb]) for limb in LIMBS if limb in limbs}
