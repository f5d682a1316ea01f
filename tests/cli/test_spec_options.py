"""Specs as JSON on the command line."""

from __future__ import annotations

import click
import pytest

from headmotion.cli.options import spec_fields
from headmotion.core.unique_keys import parse_json


def test_a_type_or_json() -> None:
    assert spec_fields("blink", "{}") == {"type": "blink"}
    assert spec_fields('{"type": "blink", "rate": 5}', "{}") == {"type": "blink", "rate": 5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type": "blink", "rate": 5, "rate": 6}', "got the key 'rate' twice"),
        ('{"type": "blink", "a": {"b": 1, "b": 1}}', "got the key 'b' twice"),
        ('{"rate": 5}', "got no 'type'"),
        ('{"type": ', "got no JSON from line 1, letter 10 on"),
        ("{" * 100_000, "got "),
    ],
)
def test_damaged_json_is_named(text: str, message: str) -> None:
    with pytest.raises(click.BadParameter, match=message):
        spec_fields(text, '{"type": "blink"}')


def test_lists_and_numbers_are_json_too() -> None:
    assert parse_json("[1, {}]") == [1, {}]
