"""Checks of readers and writers of motion files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...core.errors import HeadmotionError, MotionError
from ...core.interfaces.specs import BuildContext, resolve_spec
from ...core.motion import Motion
from ...core.plugins import registry
from ...core.short_repr import shown
from ...core.spec import required_fields
from ..build_context import Subject
from ..inputs import motion
from ..kit import NotApplicable, check
from ..offer import Offer

FRAMES = 5
"""Frames of the motion that is written."""
OTHER_FILES = {"an empty file": b"", "a file of text": b"hello\n", "a file of bytes": bytes(range(256))}
"""Files that no reader is for."""


@check("writer", 1, "Write the file to the given path; raise headmotion.MotionError for motions that it cannot hold.")
def writer_writes_a_file(subject: Offer) -> None:
    """A motion becomes a file that is not empty, or a `MotionError` says that the format cannot hold it."""
    with _written(subject.name) as path:
        assert path.is_file() and path.stat().st_size, "no file, or an empty one"


@check("reader", 1, "Return an hm.Motion with as many frames as the file has.")
def reader_reads_what_the_writer_wrote(subject: Offer) -> None:
    """A file of the writer for the same suffix gives a motion with as many frames."""
    if subject.name not in registry().motion_writers:
        raise NotApplicable("there is no writer for the suffix")
    with _written(subject.name) as path:
        read = subject.value(path)
        assert isinstance(read, Motion), f"the reader returned {shown(read)}"
        assert len(read) == FRAMES, f"{len(read)} frames, but {FRAMES} were written"


@check("reader", 3, "Catch errors of parsing, and raise headmotion.MotionError with the path and the reason from None.")
def reader_refuses_other_files(subject: Offer) -> None:
    """A file without a motion is a `MotionError`, and no other exception."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in OTHER_FILES.items():
            path = Path(folder) / f"other{subject.name}"
            path.write_bytes(content)
            try:
                read = subject.value(path)
            except HeadmotionError:
                continue
            except Exception as error:
                raise AssertionError(f"{name}: {type(error).__name__}: {error}") from None
            assert isinstance(read, Motion), f"{name}: the reader returned {shown(read)}"


@contextmanager
def _written(suffix: str) -> Iterator[Path]:
    """Yield a file of a suffix with a motion of the first representation that its writer can hold."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"motion{suffix}"
        for name in registry().types("representation"):
            cls = registry().resolve("representation", name)
            if required_fields(cls) and not cls.for_checks:
                continue
            spec = resolve_spec("representation", {"type": name, **cls.for_checks})
            try:
                registry().motion_writers[suffix](motion(Subject(spec, BuildContext(spec.build(), 1)), FRAMES), path)
            except MotionError:  # the format cannot hold it, or the representation is not fitted
                continue
            yield path
            return
        raise NotApplicable("the writer refuses motions of all representations that can be built by their type")
