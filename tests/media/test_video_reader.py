"""Frames of a video by time stamp, and its last frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import headmotion as hm
from headmotion.media import video_reader
from headmotion.media.video_reader import LONGEST_EDGE, LONGEST_HOLD_S, Video, last_frames, open_video

FPS = Fraction(25)


def write_video(
    path: Path,
    pictures: Iterable[np.ndarray],
    rate: Fraction | int = 25,
    stamps_ms: Iterable[int] | None = None,
    codec: str = "libx264",
    pixel_aspect: Fraction | int = 1,
) -> Path:
    """Write pictures at a rate, or at time stamps."""
    stamps = None if stamps_ms is None else iter(stamps_ms)
    with av.open(str(path), "w") as container:
        options = {"crf": "1", "preset": "ultrafast", "g": "50"} if codec == "libx264" else {"qscale": "2"}
        stream: Any = container.add_stream(codec, rate=rate, options=options)
        stream.pix_fmt = "yuv420p"
        if stamps is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number, picture in enumerate(pictures):
            if not number:
                stream.height, stream.width = picture.shape[:2]
                stream.codec_context.sample_aspect_ratio = Fraction(pixel_aspect)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number if stamps is None else next(stamps)
            frame.time_base = 1 / Fraction(rate) if stamps is None else Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_gray(path: Path, values: Iterable[int], **options: Any) -> Path:
    return write_video(path, (np.full((32, 48, 3), value, np.uint8) for value in values), **options)


def write_marked(path: Path) -> Path:
    """Write dark frames of 64 x 32 pixels whose left edge is bright."""
    picture = np.full((32, 64, 3), 20, np.uint8)
    picture[:, :8] = 255
    return write_video(path, [picture] * 2)


def decoded_frame(stamp_ms: int) -> av.VideoFrame:
    frame = av.VideoFrame(4, 2, "yuv420p")
    frame.pts, frame.time_base = stamp_ms, Fraction(1, 1000)
    return frame


def video_of(stamps_ms: list[int], rate: Fraction | None = FPS) -> Video:
    """A video with frames at these times."""
    frames = iter([decoded_frame(stamp) for stamp in stamps_ms])
    container = SimpleNamespace(start_time=0, streams=SimpleNamespace(audio=()), decode=lambda stream: frames)
    stream = SimpleNamespace(
        average_rate=rate, guessed_rate=None, time_base=Fraction(1, 1000), sample_aspect_ratio=None
    )
    return Video(container, stream, lambda reason: hm.ImageError("video", "a whole video", reason))


# All frames at a constant rate


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60), st.integers(0, 5000))
def test_every_frame_is_the_last_one_whose_stamp_has_passed(steps_ms: list[int], first_ms: int) -> None:
    stamps = [0, *np.cumsum(steps_ms).tolist()]
    frames = list(video_of([first_ms + stamp for stamp in stamps]).frames(FPS))
    assert [frame.index for frame in frames] == list(range(len(frames)))
    for frame in frames:
        passed = [number for number, stamp in enumerate(stamps) if stamp <= frame.index * 40]
        assert frame.number == passed[-1]
    assert len(frames) == -(-(stamps[-1] + 40) // 40)


@pytest.mark.parametrize(
    ("rate", "count", "expected", "distinct"),
    [(25, 50, 50, 50), (30, 60, 50, 50), (Fraction(30000, 1001), 60, 51, 51), (50, 100, 50, 50), (10, 20, 50, 20)],
    ids=str,
)
def test_constant_rates(tmp_path: Path, rate: Any, count: int, expected: int, distinct: int) -> None:
    path = write_gray(tmp_path / "a.mp4", [100] * count, rate=rate)
    with open_video(path) as video:
        frames = list(video.frames(FPS))
    assert (len(frames), len({frame.number for frame in frames})) == (expected, distinct)
    assert all(frame.number == int(frame.index * Fraction(rate) / 25) for frame in frames)


def test_frames_may_be_asked_for_at_another_rate(tmp_path: Path) -> None:
    with open_video(write_gray(tmp_path / "a.mp4", [100] * 50)) as video:
        assert [frame.number for frame in video.frames(Fraction(10))] == [int(2.5 * k) for k in range(20)]


def test_pictures_are_those_of_their_numbers(tmp_path: Path) -> None:
    path = write_gray(tmp_path / "a.mkv", [20, 90, 160, 230], stamps_ms=[0, 100, 130, 300])
    with open_video(path) as video:
        frames = list(video.frames(FPS))
    means = [round(float(frame.picture.mean()), -1) for frame in frames[:8]]
    assert means == [20, 20, 20, 90, 160, 160, 160, 160]
    assert all(frame.picture.mean() > 220 for frame in frames[8:])


def test_one_frame_per_second_stays_for_a_second(tmp_path: Path) -> None:
    with open_video(write_gray(tmp_path / "a.mkv", [50, 100, 150], rate=1)) as video:
        assert [frame.number for frame in video.frames(FPS)] == [0] * 25 + [1] * 25 + [2] * 25


def test_no_frame_stays_longer_than_the_limit() -> None:
    indices = [frame.index for frame in video_of([0, 40, 10_000_000, 10_000_040]).frames(FPS)]
    hold = LONGEST_HOLD_S * 25
    assert indices == [*range(1 + hold), 250_000, 250_001]


def test_stamps_that_do_not_increase_are_skipped() -> None:
    assert [frame.number for frame in video_of([0, 40, 20, 40, 80]).frames(FPS)] == [0, 1, 2]


def test_large_frames_are_reduced(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [np.zeros((64, 2 * LONGEST_EDGE, 3), np.uint8)] * 2)
    with open_video(path) as video:
        frame = next(video.frames(FPS))
    assert frame.picture.shape == (32, LONGEST_EDGE, 3)
    assert (frame.reduction, frame.size) == (2, (64, 2 * LONGEST_EDGE))


def test_rotation_is_applied(tmp_path: Path, rotate_video: Callable[[Path], Path]) -> None:
    with open_video(rotate_video(write_marked(tmp_path / "a.mp4"))) as video:
        frame = next(video.frames(FPS))
    assert frame.size == frame.picture.shape[:2] == (64, 32)
    assert frame.picture[:6].min() > 200 and frame.picture[10:].max() < 60  # the left edge has become the upper one


@pytest.mark.parametrize("content", [b"", b"no video " * 100], ids=["empty", "text"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(hm.ImageError, match=r"expected a whole video, got a\.mp4 \(.*\); copy"), open_video(path):
        pass


def test_frames_before_damage_are_returned(tmp_path: Path) -> None:
    path = write_gray(tmp_path / "a.mpg", range(50, 150), codec="mpeg1video")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with open_video(path) as video:
        assert 20 < len(list(video.frames(FPS))) < 80


# The last frames


def test_last_frames_of_a_long_video_are_the_same_as_without_seeking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_gray(tmp_path / "a.mp4", (20 + k % 200 for k in range(700)))
    near, fps = last_frames(path, lambda fps: 3)
    monkeypatch.setattr(video_reader, "SEEK_BACK_S", 100)
    far, _ = last_frames(path, lambda fps: 3)
    assert fps == 25 and len(near) == len(far) == 3
    assert all(np.array_equal(a, b) for a, b in zip(near, far, strict=True))


@pytest.mark.parametrize(
    ("aspect", "shape"), [(Fraction(4, 3), (48, 64)), (Fraction(3, 4), (64, 48)), (Fraction(1), (48, 48))]
)
def test_pixels_are_square_as_they_are_shown(tmp_path: Path, aspect: Fraction, shape: tuple[int, int]) -> None:
    """A bright square of the screen is one, whatever pixels the file has; nothing is thrown away."""
    picture = np.full((48, 48, 3), 20, np.uint8)
    picture[:, 12:36] = 250
    path = write_video(tmp_path / "a.mp4", [picture] * 2, pixel_aspect=aspect)
    (last,), _ = last_frames(path, lambda fps: 1)
    with open_video(path) as video:
        frame = next(video.frames(FPS))
    assert last.shape == frame.picture.shape == (*shape, 3)
    assert frame.size == shape
    assert frame.reduction == 1
    bright = (last[shape[0] // 2, :, 0] > 128).sum()
    assert bright == pytest.approx(shape[1] / 2, abs=1)


def test_last_frames_are_upright(tmp_path: Path, rotate_video: Callable[[Path], Path]) -> None:
    (picture,), _ = last_frames(rotate_video(write_marked(tmp_path / "a.mp4")), lambda fps: 1)
    assert picture.shape == (64, 32, 3)
    assert picture[:6].min() > 200 and picture[10:].max() < 60  # the left edge has become the upper one


@pytest.mark.parametrize(
    "write",
    [
        lambda path: None,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("no video " * 100),
        lambda path: path.write_bytes(write_gray(path.with_name("whole.mp4"), [90] * 30).read_bytes()[:500]),
    ],
    ids=["missing", "empty", "text", "cut short"],
)
def test_last_frames_of_unreadable_files_are_one_clear_line(tmp_path: Path, write: Callable[[Path], Any]) -> None:
    path = tmp_path / "bad.mp4"
    write(path)
    with pytest.raises(hm.ImageError, match=r"bad\.mp4") as caught:
        last_frames(path, lambda fps: 2)
    assert "\n" not in str(caught.value)


def test_sound_without_pictures_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(hm.ImageError, match="video track"):
        last_frames(path, lambda fps: 2)
    with pytest.raises(hm.ImageError, match="video track"), open_video(path):
        pass
