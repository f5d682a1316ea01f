"""Faces linked over time, and where shots begin."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import FACE, picture, pose
from hypothesis import given
from hypothesis import strategies as st

from headmotion.preparation.crop import CROP_SIZE, crop
from headmotion.preparation.face_segments import ShotDetector
from headmotion.preparation.face_tracks import FaceTrack, FaceTracker


def faces(*places: tuple[float, float, float]) -> np.ndarray:
    return np.stack([pose(*place).numpy() for place in places]) if places else np.zeros((0, 68, 3), np.float32)


def link(frames: list[np.ndarray], gap: int = 5, longest: int = 1000, least: int = 1) -> list[FaceTrack]:
    tracker = FaceTracker(gap, longest, least)
    tracks = [track for index, each in enumerate(frames) for track in tracker.push(index, index, each)]
    return tracks + tracker.flush()


def test_two_people_are_two_tracks_whatever_their_order() -> None:
    left, right = (50, 50, 40), (110, 50, 30)
    frames = [faces(left, right) if k % 2 else faces(right, left) for k in range(10)]
    one, other = sorted(link(frames), key=lambda track: float(track.poses[..., 0].mean()))
    assert len(one.poses) == len(other.poses) == 10
    np.testing.assert_array_equal(one.poses, np.repeat(faces(left), 10, 0))
    np.testing.assert_array_equal(other.poses, np.repeat(faces(right), 10, 0))


@given(st.integers(0, 8), st.integers(0, 6))
def test_short_gaps_are_filled_and_long_ones_end_a_track(missing: int, gap: int) -> None:
    before, after = faces((50, 50, 40)), faces((56, 52, 40))
    tracks = link([before] * 3 + [faces()] * missing + [after] * 3, gap)
    if missing > gap:
        assert [(track.first_frame, len(track.poses)) for track in tracks] == [(0, 3), (3 + missing, 3)]
        assert all(track.detected.all() for track in tracks)
        return
    (track,) = tracks
    assert (len(track.poses), int((~track.detected).sum())) == (6 + missing, missing)
    expected = np.linspace(before[0], after[0], missing + 2)
    np.testing.assert_allclose(track.poses[2 : missing + 4], expected, atol=1e-4)
    np.testing.assert_array_equal(track.picture_numbers, np.arange(6 + missing))


def test_a_jump_ends_a_track_and_a_step_does_not() -> None:
    assert len(link([faces((50, 50, 40)), faces((60, 50, 40))])) == 1
    assert len(link([faces((50, 50, 40)), faces((80, 50, 40))])) == 2


@given(st.integers(1, 200), st.integers(1, 20), st.integers(0, 20))
def test_long_tracks_come_in_parts_that_are_neither_too_long_nor_too_short(total: int, least: int, more: int) -> None:
    longest = 2 * least + more
    parts = link([faces((50 + k % 3, 50, 40)) for k in range(total)], longest=longest, least=least)
    assert [part.first_frame for part in parts] == np.cumsum([0, *(len(part.poses) for part in parts[:-1])]).tolist()
    assert sum(len(part.poses) for part in parts) == total
    assert all(min(total, least) <= len(part.poses) <= longest for part in parts)
    joined = np.concatenate([part.poses for part in parts])
    np.testing.assert_array_equal(joined[:, 0, 0] - joined[0, 0, 0], [k % 3 for k in range(total)])


def test_no_more_is_held_than_a_longest_part() -> None:
    tracker = FaceTracker(5, 100, 20)
    for index in range(1000):
        tracker.push(index, index, faces((50, 50, 40)))
        assert index - tracker.oldest_frame <= 120  # type: ignore[operator]


@pytest.mark.parametrize("before", [1, 10])
def test_cuts_are_found_and_movement_is_none(before: int) -> None:
    shots = ShotDetector(27)
    pictures = [picture((40 + 3 * k, 60, 60)) for k in range(before)]
    pictures += [picture((40, 60, 60), ground=1)] * 3 + [picture((40, 60, 60), ground=2)] * 3
    found = [k for k, each in enumerate(pictures) if shots.starts_shot(each)]
    assert found == [before, before + 3]


def test_a_change_of_size_is_no_error_for_shots() -> None:
    shots = ShotDetector(27)
    assert not shots.starts_shot(picture((40, 60, 60)))
    shots.starts_shot(np.zeros((10, 300, 3), np.uint8))


MOVING = np.concatenate([faces((300 + 4 * k, 200 - k, 100 + k)) for k in range(20)])


def test_no_crop_keeps_pixels() -> None:
    kept = crop(MOVING, (480, 640), "none", FACE)
    np.testing.assert_array_equal(kept.poses, MOVING)
    assert (kept.size, kept.box) == ((480, 640), None)


def test_the_crop_of_a_shot_is_one_square_from_which_there_is_a_way_back() -> None:
    cropped = crop(MOVING, (480, 640), "shot", FACE)
    assert cropped.size == (CROP_SIZE, CROP_SIZE) and cropped.box is not None
    x, y, side = cropped.box
    back = cropped.poses * side / CROP_SIZE + np.array([x, y, 0])
    np.testing.assert_allclose(back, MOVING, atol=1e-3)
    assert cropped.poses[..., :2].min() > 0 and cropped.poses[..., :2].max() < CROP_SIZE


def test_the_crop_of_a_face_takes_its_place_and_size_away() -> None:
    poses = crop(MOVING, (480, 640), "face", FACE).poses
    np.testing.assert_allclose(poses, np.repeat(poses[:1], 20, 0), atol=1e-3)
    box = np.stack([poses[0, :, :2].min(axis=0), poses[0, :, :2].max(axis=0)])
    np.testing.assert_allclose(box.mean(axis=0), [CROP_SIZE / 2] * 2, atol=1e-3)
    assert np.ptp(box, axis=0).max() == pytest.approx(CROP_SIZE / 2)
