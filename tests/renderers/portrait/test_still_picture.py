import cv2
import numpy as np
import pytest

from headmotion.renderers.portrait import still_picture
from headmotion.renderers.portrait.still_picture import StillPicture

HEIGHT, WIDTH = 60, 80


def soft(channels=3):
    noise = np.random.default_rng(0).normal(size=(HEIGHT, WIDTH, channels))
    return np.clip(128 + 200 * cv2.GaussianBlur(noise, (0, 0), 2), 0, 255).astype(np.uint8)


def positions(shift=0.0):
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    return (x + 1j * y + complex(shift, shift)).astype(np.complex64)


@pytest.fixture(params=["enlarged", "as it is"])
def way(request, monkeypatch):
    if request.param == "as it is":
        monkeypatch.setattr(still_picture, "MAX_ENLARGED_PIXELS", HEIGHT * WIDTH - 1)


@pytest.mark.parametrize("channels", [3, 4])
def test_pixels_are_retained(way, channels):
    picture = soft(channels)
    assert np.array_equal(StillPicture(picture).remap(positions()), picture)


def test_part_of_a_frame_is_drawn_in_place(way):
    frame, part = np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.s_[5:25, 10:50]
    StillPicture(soft()).remap(positions()[part], frame[part])
    assert np.array_equal(frame[part], soft()[part])
    frame[part] = 0
    assert not frame.any()


@pytest.mark.parametrize("shift", [0.25, 0.5, -0.37])
def test_between_pixels_it_is_cubic(way, shift):
    x, y = (np.ascontiguousarray(part) for part in (positions(shift).real, positions(shift).imag))
    cubic = cv2.remap(soft(), x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    sampled = StillPicture(soft()).remap(positions(shift))
    assert np.abs(sampled.astype(int) - cubic).max() <= 3
    linear = cv2.remap(soft(), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    assert np.abs(sampled.astype(float) - cubic).mean() < 0.3 * np.abs(linear.astype(float) - cubic).mean()


def test_beyond_the_border_the_outermost_pixels_continue(way):
    picture = soft()
    far = StillPicture(picture).remap(positions(-200.0))
    assert np.array_equal(far, np.broadcast_to(picture[0, 0], picture.shape))
