"""A talking picture in a window: what is drawn, how it ends, and a window that a display shows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

import headmotion as hm
from headmotion.cli.main import cli
from headmotion.live import Window, WindowClosed
from headmotion.renderers.portrait.portrait import Portrait
from headmotion.studio.face_packet import portrait_spec
from headmotion.studio.faces import bundled_face, landmarks68

SIDE = 512


class FakeDisplay:
    """Takes the place of tkinter, and keeps the pictures that it is shown."""

    class TclError(Exception):
        pass

    def __init__(self) -> None:
        self.pictures: list[np.ndarray] = []
        self.is_open = True

    def Tk(self) -> Any:
        nothing = lambda *arguments, **options: None  # noqa: E731
        return SimpleNamespace(
            title=nothing, resizable=nothing, update=nothing, destroy=self._close, winfo_exists=self._check
        )

    def PhotoImage(self, master: Any) -> Any:
        return SimpleNamespace(configure=self._show)

    def Label(self, *arguments: Any, **options: Any) -> Any:
        return SimpleNamespace(pack=lambda: None)

    def _show(self, data: bytes, width: int, height: int) -> None:
        self._check()
        head = f"P6 {width} {height} 255\n".encode()
        assert data.startswith(head)
        self.pictures.append(np.frombuffer(data[len(head) :], np.uint8).reshape(height, width, 3))

    def _check(self) -> None:
        if not self.is_open:
            raise self.TclError("application has been destroyed")

    def _close(self) -> None:
        self._check()
        self.is_open = False


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> FakeDisplay:
    fake = FakeDisplay()
    monkeypatch.setitem(sys.modules, "tkinter", fake)
    return fake


def talking_window() -> Window:
    face = bundled_face()
    return Window(Portrait(portrait_spec(face.picture, "head"), landmarks68()), "landmarks68", face.picture, face.pose)


def opened(pixels: float) -> hm.Motion:
    """One frame of the bundled face with its lower lip moved down."""
    pose = bundled_face().pose.copy()
    pose[[55, 56, 57, 58, 59, 65, 66, 67], 1] += pixels
    return hm.Motion(pose[None], fps=25, reference=bundled_face().pose)


def test_each_frame_is_the_picture_of_the_renderer(display: FakeDisplay) -> None:
    frames = [opened(0), opened(12)]
    with closing(talking_window()) as window:
        for k, frame in enumerate(frames):
            window.send(frame, Fraction(k, 25))
    expected = window_pictures(frames)
    np.testing.assert_array_equal(np.stack(display.pictures), np.stack(expected))
    assert (expected[0] != expected[1]).any() and not display.is_open
    window.close()  # again


def test_a_window_that_somebody_closes_is_the_end(display: FakeDisplay) -> None:
    window = talking_window()
    window.send(opened(0), Fraction(0))
    display.is_open = False
    with pytest.raises(WindowClosed):
        window.send(opened(0), Fraction(1, 25))
    window.close()


def test_without_a_display_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tkinter", None)
    with pytest.raises(hm.HeadmotionError, match=r"Python's module tkinter.*headmotion studio"):
        talking_window()
    monkeypatch.undo()
    pytest.importorskip("tkinter", reason="needs python3-tk")
    monkeypatch.setenv("DISPLAY", ":no-such-display")
    with pytest.raises(hm.HeadmotionError, match=r"expected a display, got .*couldn't connect to display"):
        talking_window()


def test_the_command_shows_the_bundled_face_and_blames_no_picture(display: FakeDisplay, tmp_path: Path) -> None:
    speech = tmp_path / "speech.wav"
    soundfile.write(speech, np.random.default_rng(0).normal(0, 0.1, 8_000), 16_000)
    run = CliRunner().invoke(cli, ["mic", "--model", "ms-sync", "--device", "cpu", "--input", str(speech)])
    assert run.exit_code == 0, run.output
    # Half a second is 13 frames, and they differ.
    assert len(display.pictures) == 13 and (display.pictures[0] != display.pictures[-1]).any()
    assert not display.is_open
    run = CliRunner().invoke(cli, ["mic", "--image", str(speech)])
    assert run.exit_code == 2 and "no picture" in run.output
    run = CliRunner().invoke(cli, ["mic", "--vmc", "127.0.0.1:9", "--image", "x"])
    assert run.exit_code == 2


@contextmanager
def x_server() -> Iterator[str]:
    """A display without a screen."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "800x600x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader) as stream:
            yield f":{stream.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="there is no Xvfb (Debian's package xvfb)")
def test_a_real_window_has_the_size_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tkinter", reason="needs python3-tk")
    with x_server() as name:
        monkeypatch.setenv("DISPLAY", name)
        with closing(talking_window()) as window:
            window.send(opened(12), Fraction(0))
            assert (window._root.winfo_width(), window._root.winfo_height()) == (SIDE, SIDE)
            assert window._shown.get(0, 0) == tuple(window_pictures([opened(12)])[0][0, 0])


def window_pictures(frames: list[hm.Motion]) -> list[np.ndarray]:
    face = bundled_face()
    renderer = Portrait(portrait_spec(face.picture, "head"), landmarks68())
    return list(renderer.frames(frames, face.picture, face.pose))
