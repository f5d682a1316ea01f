"""The noise of `normal` in tensor operations only, for graphs that must draw it themselves, such as ONNX's.

Philox 4x64-10 (Salmon, Moraes, Dror, Shaw 2011) needs 128-bit products. Here a 64-bit word is four limbs of 16 bits.
Products and sums of them are exact in float64, in which graphs also round down exactly; integers have no such operator.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

ROUNDS, LIMBS, LIMB_BITS = 10, 4, 16
BASE = 1 << LIMB_BITS
WORD = 1 << (LIMBS * LIMB_BITS)
MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
"""Philox's factors of the words 0 and 2 of the counter."""
KEY_STEPS = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
"""What is added to the two words of the key after each round."""

# Rational approximations of the inverse of the normal distribution function within 1e-7 of the result: PPND7 of
# Wichura, Algorithm AS 241, Applied Statistics 37 (1988). Numerator and denominator, lowest power first.
MIDDLE = (3.3871327179, 50.434271938, 159.29113202, 59.109374720), (1.0, 17.895169469, 78.757757664, 67.187563600)
TAIL = (1.4234372777, 2.7568153900, 1.3067284816, 0.17023821103), (1.0, 0.73700164250, 0.12021132975)
FAR_TAIL = (6.6579051150, 3.0812263860, 0.42868294337, 0.017337203997), (1.0, 0.24197894225, 0.012258202635)


class NoiseGraph(nn.Module):
    """Standard normal noise of one sample, as `normal` draws it, within 2e-6, from frame 0 on.

    Args:
        streams: numbers of the streams, ``N`` of them.
        size: numbers of a frame, ``S``.
    """

    factors: Tensor

    def __init__(self, streams: Sequence[int], size: int) -> None:
        super().__init__()
        self.streams, self.size = tuple(streams), size
        # A product of limbs is a product with a band matrix, which moves each limb to its place.
        factors = torch.zeros(len(MULTIPLIERS), LIMBS, 2 * LIMBS, dtype=torch.float64)
        for word, multiplier in enumerate(MULTIPLIERS):
            for limb in range(LIMBS):
                factors[word, limb, limb : limb + LIMBS] = torch.tensor(_limbs(multiplier)).double()
        self.register_buffer("factors", factors, persistent=False)

    def keys(self, seed: int) -> Tensor:
        """Return the keys of all rounds, ``[10, N, 2, 4]``: limbs, as float32, which a graph's state can hold."""
        keys = [
            [
                [
                    _limbs(word + round_number * step)
                    for word, step in zip((seed, (stream << 32) + self.size), KEY_STEPS, strict=True)
                ]
                for stream in self.streams
            ]
            for round_number in range(ROUNDS)
        ]
        return torch.tensor(keys, dtype=torch.float32)

    @override
    def forward(self, keys: Tensor, first: Tensor, frames: int) -> Tensor:
        """Return the noise ``[N, frames, S]``.

        Args:
            keys: from `keys`.
            first: number of the first frame, 0 or more, int64 ``[]``.
            frames: their number.
        """
        blocks = -(-self.size // 4)  # a step of the counter gives four numbers
        # The counter is increased before it is used, as by NumPy.
        number = (first * blocks + torch.arange(1, frames * blocks + 1, device=first.device)).double()
        zeros = torch.zeros_like(number)
        low = torch.stack(_carried([number, zeros, zeros, zeros]), dim=-1)
        words = torch.stack([low, *[torch.zeros_like(low)] * 3], dim=1)
        words = words.expand(len(self.streams), -1, -1, -1).to(torch.int64)
        for key in keys.to(torch.int64).unbind(0):
            words = self._round(words, key)
        # The upper 52 of 64 bits, exactly.
        lowest, *upper = words.double().unbind(-1)
        bits = (lowest * 2.0**-12).floor()
        for limb, values in enumerate(upper, start=1):
            bits = bits + values * 2.0 ** (LIMB_BITS * limb - 12)
        noise = inverse_normal((bits + 0.5) * 2.0**-52).float().reshape(len(self.streams), frames, blocks * 4)
        return noise[..., : self.size]

    def _round(self, words: Tensor, key: Tensor) -> Tensor:
        """Return the words ``[N, n, 4, limbs]`` after a round with a key ``[N, 2, limbs]``."""
        first, second, third, fourth = words.unbind(2)
        factored = torch.stack([first, third], dim=2).unsqueeze(3).double()
        product = torch.stack(_carried((factored @ self.factors).squeeze(3).unbind(-1)), dim=-1).to(torch.int64)
        (low_a, low_b), (high_a, high_b) = (product[..., part].unbind(2) for part in (slice(LIMBS), slice(LIMBS, None)))
        key_a, key_b = key.unsqueeze(1).unbind(2)
        return torch.stack([high_b ^ second ^ key_a, low_b, high_a ^ fourth ^ key_b, low_a], dim=2)


def inverse_normal(uniform: Tensor) -> Tensor:
    """Return the inverse of the standard normal distribution function, of float64 within 0 and 1."""
    centered = uniform - 0.5
    square = 0.180625 - centered * centered
    middle = centered * _ratio(MIDDLE, square)
    depth = (-torch.minimum(uniform, 1 - uniform).log()).sqrt()
    tail = torch.where(depth <= 5, _ratio(TAIL, depth - 1.6), _ratio(FAR_TAIL, depth - 5))
    return torch.where(centered.abs() <= 0.425, middle, torch.where(centered < 0, -tail, tail))


def _ratio(polynomials: tuple[Sequence[float], Sequence[float]], argument: Tensor) -> Tensor:
    values = []
    for coefficients in polynomials:
        value = torch.full_like(argument, coefficients[-1])
        for coefficient in coefficients[-2::-1]:
            value = value * argument + coefficient
        values.append(value)
    return values[0] / values[1]


def _limbs(word: int) -> list[int]:
    """Return the limbs of a word, lowest first; words are modulo 2**64."""
    return [word % WORD >> (LIMB_BITS * limb) & (BASE - 1) for limb in range(LIMBS)]


def _carried(columns: Sequence[Tensor]) -> list[Tensor]:
    """Return limbs below `BASE` of columns that may be larger; what the last one carries is lost."""
    limbs, carry = [], torch.zeros_like(columns[0])
    for column in columns:
        total = column + carry
        carry = (total / BASE).floor()
        limbs.append(total - carry * BASE)
    return limbs
