"""Frames that other programs receive, each at its time, and a microphone that is not there."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner

import headmotion as hm
from headmotion.cli import cli
from headmotion.export.live_link import SHAPES
from headmotion.live import LiveLinkSender, VmcSender, microphone, run_live
from headmotion.live.live_link_sender import PACKET_SHAPES
from headmotion.live.run_live import in_real_time
from headmotion.media.audio import Audio
from headmotion.representations.blendshapes import NAMES


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    """A UDP socket of the program that shows the face."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", 0))
        own.settimeout(10)
        yield own


def face(**weights: float) -> hm.Motion:
    """One frame of blend shapes."""
    values = torch.tensor([weights.get(name, 0.0) for name in NAMES])
    return hm.Motion(values.reshape(1, -1, 1), Fraction(25), {"type": "blendshapes"}, units="unit")


def test_a_vmc_bundle_has_every_blend_shape_by_name(receiver: socket.socket) -> None:
    osc_bundle = pytest.importorskip("pythonosc.osc_bundle", reason="needs the extra live")
    with closing(VmcSender(*receiver.getsockname())) as sender:
        sender.send(face(jawOpen=0.5, mouthClose=1.5), Fraction(3, 25))
    bundle = osc_bundle.OscBundle(receiver.recv(1 << 16))
    messages = [(message.address, *message.params) for message in bundle]
    weights = {name: weight for address, name, weight in messages[:52] if address == "/VMC/Ext/Blend/Val"}
    assert weights == {name: 0.0 for name in NAMES} | {"jawOpen": 0.5, "mouthClose": 1.0}
    assert [address for address, *_ in messages[52:]] == ["/VMC/Ext/Blend/Apply", "/VMC/Ext/T", "/VMC/Ext/OK"]
    assert messages[-2][1] == pytest.approx(0.12) and messages[-1][1] == 1


def test_a_live_link_packet_is_read_field_by_field(receiver: socket.socket) -> None:
    host, port = receiver.getsockname()
    with closing(LiveLinkSender(host, port, "me")) as sender:
        sender.send(face(jawOpen=0.5, jawLeft=0.25), Fraction(7, 50))
    data = receiver.recv(1 << 16)
    assert data[0] == 6
    (length,) = struct.unpack_from("!i", data, 1)
    (subject_length,) = struct.unpack_from("!i", data, 5 + length)
    start = 9 + length + subject_length
    assert data[start - subject_length : start] == b"me"
    number, fraction, numerator, denominator, count = struct.unpack_from("!ifiiB", data, start)
    assert (number, fraction, numerator, denominator, count) == (3, 0.5, 25, 1, 61)
    values = struct.unpack("!61f", data[start + 17 :])
    # Places in Unreal Engine's enumeration EARFaceBlendShape.
    assert (values[15], values[17]) == (0.25, 0.5) and sum(values) == 0.75
    assert sorted(PACKET_SHAPES) == sorted(SHAPES) and PACKET_SHAPES[21:23] == ("MouthLeft", "MouthRight")


class Clock:
    """Time that passes in sleep only."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_frames_are_those_of_a_session_each_at_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(sys.modules["headmotion.live.run_live"], "time", clock)
    pipe = hm.build({"generator": {"type": "ms-sync", "preset": "small"}}, device="cpu")
    speech = Audio(np.random.default_rng(0).normal(0, 0.1, 12_800).astype(np.float32), 16_000)
    shown: list[tuple[float, Fraction, torch.Tensor]] = []

    class Recorder:
        def send(self, frame: hm.Motion, time: Fraction) -> None:
            shown.append((clock.now, time, frame.values))

    count = run_live(pipe.stream(None, 16_000), in_real_time(speech), [Recorder()])
    assert count == len(shown) == 20
    expected = pipe.generate(speech).values
    torch.testing.assert_close(torch.cat([values for *_, values in shown]), expected, atol=1e-5, rtol=0)
    assert [stamp for _, stamp, _ in shown] == [Fraction(k, 25) for k in range(20)]
    start = shown[0][0]
    assert start > 100, "the first frame needs speech first"
    assert [now - start for now, *_ in shown] == pytest.approx([float(stamp) for _, stamp, _ in shown], abs=0.021)


def test_a_microphone_gives_blocks_and_says_what_was_lost(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class InputStream:
        def __init__(self, *, blocksize: int, callback: Callable[..., None], **options: Any) -> None:
            self.size, self.callback, self.options = blocksize, callback, options

        def __enter__(self) -> None:
            for k in range(2):
                block = np.full((self.size, 1), k / 2, np.float32)
                self.callback(block, self.size, None, SimpleNamespace(input_overflow=k == 1))

        def __exit__(self, *exception: object) -> None:
            pass

    fake = SimpleNamespace(InputStream=InputStream, PortAudioError=OSError)
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    blocks = microphone(rate=8000, block_ms=10)
    assert [float(next(blocks).mean()) for _ in range(2)] == [0, 0.5]
    assert "samples were lost" in caplog.text


def test_what_is_missing_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(hm.AudioError, match="headmotion\\[live\\]"):
        next(microphone())
    with pytest.raises(hm.HeadmotionError, match="live link: expected the address of a receiver"):
        LiveLinkSender("no.such.host.invalid", 1)


def test_blinks_reach_another_program(receiver: socket.socket, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(16_000), 16_000)
    host, port = receiver.getsockname()
    arguments = ["mic", "--input", str(tmp_path / "silence.wav"), "--live-link", f"{host}:{port}", "--blink", "60"]
    result = CliRunner().invoke(cli, arguments)
    assert (result.exit_code, result.output) == (0, "listening; the face follows 280 ms behind. Ctrl-C ends.\n")
    weights = [struct.unpack("!61f", receiver.recv(1 << 16)[-244:]) for _ in range(25)]
    assert max(frame[PACKET_SHAPES.index("EyeBlinkLeft")] for frame in weights) > 0.99


def test_nothing_listens_without_a_microphone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    result = CliRunner().invoke(cli, ["mic", "--vmc", "127.0.0.1:39539"])
    assert isinstance(result.exception, hm.AudioError) and not result.output
