"""Damage that files suffer on disks, in transfers and by hand: bytes in, other bytes out, by seed alone."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

Mutation = Callable[[bytes, Random], bytes]

HEADER = 96
"""Most formats say what they hold within so many bytes."""


def cut(good: bytes, chance: Random) -> bytes:
    return good[: chance.randrange(len(good))]


def beheaded(good: bytes, chance: Random) -> bytes:
    return good[chance.randrange(1, len(good)) :]


def one_bit(good: bytes, chance: Random) -> bytes:
    return _flipped(good, [chance.randrange(len(good))], chance)


def many_bits(good: bytes, chance: Random) -> bytes:
    return _flipped(good, [chance.randrange(len(good)) for _ in range(max(2, len(good) // 200))], chance)


def header_field(good: bytes, chance: Random) -> bytes:
    """A whole number, most likely near the start, set to an extreme."""
    at = chance.randrange(0, max(1, min(chance.choice([HEADER, HEADER, len(good)]), len(good)) - 4))
    kind = chance.choice(["<I", ">I", "<H", ">H", "B"])
    top = (1 << 8 * struct.calcsize(kind)) - 1
    value = struct.pack(kind, chance.choice([0, 1, top // 2, top // 2 + 1, top - 1, top]))
    return good[:at] + value + good[at + len(value) :]


def zeroed(good: bytes, chance: Random) -> bytes:
    start, end = _range(good, chance)
    return good[:start] + bytes(end - start) + good[end:]


def scrambled(good: bytes, chance: Random) -> bytes:
    start, end = _range(good, chance)
    return good[:start] + chance.randbytes(end - start) + good[end:]


def removed(good: bytes, chance: Random) -> bytes:
    start, end = _range(good, chance)
    return good[:start] + good[end:]


def repeated(good: bytes, chance: Random) -> bytes:
    start, end = _range(good, chance)
    return good[:end] + good[start:end] * chance.randrange(1, 4) + good[end:]


def appended(good: bytes, chance: Random) -> bytes:
    return good + chance.choice([chance.randbytes(700), bytes(700), good])


def _range(good: bytes, chance: Random) -> tuple[int, int]:
    start = chance.randrange(len(good))
    return start, min(len(good), start + chance.choice([1, 4, 16, 64, len(good) // 4 + 1]))


def _flipped(good: bytes, positions: list[int], chance: Random) -> bytes:
    changed = bytearray(good)
    for position in positions:
        changed[position] ^= 1 << chance.randrange(8)
    return bytes(changed)


MUTATIONS: dict[str, Mutation] = {
    mutation.__name__: mutation
    for mutation in (
        cut, beheaded, one_bit, many_bits, header_field, zeroed, scrambled, removed, repeated, appended,
    )
}  # fmt: skip
