"""Checks of what is around a part: the working folder, and settings of the process."""

from __future__ import annotations

import tempfile
from contextlib import chdir
from pathlib import Path
from typing import Any

from ...core.errors import describe
from ...core.process_settings import read_settings
from ...core.spec import leaves
from ..build_context import Subject
from ..inputs import assert_close
from ..kit import NotApplicable, check
from ..outputs import output_on_fixed_inputs


@check("", 2, "Find files of the package by Path(__file__).with_name(...), and name all others in the spec.")
def folder_does_not_matter(subject: Subject) -> None:
    """A part gives the same output in any working folder, unless its spec names a file by a relative path."""
    if any(Path(text).exists() and not Path(text).is_absolute() for text in leaves(subject.spec.model_dump(), str)):
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
    """Neither building nor using a part changes the working folder, or settings of torch, NumPy and the process."""
    before = read_settings()
    part = subject.build()
    _require_same(before, "build")  # at once, because what comes next may fail for it
    output_on_fixed_inputs(subject, part)
    _require_same(before, "its use")


def _require_same(before: dict[str, Any], what: str) -> None:
    now = read_settings()
    changed = [name for name, value in before.items() if now.get(name) != value]
    assert not changed, f"{what} changes {', '.join(changed)}"
