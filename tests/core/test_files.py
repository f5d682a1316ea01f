import os
import stat

import pytest

from headmotion.core.files import atomic_output


def test_appears_whole_in_new_folders(tmp_path):
    target = tmp_path / "a" / "b" / "motion.npz"
    with atomic_output(target) as temporary:
        assert temporary.suffix == ".npz"
        assert temporary.parent == target.parent
        temporary.write_bytes(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    target = tmp_path / "kept.json"
    target.write_text("old")
    with pytest.raises(error), atomic_output(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_writer_may_replace_the_temporary_file(tmp_path):
    with atomic_output(tmp_path / "x.bin") as temporary:
        temporary.unlink()
        temporary.write_bytes(b"anew")
    assert (tmp_path / "x.bin").read_bytes() == b"anew"


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic_output(tmp_path / "x"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


def test_any_name_that_the_file_system_takes(tmp_path):
    target = tmp_path / ("é" * 120 + ".npz")
    with atomic_output(target) as temporary:
        temporary.write_bytes(b"x")
    assert target.exists()
