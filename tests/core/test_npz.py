import zipfile

import numpy as np
import pytest

from headmotion.core import npz as arrays
from headmotion.core.npz import as_float32, read_arrays, read_shape


@pytest.fixture
def path(tmp_path):
    np.savez(tmp_path / "a.npz", one=np.arange(3), two=np.array("x"), objects=np.array([{}], dtype=object))
    return tmp_path / "a.npz"


def test_only_what_is_asked_for_is_read(path):
    assert list(read_arrays(path, "two", "one", "three")) == ["two", "one"]
    assert read_arrays(path, "one")["one"].tolist() == [0, 1, 2]


def test_pickles_are_refused(path):
    with pytest.raises(ValueError, match=r"objects instead of numbers in objects\.npy, which are not unpickled"):
        read_arrays(path, "objects")


def test_size_is_checked_before_reading(path, monkeypatch):
    monkeypatch.setattr(arrays, "ARRAY_BYTES", 150)
    with pytest.raises(ValueError, match=r"152 bytes in one\.npy; .*HEADMOTION_LIMIT_FACTOR"):
        read_arrays(path, "one")
    monkeypatch.setenv("HEADMOTION_LIMIT_FACTOR", "1.1")
    assert len(read_arrays(path, "one")["one"]) == 3


def test_the_size_is_that_after_conversion(path, monkeypatch):
    np.savez(path, one=np.zeros(400, np.uint8))
    monkeypatch.setattr(arrays, "ARRAY_BYTES", 1599)
    with pytest.raises(ValueError, match=r"1,600 bytes in one\.npy"):
        read_arrays(path, "one")


@pytest.mark.parametrize("content", [b"", b"PK", b"\x93NUMPY" + bytes(99), b"text"])
def test_what_is_no_archive_is_refused_and_closed(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"not an \.npz that can be read"):
        read_arrays(tmp_path / "a.npz", "one")


def test_a_damaged_member_is_refused(path):
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("one.npy").header_offset + 60
    content = bytearray(path.read_bytes())
    content[start : start + 20] = bytes(20)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"not an \.npz that can be read"):
        read_arrays(path, "one")


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "a.npz", "one")


def test_real_numbers_alone_become_floats():
    assert as_float32([1, 2.5]).dtype == np.float32
    assert np.isinf(as_float32([1e300]))
    for values in (["1"], [None], [1j], [True], [[1], [1, 2]], [10**400]):
        with pytest.raises(ValueError):
            as_float32(values)


def test_a_header_is_not_read_whatever_its_length(path):
    """Two megabytes of compressed spaces took two gigabytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("values.npy", b"\x93NUMPY\x02\x00" + (1 << 20).to_bytes(4, "little") + b" " * (1 << 20))
    for read in (read_arrays, read_shape):
        with pytest.raises(ValueError, match="a header of 1,048,576 bytes in values"):
            read(path, "values")
