import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, features

from headmotion.core.errors import ImageError
from headmotion.media.image import opaque, read_picture, read_reduced

RAMP = np.stack([np.tile(np.arange(0, 240, 10, dtype=np.uint8), (16, 1))] * 3, axis=-1) + np.uint8(5)
RAMP[..., 2] //= 2


def saved(folder, picture, name, **options):
    path = folder / name
    picture.save(path, **options)
    return path


@pytest.mark.parametrize(
    ("name", "options", "allowed"),
    [
        ("a.png", {}, 0),
        ("a.bmp", {}, 0),
        ("a.tiff", {}, 0),
        ("a.webp", {"lossless": True}, 0),
        ("a.webp", {"quality": 95}, 12),
        ("a.jpg", {"quality": 95, "subsampling": 0}, 12),
    ],
)
def test_common_files(tmp_path, name, options, allowed):
    read = read_picture(saved(tmp_path, Image.fromarray(RAMP), name, **options))
    assert read.dtype == np.uint8
    assert read.shape == RAMP.shape
    assert np.abs(read.astype(int) - RAMP).max() <= allowed
    read[0, 0] = 0  # it is the caller's own


def test_grey_of_8_and_16_bits(tmp_path):
    grey = RAMP[..., 0]
    eight = read_picture(saved(tmp_path, Image.fromarray(grey), "a.png"))
    sixteen = read_picture(saved(tmp_path, Image.fromarray(grey.astype(np.uint16) * 257), "b.png"))
    assert np.array_equal(eight, np.stack([grey] * 3, axis=-1))
    assert np.array_equal(sixteen, eight)


def test_palette_and_cmyk(tmp_path):
    palette = Image.fromarray(RAMP).quantize(64)
    assert np.array_equal(read_picture(saved(tmp_path, palette, "a.png")), np.asarray(palette.convert("RGB")))
    inks = Image.fromarray(RAMP).convert("CMYK")
    assert np.abs(read_picture(saved(tmp_path, inks, "a.tiff")).astype(int) - RAMP).max() <= 2


def test_transparency_lies_over_white(tmp_path):
    clear = np.dstack([RAMP, np.zeros(RAMP.shape[:2], np.uint8)])
    clear[:8, :, 3] = 255
    read = read_picture(saved(tmp_path, Image.fromarray(clear), "a.png"))
    assert np.array_equal(read[:8], RAMP[:8])
    assert (read[8:] == 255).all()
    palette = Image.fromarray(RAMP).quantize(8)
    read = read_picture(saved(tmp_path, palette, "b.png", transparency=int(np.asarray(palette)[0, 0])))
    assert (read[0, 0] == 255).all()
    assert (read[0, -1] != 255).any()


def test_alpha_is_kept_on_request(tmp_path):
    clear = np.dstack([RAMP, np.full(RAMP.shape[:2], 90, np.uint8)])
    path = saved(tmp_path, Image.fromarray(clear), "a.png")
    assert np.array_equal(read_picture(path, alpha=True), clear)
    assert np.array_equal(opaque(clear), read_picture(path))
    assert opaque(RAMP) is RAMP
    clear[..., 3] = 255  # nothing is transparent
    assert np.array_equal(read_picture(saved(tmp_path, Image.fromarray(clear), "b.png"), alpha=True), RAMP)
    palette = Image.fromarray(RAMP).quantize(8)
    read = read_picture(saved(tmp_path, palette, "c.png", transparency=int(np.asarray(palette)[0, 0])), alpha=True)
    assert (read[0, 0, 3], read[0, -1, 3]) == (0, 255)


def test_pictures_are_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    read = read_picture(saved(tmp_path, Image.fromarray(RAMP), "a.png", exif=exif))
    assert np.array_equal(read, np.rot90(RAMP, -1))


SMOOTH = np.asarray(Image.fromarray(RAMP).resize((192, 128), Image.Resampling.BICUBIC))


@pytest.mark.parametrize(
    ("edge", "factor"), [(None, 1), (193, 1), (192, 1), (97, 1), (96, 2), (48, 4), (24, 8), (12, 8), (1, 8)]
)
@pytest.mark.parametrize(("name", "mode"), [("a.jpg", "RGB"), ("a.png", "RGB"), ("a.png", "P"), ("a.tiff", "CMYK")])
def test_a_large_picture_is_reduced_as_it_is_read(tmp_path, edge, factor, name, mode):
    path = saved(tmp_path, Image.fromarray(SMOOTH).convert(mode), name, **({"quality": 95} if "jpg" in name else {}))
    read, by = read_reduced(path, edge)
    assert (by, read.shape) == (factor, (128 // factor, 192 // factor, 3))
    means = read_picture(path).reshape(128 // factor, factor, 192 // factor, factor, 3).mean(axis=(1, 3))
    assert np.abs(read - means).mean() < 3


def test_reduced_pictures_are_upright_keep_their_opacity_and_deep_grey(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned, _ = read_reduced(saved(tmp_path, Image.fromarray(SMOOTH), "a.jpg", exif=exif, quality=95), 48)
    assert turned.shape == (48, 32, 3)
    assert np.abs(turned.mean(axis=(1, 2)) - SMOOTH.reshape(128, 48, 4, 3).mean(axis=(0, 2, 3))).max() < 6
    clear = np.dstack([SMOOTH, np.full((128, 192), 90, np.uint8)])
    reduced, _ = read_reduced(saved(tmp_path, Image.fromarray(clear), "b.png"), 48, alpha=True)
    assert reduced.shape == (32, 48, 4)
    assert (reduced[..., 3] == 90).all()
    deep = SMOOTH[..., 0].astype(np.uint16) * 257
    grey, _ = read_reduced(saved(tmp_path, Image.fromarray(deep), "c.png"), 48)
    assert np.abs(grey[..., 0] - SMOOTH[..., 0].reshape(32, 4, 48, 4).mean(axis=(1, 3))).max() <= 1


def test_colors_of_deep_and_transparent_files(tmp_path):
    """Gray with alpha, and gray and color of 16 bits, as PNG; Pillow itself writes no color of 16 bits."""
    gray = Image.fromarray(RAMP[..., 0])
    half = saved(tmp_path, Image.merge("LA", (gray, Image.new("L", gray.size, 128))), "la.png")
    kept = read_picture(half, alpha=True)
    assert kept.shape == (*RAMP.shape[:2], 4)
    assert (kept[..., 3] == 128).all()
    assert np.abs(read_picture(half).astype(float) - (RAMP[..., :1] * (128 / 255) + 127)).max() <= 2
    rows = b"".join(b"\0" + (row.astype(">u2") * 257).tobytes() for row in RAMP)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", RAMP.shape[1], RAMP.shape[0], 16, 2, 0, 0, 0))
    data = header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    assert np.array_equal(read_picture(tmp_path / "deep.png"), RAMP)


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp", "a.tiff"])
def test_the_first_frame_of_an_animated_picture(tmp_path, name):
    still, other = Image.fromarray(RAMP), Image.fromarray(255 - RAMP)
    options = {"lossless": True} if name == "a.webp" else {}
    read = read_picture(saved(tmp_path, still, name, save_all=True, append_images=[other], **options))
    assert np.abs(read.astype(int) - RAMP).mean() < 5


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colors_are_converted_from_the_profile_of_the_file(tmp_path, mode):
    """A profile that takes red for blue, made of that of sRGB by exchanging two of its entries."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = bytearray(srgb.replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be")))
    for first, second in ((b"rXYZ", b"bXYZ"), (b"rTRC", b"bTRC")):
        offsets = srgb.index(first), srgb.index(second)
        swapped[offsets[0] : offsets[0] + 4], swapped[offsets[1] : offsets[1] + 4] = second, first
    picture = Image.fromarray(RAMP).convert(mode)
    if mode == "RGBA":
        picture.putalpha(77)
    read = read_picture(saved(tmp_path, picture, "a.png", icc_profile=bytes(swapped)), alpha=True)
    assert read.shape[2] == len(mode)
    assert np.abs(read[..., :3].astype(int) - RAMP[..., ::-1]).max() <= 2
    assert mode == "RGB" or (read[..., 3] == 77).all()
    for profile in (srgb, b"no profile"):
        read = read_picture(saved(tmp_path, Image.fromarray(RAMP), "b.png", icc_profile=profile))
        assert np.array_equal(read, RAMP)


def test_avif(tmp_path):
    if not features.check("avif"):
        pytest.skip("this Pillow was built without AVIF")
    read = read_picture(saved(tmp_path, Image.fromarray(SMOOTH), "a.avif", quality=95))
    assert np.abs(read.astype(int) - SMOOTH).mean() < 6


def test_heic_is_read_by_content_where_pillow_heif_is_installed(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "a.jpg"
    heif.from_pillow(Image.fromarray(SMOOTH)).save(path, quality=95, format="HEIF")
    assert np.abs(read_picture(path).astype(int) - SMOOTH).mean() < 6


def test_the_remedy_for_heic_and_avif_names_what_reads_them(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf")
    with pytest.raises(ImageError, match=r"a.jpg \(HEIC\).*pip install 'headmotion\[heic\]'"):
        read_picture(tmp_path / "a.jpg")
    (tmp_path / "b").write_bytes(b"\0\0\0\x1cftypavif\0\0\0\0mif1avifmiaf")
    with pytest.raises(ImageError, match="picture"):
        read_picture(tmp_path / "b")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("edge", [12000, 20000, 60000])
def test_pictures_that_are_too_large_are_not_decoded(tmp_path, edge):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", edge, edge, 8, 0, 0, 0, 0))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    with pytest.raises(ImageError, match="at most 100,000,000 pixels"):
        read_picture(tmp_path / "bomb.png")


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_one_clear_line(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ImageError, match="a whole picture") as caught:
        read_picture(tmp_path / "a.png")
    assert "\n" not in str(caught.value)


def test_a_picture_cut_short_is_refused(tmp_path):
    path = saved(tmp_path, Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)), "a.png")
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(ImageError, match="a whole picture"):
        read_picture(path)


def test_no_program_is_run(tmp_path, monkeypatch):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", "EPS")
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *_: pytest.fail("run"))
    with pytest.raises(ImageError, match="a program"):
        read_picture(tmp_path / "a.png")


def test_no_such_file(tmp_path):
    for path in (tmp_path / "missing.png", tmp_path):
        with pytest.raises(ImageError, match="an existing picture file"):
            read_picture(path)
