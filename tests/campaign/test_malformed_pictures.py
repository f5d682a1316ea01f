"""Pictures made wrong by hand, and odd ones that are right."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from judge import Judge
from PIL import Image, PngImagePlugin

from benchmarks.stress.good_files import portrait

Write = Callable[[Path], object]


def chunk(kind: bytes, data: bytes, crc: int | None = None) -> bytes:
    return (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) if crc is None else crc)
    )


def png(
    width: int = 96, height: int = 96, depth: int = 8, color: int = 0, between: bytes = b"", data: bytes | None = None
) -> Write:
    """A PNG of a grey plane, whose header says whatever one likes."""
    rows = zlib.compress((b"\0" + bytes(96)) * 96) if data is None else data
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width & 0xFFFFFFFF, height & 0xFFFFFFFF, depth, color, 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + head + between + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return lambda path: path.write_bytes(content)


def saved(format: str, picture: Callable[[], Image.Image] = portrait, **options: Any) -> Write:
    return lambda path: picture().save(path, format, **options)


def edited(write: Write, edit: Callable[[bytes], bytes]) -> Write:
    def save(path: Path) -> None:
        write(path)
        path.write_bytes(edit(path.read_bytes()))

    return save


def replaced(write: Write, old: bytes, new: bytes) -> Write:
    """With the bytes at ``old`` overwritten."""

    def edit(good: bytes) -> bytes:
        at = good.index(old)
        return good[:at] + new + good[at + len(new) :]

    return edited(write, edit)


def jpeg_of(width: int, height: int) -> Write:
    """A JPEG whose frame header declares another size."""

    def edit(good: bytes) -> bytes:
        at = good.index(b"\xff\xc0") + 5
        return good[:at] + struct.pack(">HH", height, width) + good[at + 4 :]

    return edited(saved("JPEG"), edit)


def bomb(edge: int) -> Write:
    """A PNG of a few kilobytes that really holds so many black pixels."""

    def write(path: Path) -> None:
        packer = zlib.compressobj(1)
        rows = bytes((1 + edge // 8) * 1000)
        data = b"".join(packer.compress(rows) for _ in range(edge // 1000)) + packer.flush()
        png(edge, edge, depth=1, data=data)(path)

    return write


def written_by_opencv(values: np.ndarray[Any, Any]) -> Write:
    return lambda path: path.write_bytes(cv2.imencode(path.suffix, values)[1].tobytes())


REFUSED: dict[str, Write] = {
    "empty.png": lambda path: path.write_bytes(b""),
    "only the signature.png": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n"),
    "text.png": lambda path: path.write_text("no picture\n" * 300),
    "zeros.jpg": lambda path: path.write_bytes(bytes(9000)),
    "page.jpg": lambda path: path.write_text("<html>404</html>"),
    "drawing.png": lambda path: path.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>'),
    "document.png": lambda path: path.write_bytes(b"%PDF-1.7\n" * 50),
    "program.png": lambda path: path.write_text(
        "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 96 96\n%%EndComments\n(made) (w) file\n%%EOF\n"
    ),
    "bad check sum of the header.png": edited(png(), lambda good: good[:29] + bytes(4) + good[33:]),
    "no end.png": edited(saved("PNG"), lambda good: good[:-3000]),
    "0 x 96.png": png(0),
    "20000 x 20000 in the header.png": png(20_000, 20_000),
    "2^31 x 2^31 in the header.png": png(0x7FFFFFFF, 0x7FFFFFFF),
    "minus 1.png": png(-1, -1),
    "no such color.png": png(color=7),
    "no such depth.png": png(depth=3),
    "pixels that are no zlib.png": png(data=b"pixels" * 100),
    "more than 100 MP.png": bomb(10_008),
    "20000 x 20000.png": bomb(20_000),
    "a text of 100 MB.png": png(between=chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000), 1))),
    "a text of 100 MB in Latin.png": png(between=chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(100_000_000), 1))),
    "no pixels.png": edited(png(), lambda good: good[:33] + chunk(b"IEND", b"")),
    "cut by ten bytes.jpg": edited(saved("JPEG"), lambda good: good[:-10]),
    "cut in the tables.jpg": edited(saved("JPEG"), lambda good: good[:200]),
    "65535 x 65535.jpg": jpeg_of(65535, 65535),
    "0 x 0.jpg": jpeg_of(0, 0),
    "no tables.jpg": edited(saved("JPEG"), lambda good: good[:2] + good[good.index(b"\xff\xc0") :]),
    "only the marker.jpg": lambda path: path.write_bytes(b"\xff\xd8\xff\xe0"),
    "65535 x 65535.gif": replaced(saved("GIF"), b"GIF87a", b"GIF87a" + b"\xff" * 4),
    "no pictures.gif": lambda path: path.write_bytes(b"GIF89a\x10\0\x10\0\0\0\0;"),
    "16384 x 16384.webp": lambda path: path.write_bytes(
        b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(4) + b"\xff\x3f\0" * 2
    ),
    "a list in a circle.tiff": lambda path: path.write_bytes(b"II*\0\x08\0\0\0\0\0\x08\0\0\0"),
    "pixels beyond the end.tiff": edited(saved("TIFF"), lambda good: good[:9000]),
    "2^31 high.bmp": lambda path: path.write_bytes(
        b"BM" + struct.pack("<IIIIiiHHIIiiII", 60, 0, 54, 40, 96, -(1 << 31), 1, 24, 0, 0, 0, 0, 0, 0)
    ),
    "10^16 pixels.ppm": lambda path: path.write_bytes(b"P6 99999999 99999999 255\n" + bytes(99)),
    "no values.ppm": lambda path: path.write_bytes(b"P6 96 96 0\n" + bytes(96 * 96 * 3)),
    "nothing but an icon.ico": lambda path: path.write_bytes(b"\0\0\1\0\xff\xff" + bytes(160)),
    "2 x 2.png": saved("PNG", lambda: portrait().resize((2, 2))),
    "a palette that is not there.png": png(color=3),
}


SCRAMBLED = edited(saved("TIFF", compression="tiff_lzw"), lambda good: good[:5000] + b"\xff" * 900 + good[5900:])
"""Of which libtiff would complain by itself."""


@pytest.mark.parametrize("name", REFUSED)
def test_no_picture(name: str, good: Mapping[str, bytes], workdir: Path, judge: Judge) -> None:
    for needed in ("speech.wav", "pose.npz", "model.safetensors"):
        (workdir / needed).write_bytes(good[needed])
    REFUSED[name](workdir / name)
    judge.refused(*_animate(name))


def grey16() -> Image.Image:
    return Image.fromarray(np.asarray(portrait().convert("L")).astype(np.uint16) * 257)


def turned() -> dict[str, Any]:
    exif = Image.Exif()
    exif[0x0112] = 6
    return {"exif": exif}


def see_through() -> Image.Image:
    picture = portrait().convert("RGBA")
    picture.putalpha(picture.convert("L"))
    return picture


def commented() -> dict[str, Any]:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Comment", "ä" * 1000)
    return {"pnginfo": info}


def two_frames() -> dict[str, Any]:
    return {"save_all": True, "append_images": [portrait()]}


def stray_exif() -> dict[str, Any]:
    return {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\x63\0\0\0\0\0\0"}


ACCEPTED: dict[str, Write] = {
    "grey.png": saved("PNG", lambda: portrait().convert("L")),
    "black and white.png": saved("PNG", lambda: portrait().convert("1")),
    "palette.png": saved("PNG", lambda: portrait().convert("P")),
    "palette with transparency.png": saved("PNG", lambda: portrait().convert("P"), transparency=0),
    "palette with graded transparency.png": saved(
        "PNG", lambda: portrait().convert("P"), transparency=bytes(range(99))
    ),
    "grey with alpha.png": saved("PNG", lambda: see_through().convert("LA")),
    "alpha.png": saved("PNG", see_through),
    "alpha.webp": saved("WEBP", see_through),
    "grey of 16 bits.png": saved("PNG", grey16),
    "color of 16 bits.png": written_by_opencv(np.full((96, 96, 3), 40_000, np.uint16)),
    "color and alpha of 16 bits.png": written_by_opencv(np.full((96, 96, 4), 40_000, np.uint16)),
    "grey of 16 bits.tiff": saved("TIFF", grey16),
    "floats.tiff": saved("TIFF", lambda: portrait().convert("F")),
    "whole numbers.tiff": saved("TIFF", lambda: portrait().convert("I")),
    "inks.tiff": saved("TIFF", lambda: portrait().convert("CMYK")),
    "Lab.tiff": saved("TIFF", lambda: Image.new("LAB", (96, 96))),
    "inks.jpg": saved("JPEG", lambda: portrait().convert("CMYK")),
    "grey.jpg": saved("JPEG", lambda: portrait().convert("L")),
    "progressive.jpg": saved("JPEG", progressive=True),
    "on its side.jpg": saved("JPEG", **turned()),
    "no such orientation.jpg": saved("JPEG", **stray_exif()),
    "damaged EXIF.jpg": saved("JPEG", exif=b"Exif\0\0garbage" * 9),
    "damaged color profile.png": saved("PNG", icc_profile=b"garbage" * 9),
    "commented.png": saved("PNG", **commented()),
    "moving.gif": saved("GIF", **two_frames()),
    "moving.png": saved("PNG", **two_frames()),
    "moving.webp": saved("WEBP", **two_frames()),
    "garbage behind.png": edited(saved("PNG"), lambda good: good + bytes(3000)),
    "garbage behind.jpg": edited(saved("JPEG"), lambda good: good + bytes(3000)),
    "jpeg.png": saved("JPEG"),
    "png.jpg": saved("PNG"),
    "no suffix": saved("PNG"),
    "odd size.png": saved("PNG", lambda: portrait().resize((97, 95))),
    "3000 x 60.png": saved("PNG", lambda: Image.new("RGB", (3000, 60))),
    "picture.bmp": saved("BMP"),
    "picture.ppm": saved("PPM"),
    "picture.tga": saved("TGA"),
    "picture.jp2": saved("JPEG2000"),
    # Pillow shows what there is.
    "bad check sum of the pixels.png": edited(saved("PNG"), lambda good: good[:-16] + bytes(4) + good[-12:]),
    "half the pixels.png": png(96, 192),
    "three times as high.jpg": jpeg_of(96, 288),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_odd_picture(name: str, good: Mapping[str, bytes], workdir: Path, judge: Judge) -> None:
    for needed in ("speech.wav", "pose.npz", "model.safetensors"):
        (workdir / needed).write_bytes(good[needed])
    ACCEPTED[name](workdir / name)
    judge.accepted(*_animate(name))


def test_bytes_of_pictures_are_what_their_names_say() -> None:
    """The hand-made PNG is whole when its header tells the truth."""
    path = io.BytesIO()
    png()(type("File", (), {"write_bytes": path.write})())  # type: ignore[arg-type]
    assert Image.open(path).size == (96, 96)


def _animate(name: str) -> list[str]:
    return [
        *["animate", "speech.wav", "--model", "model.safetensors", "--image", name, "--landmarks", "pose.npz"],
        *["-o", "made/talk.mp4", "-q"],
    ]
