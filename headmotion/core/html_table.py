"""A table as HTML, as notebooks show objects; without style of its own, so that it looks like the notebook's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

MAX_CELL = 200
"""Letters of a cell."""


def html_table(title: str, header: Sequence[str], rows: Mapping[str, Iterable[str]], note: str = "") -> str:
    """Return a table.

    Args:
        title: above the table.
        header: names of the columns; the first is that of the rows' names.
        rows: further cells by the name of the row.
        note: below the table.
    """
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(
        f"<tr><th>{escape(name[:MAX_CELL])}</th>{''.join(f'<td>{escape(cell[:MAX_CELL])}</td>' for cell in cells)}</tr>"
        for name, cells in rows.items()
    )
    caption = f"<caption><b>{escape(title)}</b></caption>"
    foot = f"<p>{escape(note)}</p>" if note else ""
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{foot}"
