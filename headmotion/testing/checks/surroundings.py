"""Checks of what is around a part: the working folder, and settings of the process."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...core.errors import describe
from ..build_context import Subject
from ..inputs import assert_close
from ..kit import NotApplicable, check
from ..outputs import output_on_fixed_inputs


@check("", 2, "Find files of the package by Path(__file__).with_name(...), and name all others in the spec.")
def folder_does_not_matter(subject: Subject) -> None:
    """A part gives the same output in any working folder, unless its spec names a file by a relative path."""
    if any(Path(text).exists() and not Path(text).is_absolute() for text in _texts(subject.spec.model_dump())):
        raise NotApplicable("its spec names a file by a relative path")
    expected = output_on_fixed_inputs(subject, subject.build())
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        try:
            other = output_on_fixed_inputs(subject, subject.build())
        except Exception as error:
            raise AssertionError(f"in another folder: {describe(error)}") from None
    assert_close(other, expected, "in another folder", 0.0)


@check("", 2, "Pass a dtype or device to the calls that need it, and use `with torch.no_grad():` and np.errstate.")
def settings_are_untouched(subject: Subject) -> None:
    """Neither building nor using a part changes the working folder, or settings of torch and NumPy."""
    before = _settings()
    part = subject.build()
    _require_same(before, "build")  # at once, because what comes next may fail for it
    output_on_fixed_inputs(subject, part)
    _require_same(before, "its use")


def _require_same(before: dict[str, Any], what: str) -> None:
    changed = [name for name, value in _settings().items() if value != before[name]]
    assert not changed, f"{what} changes {', '.join(changed)}"


def _settings() -> dict[str, Any]:
    return {
        "the working folder": Path.cwd(),
        "torch's default dtype": torch.get_default_dtype(),
        "whether torch tracks gradients": torch.is_grad_enabled(),
        "NumPy's handling of arithmetic errors": np.geterr(),
    }


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
