"""The sheet of pictures: a row per clip, with the frame whose lips differ most from the still picture."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from headmotion.core.interfaces.renderer import Picture

LABEL_HEIGHT, FONT_SCALE = 28, 0.33
"""Of a label, which has two lines."""
Row = Mapping[str, Picture]
"""Pictures ``[H, W, 3]`` by column."""


def write_sheet(path: Path, sheet_rows: Sequence[Row]) -> None:
    """Write rows beneath labels, which are divided at a colon or comma; a picture that a row lacks is white."""
    columns = list(dict.fromkeys(name for row in sheet_rows for name in row))
    height, width, _ = next(iter(sheet_rows[0].values())).shape
    white = np.full((height, width, 3), 255, np.uint8)
    lines = [np.hstack([_label(name, width) for name in columns])]
    lines += [np.hstack([row.get(name, white) for name in columns]) for row in sheet_rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack(lines)).save(path, quality=90)


def spread(items: Sequence[Row], count: int) -> list[Row]:
    """Return ``count`` of sorted items, with both ends."""
    return [items[k] for k in np.unique(np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(int))]


def _label(text: str, width: int) -> Picture:
    label = np.full((LABEL_HEIGHT, width, 3), 255, np.uint8)
    for number, line in enumerate(re.split(r"(?<=[:,]) ", text, maxsplit=1)):
        position = (2, 11 + 12 * number)
        cv2.putText(label, line[:24], position, cv2.FONT_HERSHEY_SIMPLEX, FONT_SCALE, (0, 0, 0), 1, cv2.LINE_AA)
    return label
