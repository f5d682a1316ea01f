"""Blocks of pages that a benchmark writes, between two marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import headmotion as hm
from headmotion.core.files import atomic_output, write_text


def replace_block(page: Path, name: str, lines: Sequence[str], end: str | None = None) -> None:
    """Replace what is between ``<!-- NAME -->`` and ``<!-- end of END -->`` of a page; END is NAME by default.

    Raises:
        HeadmotionError: the page has no such marks.
    """
    before, _, after = _parts(page, name, end or name)
    text = before + "\n" + "\n".join(lines).rstrip("\n") + "\n\n" + after
    with atomic_output(page) as temporary:
        write_text(temporary, text)


def read_block(page: Path, name: str) -> list[str]:
    """Return the lines of a block with its marks, for a page of which the rest is written anew.

    Raises:
        HeadmotionError: the page has no such marks.
    """
    _, block, _ = _parts(page, name, name)
    return [f"<!-- {name} -->", *block.rstrip("\n").split("\n"), "", f"<!-- end of {name} -->"]


def _parts(page: Path, name: str, end: str) -> tuple[str, str, str]:
    """Return what is before a block, with its first mark, the block, and what is after it, with its second mark."""
    begin, finish = f"<!-- {name} -->\n", f"<!-- end of {end} -->\n"
    before, marker, remainder = page.read_text("utf-8").partition(begin)
    block, found_end, after = remainder.partition(finish)
    if not (marker and found_end):
        raise hm.HeadmotionError("page", f"the marks {begin.strip()} and {finish.strip()}", f"none in {page}")
    return before + begin, block, finish + after
