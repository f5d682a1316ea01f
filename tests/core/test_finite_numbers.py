"""Checks of single arguments."""

from __future__ import annotations

import math

import pytest

from headmotion.core.arguments import is_finite_number


@pytest.mark.parametrize("value", [0, -3, 1.5, 2**1000])
def test_a_finite_number_is_one(value: object) -> None:
    assert is_finite_number(value)


@pytest.mark.parametrize("value", [True, None, "1", 1j, math.nan, -math.inf, 10**400, -(10**400)])
def test_what_no_float_can_hold_is_no_finite_number(value: object) -> None:
    assert not is_finite_number(value)
