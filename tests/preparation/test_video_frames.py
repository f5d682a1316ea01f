"""Pictures of a video by time stamp."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from blobs import HEIGHT, WIDTH, picture, video
from hypothesis import given
from hypothesis import strategies as st

import headmotion as hm
from headmotion.media.video_reader import LONGEST_EDGE, LONGEST_HOLD_S, Video, open_video


class UnitSquare(SimpleNamespace):
    """As little of PyAV's frame as is needed."""

    width, height, rotation, time_base, duration = 4, 2, 0, Fraction(1, 1000), None

    def to_ndarray(self, **ignored: Any) -> np.ndarray:
        return np.zeros((self.height, self.width, 3), np.uint8)


def opened(stamps_ms: list[int], rate: Fraction | None = Fraction(25)) -> Video:
    """A video with pictures at these times."""
    frames = iter([UnitSquare(pts=stamp) for stamp in stamps_ms])
    container = SimpleNamespace(start_time=0, streams=SimpleNamespace(audio=()), decode=lambda stream: frames)
    return Video(container, SimpleNamespace(average_rate=rate, guessed_rate=None, time_base=Fraction(1, 1000)))


def gray(path: Path, values: list[int], **options: Any) -> Path:
    return video(path, [np.full((32, 48, 3), value, np.uint8) for value in values], **options)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60), st.integers(0, 5000))
def test_every_frame_is_the_last_picture_that_has_come(steps_ms: list[int], first_ms: int) -> None:
    stamps = [0, *np.cumsum(steps_ms).tolist()]
    shown = list(opened([first_ms + stamp for stamp in stamps]).frames(Fraction(25)))
    assert [each.index for each in shown] == list(range(len(shown)))
    for each in shown:
        come = [number for number, stamp in enumerate(stamps) if stamp <= each.index * 40]
        assert each.number == come[-1]
    assert len(shown) == -(-(stamps[-1] + 40) // 40)


@pytest.mark.parametrize(
    ("rate", "count", "frames", "pictures"),
    [(25, 50, 50, 50), (30, 60, 50, 50), (Fraction(30000, 1001), 60, 51, 51), (50, 100, 50, 50), (10, 20, 50, 20)],
    ids=str,
)
def test_constant_rates(tmp_path: Path, rate: Any, count: int, frames: int, pictures: int) -> None:
    path = gray(tmp_path / "a.mp4", [100] * count, rate=rate)
    with open_video(path) as opened:
        shown = list(opened.frames(Fraction(25)))
    assert (len(shown), len({each.number for each in shown})) == (frames, pictures)
    assert all(each.number == int(each.index * Fraction(rate) / 25) for each in shown)


def test_pictures_are_those_of_their_numbers(tmp_path: Path) -> None:
    path = gray(tmp_path / "a.mkv", [20, 90, 160, 230], stamps_ms=[0, 100, 130, 300])
    with open_video(path) as opened:
        shown = list(opened.frames(Fraction(25)))
    assert [round(float(each.picture.mean()), -1) for each in shown[:8]] == [20, 20, 20, 90, 160, 160, 160, 160]
    assert all(each.picture.mean() > 220 for each in shown[8:])


def test_one_picture_per_second_stands_for_a_second(tmp_path: Path) -> None:
    with open_video(gray(tmp_path / "a.mkv", [50, 100, 150], rate=1)) as opened:
        assert [each.number for each in opened.frames(Fraction(25))] == [0] * 25 + [1] * 25 + [2] * 25


def test_nothing_stands_for_longer_than_it_may() -> None:
    indices = [each.index for each in opened([0, 40, 10_000_000, 10_000_040]).frames(Fraction(25))]
    hold = LONGEST_HOLD_S * 25
    assert indices == [*range(1 + hold), 250_000, 250_001]


def test_stamps_that_do_not_rise_are_passed_over() -> None:
    assert [each.number for each in opened([0, 40, 20, 40, 80]).frames(Fraction(25))] == [0, 1, 2]


def test_large_pictures_are_reduced(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mp4", [np.zeros((64, 2 * LONGEST_EDGE, 3), np.uint8)] * 2)
    with open_video(path) as opened:
        shown = next(opened.frames(Fraction(25)))
    assert shown.picture.shape == (32, LONGEST_EDGE, 3)
    assert (shown.reduction, shown.size) == (2, (64, 2 * LONGEST_EDGE))


def test_rotation_is_applied(tmp_path: Path) -> None:
    marked = picture((10, 60, 16))  # at the left edge, half way down
    path = rotated(video(tmp_path / "a.mp4", [marked] * 3))
    with open_video(path) as opened:
        shown = next(opened.frames(Fraction(25)))
    assert shown.size == shown.picture.shape[:2] == (WIDTH, HEIGHT)
    red = shown.picture[10, HEIGHT - 60].astype(int)
    assert red[0] > 200 and red[1] < 60  # the left edge has become the upper one


def rotated(path: Path) -> Path:
    """Turn a video clockwise by a quarter, in its header."""
    raw = path.read_bytes()
    track = raw.index(b"tkhd") + 44
    matrix = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    path.write_bytes(raw[:track] + matrix + raw[track + 36 :])
    return path


@pytest.mark.parametrize("content", [b"", b"no video " * 100], ids=["empty", "text"])
def test_what_is_no_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(hm.ImageError, match="expected a whole video"), open_video(path):
        pass


def test_damage_is_found_where_it_is(tmp_path: Path) -> None:
    path = gray(tmp_path / "a.mpg", [50 + k for k in range(100)], codec="mpeg1video")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with open_video(path) as opened:
        assert 20 < len(list(opened.frames(Fraction(25)))) < 80
