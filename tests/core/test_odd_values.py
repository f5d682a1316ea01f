"""Values that no program writes and files may hold: each is one error, or does no harm."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.core.errors import MotionError, SpecError
from headmotion.evaluation.report import Report
from headmotion.training.recipe import load_recipe


@pytest.mark.parametrize("side", [0, -1, float("nan"), float("inf"), 1e308, "a", None, [1], True])
def test_a_frame_has_a_size(tmp_path: Path, side: object) -> None:
    hm.Motion(torch.rand(3, 68, 2), 25, {"type": "landmarks68"}, units="px").save(tmp_path / "m.json")
    content = json.loads((tmp_path / "m.json").read_text())
    content["meta"]["frame"] = {"x": 0, "y": 0, "side": side}
    (tmp_path / "m.json").write_text(json.dumps(content))
    with pytest.raises(MotionError, match="side above 0"):
        hm.Motion.load(tmp_path / "m.json")


@pytest.mark.parametrize("channels", [1, 2])
def test_a_wav_of_64_bit_integers(tmp_path: Path, channels: int) -> None:
    samples = (0.5 * np.sin(np.arange(2000) / 9)).repeat(channels).reshape(-1, channels)
    data = (samples * 2.0**63).astype(np.int64).tobytes()
    head = struct.pack("<IHHIIHH", 16, 1, channels, 16_000, 128_000 * channels, 8 * channels, 64)
    size = struct.pack("<I", len(data))
    (tmp_path / "a.wav").write_bytes(
        b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + head + b"data" + size + data
    )
    np.testing.assert_allclose(hm.Audio.load(tmp_path / "a.wav").read(), samples[:, 0], atol=1e-6)


@pytest.mark.parametrize("number", ["9" * 5000, hex(10**4400), "1" + "0" * 400])
def test_numbers_of_thousands_of_digits(number: str) -> None:
    with pytest.raises(SpecError):
        load_recipe("smoke", [f"seed={number}"])


@pytest.mark.parametrize("subject", [{}, {"kind": "model"}, {"kind": 1, "name": "x"}, {"kind": "model", "name": ["x"]}])
def test_a_report_has_a_subject(subject: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="kind and name"):
        Report._check_subject(subject)
