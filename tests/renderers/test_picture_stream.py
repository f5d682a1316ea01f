"""A still picture and a motion become what a trained renderer takes: the square around the face, windows of frames."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.core.interfaces.representation import UnitSquare
from headmotion.renderers.picture_stream import PictureStream, crop_square, picture_square
from headmotion.renderers.specs import SkeletonSpec

FACE = hm.resolve_spec("representation", "landmarks68").build()


class Learned(hm.Renderer):
    needs_image = True
    training_picture_size = (32, 48)

    def pictures(self, identity, pose, motion, audio=None):
        return identity[:, None].expand(-1, motion.shape[1], -1, -1, -1)

    def frames(self, motion, image=None, landmarks=None, audio=None):
        stream = PictureStream(self, FACE, motion, image, landmarks, audio)
        for window in stream.windows():
            yield from stream.to_frames(self.pictures(stream.identity, stream.pose, window.motion))


class Person(Learned):
    needs_image = False


LEARNED = Learned(SkeletonSpec())


def face(x: float, y: float, side: float) -> torch.Tensor:
    """The neutral face in pixels."""
    return FACE.denormalize(FACE.neutral(), UnitSquare(x, y, side))


def moving(pose: torch.Tensor, frames: int = 7) -> hm.Motion:
    values = pose + torch.linspace(0, 3, frames)[:, None, None]
    return hm.Motion(values, Fraction(25), FACE.spec.model_dump(mode="json"), reference=pose)


def test_the_square_of_a_photograph_may_be_another() -> None:
    image = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    motion = moving(face(100, 100, 120))
    stream = PictureStream(LEARNED, FACE, [motion], image, side=0.5, up=0.1)
    square = UnitSquare(100, 100 - 0.1 * 120, 0.5 * 120)
    torch.testing.assert_close(stream.pose[0], FACE.normalize(motion.reference, square), atol=1e-4, rtol=0)
    expected = crop_square(image, square, (32, 48))
    assert int((255 * stream.identity[0].permute(1, 2, 0).numpy() - expected).round().max()) <= 1


def test_a_picture_of_the_training_size_and_square_is_used_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    motion = moving(face(26, 15, 42))
    stream = PictureStream(LEARNED, FACE, [motion], image)
    (window,) = stream.windows()
    assert torch.equal((255 * stream.identity[0]).round().to(torch.uint8), torch.from_numpy(image).permute(2, 0, 1))
    square = picture_square(32, 48)
    torch.testing.assert_close(window.motion[0], FACE.normalize(motion.values, square))
    torch.testing.assert_close(stream.pose[0], FACE.normalize(motion.reference, square))
    assert window.first == 0 and window.count == 7
    assert all(np.array_equal(frame, image) for frame in LEARNED.frames([motion], image))


def test_a_small_or_shifted_face_in_a_picture_of_the_training_size_is_cut_out() -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    for square in (UnitSquare(24, 16, 20), UnitSquare(36, 16, 46)):
        stream = PictureStream(LEARNED, FACE, [moving(face(square.x, square.y, square.side))], image)
        expected = crop_square(image, square, (32, 48))
        assert int((255 * stream.identity[0].permute(1, 2, 0).numpy() - expected).round().max()) <= 1
        torch.testing.assert_close(stream.pose[0], FACE.neutral(), atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", [300, 3000, 60])
def test_of_another_picture_the_square_around_the_face_is_shown_where_the_pose_says(size: int) -> None:
    # A bright dot at a point of the face has to lie at the same point of the pose, whatever the scale.
    pose = face(0.6 * size, 0.4 * size, 0.5 * size)
    x, y = pose[30].round().int().tolist()
    image = np.zeros((size, size, 3), np.uint8)
    dot = max(1, size // 60)
    image[y - dot : y + dot + 1, x - dot : x + dot + 1] = 255
    stream = PictureStream(LEARNED, FACE, [moving(pose)], image)
    assert stream.identity.shape == (1, 3, 32, 48)
    bright = stream.identity[0, 0]
    rows, columns = torch.arange(32.0), torch.arange(48.0)
    center = torch.stack([(bright.sum(0) * columns).sum(), (bright.sum(1) * rows).sum()]) / bright.sum()
    shown = FACE.denormalize(stream.pose[0], picture_square(32, 48))[30]
    assert (center - shown).abs().max() < 0.5 + 24 / (0.5 * size)


def test_a_crop_keeps_whole_pixels_and_continues_the_border() -> None:
    image = np.random.default_rng(1).integers(0, 256, (40, 40, 3), np.uint8)
    assert np.array_equal(crop_square(image, picture_square(40, 40), (40, 40)), image)
    assert np.array_equal(crop_square(image, UnitSquare(16, 16, 16), (16, 16)), image[8:24, 8:24])
    beyond = crop_square(image, UnitSquare(0, 20, 16), (16, 16))
    assert (beyond[:, :8] == beyond[:, 8:9]).all() and np.array_equal(beyond[:, 8:], image[12:28, :8])


def test_motion_of_another_face_is_brought_onto_the_one_in_the_picture() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    own, other = moving(face(100, 100, 120)), moving(face(400, 300, 240))
    stream = PictureStream(LEARNED, FACE, [other], image, landmarks=own.reference)
    (window,) = stream.windows()
    torch.testing.assert_close(window.motion[0, 0], stream.pose[0], atol=1e-4, rtol=0)


@pytest.mark.parametrize(("look_back", "look_ahead"), [(0, 0), (2, 0), (0, 3), (2, 3), (9, 9)])
def test_windows_cover_each_frame_once_with_its_neighbors(look_back: int, look_ahead: int) -> None:
    whole, image = moving(face(24, 16, 42), 12), np.zeros((32, 48, 3), np.uint8)
    parts = [whole[:0], whole[:1], whole[1:2], whole[2:7], whole[7:7], whole[7:]]
    expected = FACE.normalize(whole.values, picture_square(32, 48))
    position = 0
    for window in PictureStream(LEARNED, FACE, parts, image).windows(look_back, look_ahead):
        due = window.motion[0, window.first : window.first + window.count]
        torch.testing.assert_close(due, expected[position : position + window.count])
        position += window.count
        assert window.first == min(look_back, position - window.count)
        after = window.motion.shape[1] - window.first - window.count
        assert after == look_ahead or (position == 12 and after == 0)
    assert position == 12


def test_mistakes_are_one_line() -> None:
    motion, image = moving(face(24, 16, 30)), np.zeros((32, 48, 3), np.uint8)
    with pytest.raises(hm.ImageError, match="renderer skeleton: expected a picture"):
        PictureStream(LEARNED, FACE, [motion])
    without = hm.Motion(motion.values, motion.fps)
    with pytest.raises(hm.ImageError, match="the pose in the picture, got none; give landmarks="):
        PictureStream(LEARNED, FACE, [without], image)
    with pytest.raises(hm.ImageError, match=r"an RGB picture \[H, W, 3\], got the shape \[32, 48\]; convert it to RGB"):
        PictureStream(LEARNED, FACE, [motion], image[..., 0])
    with pytest.raises(hm.ImageError, match="a face inside the picture, got 68 of 68 points outside of 48 x 32 pixels"):
        PictureStream(LEARNED, FACE, [moving(face(124, 16, 30))], image)
    unit = hm.Motion(motion.values, motion.fps, units="unit", reference=motion.reference)
    with pytest.raises(hm.MotionError, match="expected pixels"):
        PictureStream(LEARNED, FACE, [unit], image)


def test_a_renderer_of_one_person_needs_no_picture() -> None:
    frames = list(Person(SkeletonSpec()).frames([moving(face(100, 100, 120))]))
    assert len(frames) == 7 and frames[0].shape == (32, 48, 3)
    assert not list(Person(SkeletonSpec()).frames([]))


def test_numbers_without_a_place_have_no_pixels() -> None:
    shapes = hm.resolve_spec("representation", "blendshapes").build()
    unit = hm.Motion(torch.rand(3, 52, 1), Fraction(25), {"type": "blendshapes"}, units="unit")
    stream = PictureStream(LEARNED, shapes, [unit], np.zeros((32, 48, 3), np.uint8), shapes.neutral().numpy())
    (window,) = stream.windows()
    assert torch.equal(window.motion[0], unit.values)
