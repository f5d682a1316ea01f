import os
import stat
import subprocess
import sys

import pytest

from headmotion.core.files import atomic_folder, atomic_output


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


def test_failure_takes_away_the_folders_that_it_made(tmp_path):
    (tmp_path / "old").mkdir()
    for target in (tmp_path / "old" / "a" / "b" / "x.bin", tmp_path / "c" / "x.bin"):
        with pytest.raises(ValueError), atomic_output(target):
            raise ValueError
    assert list(tmp_path.rglob("*")) == [tmp_path / "old"]


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


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_appears_whole(tmp_path, there):
    target = tmp_path / "a" / "frames"
    if there:
        target.mkdir(parents=True)
    with atomic_folder(target) as temporary:
        assert temporary.parent == target.parent
        (temporary / "0.png").write_bytes(b"first")
        assert target.exists() == there
        assert not there or not list(target.iterdir())
    assert [each.name for each in target.iterdir()] == ["0.png"]
    assert list(target.parent.iterdir()) == [target]


def test_a_failure_leaves_no_folder(tmp_path):
    with pytest.raises(KeyboardInterrupt), atomic_folder(tmp_path / "frames") as temporary:
        (temporary / "0.png").write_bytes(b"first")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_not_replaced(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "old").write_text("old")
    with pytest.raises(OSError, match="kept"), atomic_folder(tmp_path / "kept"):
        pass
    assert [each.name for each in tmp_path.rglob("*")] == ["kept", "old"]


KILLED = """
import os, pathlib, signal, sys
from headmotion.core import files
with getattr(files, sys.argv[1])(sys.argv[2]) as temporary:
    (temporary / "0.png" if temporary.is_dir() else temporary).write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="processes can be asked for on POSIX only")
@pytest.mark.parametrize(("kind", "name"), [(atomic_output, "a[1].mp4"), (atomic_folder, "stills")])
def test_what_a_killed_process_left_goes_with_the_next_output_of_the_same_name(tmp_path, kind, name):
    for each in (name, "other.mp4"):
        subprocess.run([sys.executable, "-c", KILLED, kind.__name__, str(tmp_path / each)], check=False)
    assert len(list(tmp_path.iterdir())) == 2
    with kind(tmp_path / name) as busy, kind(tmp_path / name):
        assert busy.exists()  # that of a living process stays
        assert len(list(tmp_path.iterdir())) == 3
    assert sorted(path.name[0] for path in tmp_path.iterdir()) == sorted([".", name[0]])
