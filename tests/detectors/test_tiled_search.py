"""The search for faces of every size, with a stand-in network that reads faces from painted marks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headmotion.detectors.tiled_search import TiledSearch, distinct

MIRROR = (1, 0, 2)
SHAPE = np.array([[-1, -1, 0], [1, -1, 0], [0, 1, 0.5]], np.float32)
"""A face of three points around its middle: two eyes and a chin."""


def face(x: float, y: float, half: float) -> np.ndarray:
    return SHAPE * np.float32(half) + np.array([x, y, 0], np.float32)


def paint(height: int, width: int, *faces: tuple[int, int, int]) -> np.ndarray:
    """A picture whose pixels encode size and center of each face, which the stand-in network reads."""
    picture = np.zeros((height, width, 3), np.uint8)
    for x, y, half in faces:
        picture[max(0, y - half) : y + half, max(0, x - half) : x + half] = (255, half, 0)
        picture[y, x] = (255, half, 255)
    return picture


def reader(least: float, sizes_searched: list[int] | None = None):  # type: ignore[no-untyped-def]
    """A network that detects faces of at least that share of its square, if their center is in the square."""

    def find(square: np.ndarray) -> np.ndarray:
        assert square.shape[0] == square.shape[1]
        if sizes_searched is not None:
            sizes_searched.append(len(square))
        marks = np.argwhere(square[..., 2] == 255)
        detections = [face(x, y, square[y, x, 1]) for y, x in marks if 2.0 * square[y, x, 1] >= least * len(square)]
        return np.array(detections or np.zeros((0, 3, 3)), np.float32)

    return find


def test_a_large_face_is_found_at_once() -> None:
    sizes_searched: list[int] = []
    detections = TiledSearch(reader(0.2, sizes_searched), MIRROR, several=False)(paint(300, 400, (200, 150, 60)))
    np.testing.assert_array_equal(detections, [face(200, 150, 60)])
    assert sizes_searched == [
        400,
        300,
        300,
    ]  # the picture as a square, the square around the face, and its mirror image


@pytest.mark.parametrize(("half", "at"), [(25, (90, 80)), (25, (395, 200)), (12, (203, 101)), (11, (5, 295))])
def test_small_faces_are_found_in_parts(half: int, at: tuple[int, int]) -> None:
    detections = TiledSearch(reader(0.2), MIRROR)(paint(300, 400, (*at, half)))
    assert len(detections) == 1
    np.testing.assert_allclose(detections[0], face(*at, half), atol=1)  # a mirrored mark is a pixel off


def test_faces_below_a_quarter_of_the_least_size_are_not_found() -> None:
    detections = TiledSearch(reader(0.2), MIRROR)(paint(300, 400, (200, 150, 6)))
    assert detections == []


def test_the_largest_comes_first_and_smaller_ones_are_found_beside_it() -> None:
    picture = paint(300, 400, (60, 150, 25), (300, 150, 50), (180, 60, 30))
    detections = TiledSearch(reader(0.2), MIRROR)(picture)
    np.testing.assert_allclose([face[2, 0] for face in detections], [300, 180, 60], atol=1)
    assert len(TiledSearch(reader(0.2), MIRROR, several=False)(picture)) == 1


def test_a_detection_that_is_not_repeated_is_no_face() -> None:
    calls = iter([face(150, 150, 40)[None]])

    def fickle(square: np.ndarray) -> np.ndarray:
        return next(calls, np.zeros((0, 3, 3), np.float32))

    assert not TiledSearch(fickle, MIRROR)(paint(300, 300))


def test_a_detection_that_differs_in_a_mirror_is_no_face() -> None:
    def lopsided(square: np.ndarray) -> np.ndarray:
        middle = len(square) / 2
        return face(middle, middle, len(square) / 5)[None] + np.array([[0, 0, 0], [0, 20, 0], [0, 0, 0]], np.float32)

    assert not TiledSearch(lopsided, MIRROR)(paint(300, 300))


@given(st.integers(1, 70), st.integers(1, 70))
def test_pictures_of_any_shape_are_searched(height: int, width: int) -> None:
    assert TiledSearch(reader(0.2), MIRROR)(paint(height, width)) == []


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200), st.integers(1, 50)), min_size=1, max_size=6))
def test_distinct_faces_do_not_overlap(marks: list[tuple[int, int, int]]) -> None:
    faces = [face(*mark) for mark in marks]
    retained = distinct(faces)
    sizes = [np.ptp(detection[:, 0]) for detection in retained]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] == max(np.ptp(detection[:, 0]) for detection in faces)
    for index, detection in enumerate(retained):
        for larger in retained[:index]:
            assert np.linalg.norm((detection - larger)[:, :2].mean(axis=0)) > np.ptp(larger[:, 0]) / 4
