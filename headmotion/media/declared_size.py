"""The size of an audio file by its own header, from which one that was cut short is known before it is decoded."""

from __future__ import annotations

import struct
from typing import BinaryIO

_RIFF_HEADS = (b"RIFF", b"RIFX", b"RF64", b"FORM")
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


def declared_size(file: BinaryIO, head: bytes, size: int) -> int:
    """Return how many bytes a file says that it has; 0 if its format or its header does not say.

    Args:
        file: the file, which is read from.
        head: its first 12 bytes.
        size: bytes that there are.
    """
    if head.startswith(_RIFF_HEADS):
        return _riff_size(file, ">" if head[:4] in (b"RIFX", b"FORM") else "<")
    return _mp4_size(file, size) if head[4:8] in _MP4_BOXES else 0


def _riff_size(file: BinaryIO, order: str) -> int:
    """Return the bytes up to the end of the samples; 0 where a header written to a pipe leaves the length open."""
    wide, position = 0, 12
    for _ in range(1000):
        file.seek(position)
        if len(chunk := file.read(8)) < 8:
            break
        kind, length = struct.unpack(order + "4sI", chunk)
        if kind == b"ds64" and len(sizes := file.read(16)) == 16:
            wide = struct.unpack("<8xQ", sizes)[0]
        if kind in (b"data", b"SSND"):
            # Programs that cannot seek back leave 0, 0xFFFFFFFF, or (sox, arecord) about 0x7FFFFFFF here.
            is_open = length == 0 or length >= 0x7FFFF000
            return position + 8 + (wide if is_open else length) if wide or not is_open else 0
        position += 8 + length + length % 2
    return 0


def _mp4_size(file: BinaryIO, size: int) -> int:
    """Return the bytes up to the end of the last box that matters."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        length, kind = struct.unpack(">I4s", file.read(8))
        if length == 1 and len(wide := file.read(8)) == 8:
            length = struct.unpack(">Q", wide)[0]
        if length < 8:  # 0: up to the end of the file
            return 0
        position += length
        if position > size:
            return position if kind in (b"mdat", b"moov", b"moof") else 0
    return position
