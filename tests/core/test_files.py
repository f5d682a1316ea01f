import errno
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from headmotion.core import files, temporary_paths
from headmotion.core.claims import claimed_folder, claimed_output
from headmotion.core.errors import HeadmotionError
from headmotion.core.files import atomic_folder, atomic_output
from headmotion.core.locks import try_lock


def test_appears_whole_in_new_folders(tmp_path):
    target = tmp_path / "a" / "b" / "motion.npz"
    with atomic_output(target) as temporary:
        assert temporary.suffix == ".npz"
        assert temporary.parent == target.parent
        temporary.write_bytes(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
@pytest.mark.parametrize("kind", ["pipe", "link to a pipe", "link to a device"])
def test_a_device_is_not_replaced_by_a_file(kind, tmp_path):
    target = tmp_path / "out.json"
    os.mkfifo(pipe := target if kind == "pipe" else tmp_path / "pipe")
    if kind != "pipe":
        target.symlink_to(pipe if kind == "link to a pipe" else "/dev/null")
    before = target.lstat()
    with pytest.raises(OSError, match="A device or pipe"), atomic_output(target):
        pass
    assert target.lstat() == before


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
    assert [path.name for path in target.iterdir()] == ["0.png"]
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
    assert [path.name for path in tmp_path.rglob("*")] == ["kept", "old"]


KILLED = """
import os, pathlib, signal, sys
from headmotion.core import files
with getattr(files, sys.argv[1])(sys.argv[2]) as temporary:
    (temporary / "0.png" if temporary.is_dir() else temporary).write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL exists on POSIX only")
@pytest.mark.parametrize(("kind", "name"), [(atomic_output, "a[1].mp4"), (atomic_folder, "stills")])
def test_the_next_output_in_a_folder_removes_what_killed_processes_left(tmp_path, kind, name):
    for other in (name, name, name, "other.mp4", "other.mp4"):
        subprocess.run([sys.executable, "-c", KILLED, kind.__name__, str(tmp_path / other)], check=False)
    assert all(path.name.startswith(".") for path in tmp_path.iterdir()) and list(tmp_path.glob(".*.mp4"))
    with kind(tmp_path / name):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("kind", [atomic_output, atomic_folder])
def test_files_in_use_are_no_leftovers(tmp_path, kind):
    with kind(tmp_path / "a.mp4") as busy:
        if busy.is_file():  # a new file, without a lock of its own
            busy.unlink()
            busy.write_text("anew")
        # Another process, as in another container: it may have any number and any host name.
        code = "import sys; from headmotion.core.files import atomic_output\nwith atomic_output(sys.argv[1]): pass"
        subprocess.run([sys.executable, "-c", code, str(tmp_path / "b.mp4")], check=True)
        assert busy.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


def test_a_lock_that_was_taken_for_a_leftover_is_replaced_by_another(tmp_path, monkeypatch):
    results = iter([False, True, True])
    monkeypatch.setattr(files, "try_lock", lambda descriptor: next(results))
    with atomic_output(tmp_path / "x"):
        assert len(list(tmp_path.iterdir())) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_without_locks_nothing_is_taken_for_a_leftover(tmp_path, monkeypatch):
    def no_locks(descriptor):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(files, "try_lock", no_locks)
    with atomic_output(tmp_path / "a") as busy, atomic_output(tmp_path / "b"):
        assert busy.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_windows_locks_one_byte(tmp_path, monkeypatch):
    held = set()

    def locking(descriptor, mode, count):
        if (mode, count) != ("LK_NBLCK", 1) or held:
            raise PermissionError(errno.EACCES, "Permission denied")
        held.add(descriptor)

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK="LK_NBLCK"))
    with (tmp_path / "lock").open("w") as first, (tmp_path / "lock").open("w") as second:
        assert [try_lock(stream.fileno()) for stream in (first, second)] == [True, False]


def refuse(monkeypatch, module, name, times):
    """Have a function fail ``times`` times, as on Windows while another program has a file open."""
    function, left = getattr(module, name), [times]

    def refusing(*arguments, **options):
        left[0] -= 1
        if left[0] >= 0:
            raise PermissionError(errno.EACCES, "Access is denied", str(arguments[0]))
        return function(*arguments, **options)

    monkeypatch.setattr(module, name, refusing)
    monkeypatch.setattr(files, "_RETRY_WAITS_S", (0, 0, 0))


@pytest.mark.parametrize("kind", [atomic_output, atomic_folder])
def test_an_output_that_is_open_elsewhere_is_replaced_when_it_is_closed(tmp_path, monkeypatch, kind):
    refuse(monkeypatch, os, "replace", 2)
    with kind(tmp_path / "x"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_an_output_that_stays_open_elsewhere_is_one_error(tmp_path, monkeypatch):
    (tmp_path / "x").write_text("old")
    refuse(monkeypatch, os, "replace", 9)
    with pytest.raises(PermissionError, match=r"another program has it open: '.*x'"), atomic_output(tmp_path / "x"):
        pass
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize(
    ("kind", "module", "name"), [(atomic_output, Path, "unlink"), (atomic_folder, shutil, "rmtree")]
)
def test_what_stays_open_elsewhere_is_a_leftover_for_the_next_output(tmp_path, monkeypatch, kind, module, name):
    with monkeypatch.context() as patched:
        refuse(patched, module, name, 4)
        with pytest.raises(KeyError), kind(tmp_path / "x"):
            raise KeyError
    assert len(list(tmp_path.iterdir())) == 2
    with kind(tmp_path / "y"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["y"]


def test_a_folder_with_an_open_file_is_removed_when_that_is_closed(tmp_path, monkeypatch):
    refuse(monkeypatch, shutil, "rmtree", 2)
    (tmp_path / "a" / "b").mkdir(parents=True)
    files.remove_folder(tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_text_is_written_with_the_same_bytes_everywhere(tmp_path):
    files.write_text(tmp_path / "x", "ü\nb\n")
    assert (tmp_path / "x").read_bytes() == "ü\nb\n".encode()
    package = Path(files.__file__).parents[1]
    sources = {path: path.read_text("utf-8") for path in package.rglob("*.py")}
    assert [path for path, text in sources.items() if ".write_text(" in text] == [package / "core" / "files.py"]
    lines = [line for text in sources.values() for line in text.splitlines()]
    opened = [line for line in lines if re.search(r"""(?<!av)\.open\("[wax]"[^)]*\)""", line)]
    assert [line for line in opened if "newline=" not in line and "devnull" not in line] == []


def test_a_claimed_folder_has_one_writer(tmp_path):
    folder = tmp_path / "run"
    with claimed_folder(folder):
        expected = f"run, which process {os.getpid()} on .* is writing; wait"
        with pytest.raises(HeadmotionError, match=expected), claimed_folder(folder):
            pass
        (folder / "result").touch()
    assert [path.name for path in folder.iterdir()] == ["result"]
    with claimed_folder(folder):
        pass
    (folder / ".headmotion-claim").write_text("of a process that was killed")
    with claimed_folder(folder):
        pass


def test_a_claimed_output_has_one_writer_and_may_still_be_moved_into_place(tmp_path):
    output = tmp_path / "new" / "report"
    with claimed_output(output):
        expected = f"report, which process {os.getpid()} on .* is writing; wait"
        with pytest.raises(HeadmotionError, match=expected), claimed_output(output):
            pass
        with claimed_output(output.with_name("other")), atomic_folder(output) as folder:
            (folder / "result").touch()
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == [
        "new",
        "new/report",
        "new/report/result",
    ]
    with pytest.raises(KeyError), claimed_output(tmp_path / "failed" / "report"):
        raise KeyError
    assert not (tmp_path / "failed").exists()


KILLED_AT = """
import os, pathlib, signal, sys
from headmotion.core import files
changes, last = 0, int(sys.argv[3])

def count(event, arguments):
    global changes
    if event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir") or event == "open" and arguments[2] & os.O_RDWR:
        changes += 1
        if changes == last:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
with getattr(files, sys.argv[1])(sys.argv[2]) as temporary:
    (temporary / "0.png" if temporary.is_dir() else temporary).write_text("whole")
sys.exit(3)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL exists on POSIX only")
@pytest.mark.parametrize("kind", [atomic_output, atomic_folder])
def test_a_process_killed_after_it_has_published_leaves_nothing_else(tmp_path, kind):
    """At whichever change it is killed: once the output is there nothing else is, and before, the next removes all."""
    published = 0
    for last in range(1, 20):
        folder = tmp_path / str(last)
        folder.mkdir()
        command = [sys.executable, "-c", KILLED_AT, kind.__name__, str(folder / "made"), str(last)]
        status = subprocess.run(command, check=False).returncode
        names = [path.name for path in folder.iterdir()]
        if "made" in names:
            assert names == ["made"]
            published += 1
        with atomic_output(folder / "next"):
            pass
        assert {path.name for path in folder.iterdir()} <= {"made", "next"}
        if status == 3:
            break
    else:
        raise AssertionError("it has no end")
    assert published >= 1


@pytest.mark.skipif(os.name != "posix", reason="a folder is locked itself on POSIX only")
@pytest.mark.parametrize("kind", [atomic_output, atomic_folder])
def test_what_is_being_moved_is_no_leftover(tmp_path, monkeypatch, kind):
    def replace(source, target):
        assert not list(tmp_path.glob(".headmotion-lock-*"))
        temporary_paths.remove_leftovers(tmp_path)  # as another process does it, whose descriptors are its own
        source.rename(target)

    monkeypatch.setattr(files, "replace", replace)
    with kind(tmp_path / "x"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.skipif(os.name != "posix", reason="links need no rights on POSIX")
def test_a_claim_does_not_follow_a_link(tmp_path):
    """It would empty the file that the link of a folder from elsewhere names."""
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".headmotion-claim").symlink_to("../victim")
    with pytest.raises(HeadmotionError, match=r"a link in .*run; remove it"), claimed_folder(tmp_path / "run"):
        pass
    assert (tmp_path / "victim").read_text() == "precious"


def test_the_next_output_removes_claims_of_processes_that_were_killed(tmp_path):
    with claimed_output(tmp_path / "held"):
        for name in (".headmotion-claim", ".headmotion-claim-0123456789abcdef"):
            (tmp_path / name).write_text("process 1 on other")
        with atomic_output(tmp_path / "x"):
            pass
        assert len(list(tmp_path.glob(".headmotion-claim*"))) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("kind", [atomic_output, atomic_folder])
def test_a_full_disk_is_an_error_that_names_the_output(tmp_path, kind):
    """The system's error of a write has no name, and a program may have several outputs."""
    with pytest.raises(OSError, match=r"No space left on device: '.*made'"), kind(tmp_path / "made"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(OSError, match="input"), kind(tmp_path / "made"):
        raise OSError(errno.EIO, os.strerror(errno.EIO), "input")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "SEEK_DATA"), reason="the system cannot tell")
@pytest.mark.parametrize("inner", ["", "results/report.json"])
def test_an_error_names_the_output_and_not_its_temporary_path(tmp_path, inner):
    output = atomic_folder if inner else atomic_output
    with pytest.raises(OSError) as caught, output(tmp_path / "out") as temporary:
        raise OSError(errno.ENOSPC, "No space left on device", str(temporary / inner))
    assert caught.value.filename == str(tmp_path / "out" / inner)
    with pytest.raises(PermissionError) as other, output(tmp_path / "out"):
        raise PermissionError(errno.EACCES, "Permission denied", "elsewhere")
    assert other.value.filename == "elsewhere"


def test_a_part_that_was_never_written_is_a_hole(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(1 << 17))
    assert not files.has_hole(path, 1 << 16)  # zeros, but written
    os.truncate(path, 1 << 40)
    assert files.has_hole(path, 1 << 30) and not files.has_hole(path, 1 << 41)
    with path.open("r+b") as stream:
        stream.seek(1 << 39)
        stream.write(b"x")
    assert files.has_hole(path, 1 << 38) and not files.has_hole(path, 1 << 40)
