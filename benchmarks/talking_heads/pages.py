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
    begin, finish = f"<!-- {name} -->\n", f"<!-- end of {end or name} -->\n"
    before, marker, remainder = page.read_text("utf-8").partition(begin)
    _, found_end, after = remainder.partition(finish)
    if not (marker and found_end):
        raise hm.HeadmotionError("page", f"the marks {begin.strip()} and {finish.strip()}", f"none in {page}")
    text = before + begin + "\n" + "\n".join(lines).rstrip("\n") + "\n\n" + finish + after
    with atomic_output(page) as temporary:
        write_text(temporary, text)
