from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headmotion.core.errors import ImageError, MotionError, SpecError
from headmotion.core.interfaces.specs import BuildContext
from headmotion.core.motion import Motion
from headmotion.geometry.complex_points import as_complex
from headmotion.renderers.portrait import displacement_field
from headmotion.renderers.portrait.box import Box
from headmotion.renderers.portrait.displacement_field import Grid, interpolate
from headmotion.renderers.portrait.head_ellipse import HeadEllipse
from headmotion.renderers.portrait.openings import find_openings, rigid_points
from headmotion.renderers.portrait.warp import Similarity, trace_back
from headmotion.renderers.portrait.warper import PortraitWarper
from headmotion.renderers.specs import PortraitSpec
from headmotion.representations.specs import KeypointsSpec, Landmarks68Spec

FACE = Landmarks68Spec().build()
SIZE = 240
POSE = FACE.neutral() * 140 + torch.tensor([50.0, 40.0])
"""A closed-lipped face of 66 pixels in the middle of the picture."""
MOUTH = list(FACE.contours["inner_lips"])
LOWER_LIP = [65, 66, 67, 55, 56, 57, 58, 59]


def textured(seed=0, size=SIZE):
    noise = np.random.default_rng(seed).normal(size=(size, size))
    soft = cv2.GaussianBlur(noise, (0, 0), 3)[..., None] * (1.0, 0.9, 0.8)
    return np.clip(170 + 220 * soft, 90, 250).astype(np.uint8)


PICTURE = textured()


def build(representation=FACE, **fields):
    return PortraitSpec(**fields).build(BuildContext(representation=representation, audio_channels=26))


def motion_of(*poses, reference=POSE, **fields):
    return Motion(torch.stack(poses), Fraction(25), reference=reference, **fields)


def render(*poses, picture=PICTURE, reference=POSE, landmarks=None, **fields):
    return list(build(**fields).frames([motion_of(*poses, reference=reference)], picture, landmarks))


def opened(by, pose=POSE):
    moved = pose.clone()
    moved[LOWER_LIP, 1] += by
    moved[5:12, 1] += by
    return moved


def closed_from(pose):
    moved = pose.clone()
    for upper, lower in FACE.openings["mouth"]:
        middle = (pose[upper] + pose[lower]) / 2
        moved[upper], moved[lower] = middle, middle
    return moved


def mouth_box(pose):
    low, high = pose[MOUTH].amin(dim=0).int().tolist(), pose[MOUTH].amax(dim=0).int().tolist()
    third = (high[0] - low[0]) // 3
    return slice(low[1] + 2, high[1] - 1), slice(low[0] + third, high[0] - third)


def moved_by(a, b):
    return np.abs(a.astype(int) - b.astype(int)).max(axis=2)


def test_the_reference_pose_gives_the_picture():
    (frame,) = render(POSE)
    assert moved_by(frame, PICTURE).max() <= 1


def test_the_background_far_away_stays():
    picture = textured(size=400)
    pose = POSE + 80
    turn = Similarity(np.exp(0.15j), 200 + 200j - np.exp(0.15j) * (200 + 200j) + 9 - 6j)
    plane = turn(as_complex(pose.numpy()))
    turned = torch.tensor(np.stack([plane.real, plane.imag], -1), dtype=torch.float32)
    (frame,) = render(turned, picture=picture, reference=pose)
    change = moved_by(frame, picture)
    assert change.max() > 30
    head = HeadEllipse(as_complex(pose.numpy()), -1j)
    y, x = np.mgrid[:400, :400]
    far = np.abs(x + 1j * y - head.center) > 2 * head.face + 40
    assert far.mean() > 0.3
    assert change[far].max() == 0


def test_a_shifted_head_is_shifted_whole():
    (frame,) = render(POSE + torch.tensor([7.0, -5.0]))
    face = as_complex(POSE.numpy())
    left, right = int(face.real.min()), int(face.real.max())
    top, bottom = int(face.imag.min()) - 15, int(face.imag.max())
    moved = frame[top - 5 : bottom - 5, left + 7 : right + 7]
    assert np.median(moved_by(moved, PICTURE[top:bottom, left:right])) <= 2


@pytest.mark.parametrize("point", [8, 19, 30, 51, 57])
def test_a_landmark_carries_its_pixels(point):
    marked = PICTURE.copy()
    x, y = POSE[point].round().int().tolist()
    cv2.circle(marked, (x, y), 2, (0, 0, 255), cv2.FILLED)
    target = POSE.clone()
    target[point] += torch.tensor([0.0, 2.0])
    (frame,) = render(target, picture=marked)
    blue = np.argwhere((frame[..., 2].astype(int) - frame[..., 0]) > 150)
    assert blue.mean(axis=0)[0] == pytest.approx(y + 2, abs=1.0)
    assert blue.mean(axis=0)[1] == pytest.approx(x, abs=1.0)


def test_an_opening_mouth_is_dark_inside():
    (frame,) = render(opened(12.0))
    inside = frame[mouth_box(opened(12.0))]
    before = PICTURE[mouth_box(opened(12.0))]
    assert inside.mean() < 0.65 * before.mean()
    assert inside.min() < 60


@pytest.mark.parametrize("parted", [0.0, 3.0])
def test_a_mouth_without_teeth_gets_a_hint_of_them(parted):
    """Right below the upper lip it is lighter than in the middle of a wide open mouth."""
    still = opened(parted)
    picture = PICTURE.copy()
    if parted:
        rows, columns = mouth_box(still)
        picture[rows.start - 1 : rows.stop + 1, columns] = (60, 25, 20)
    wide = opened(22.0)
    (frame,) = render(wide, picture=picture, reference=still)
    x = round(float(wide[[62, 66], 0].mean()))
    top, bottom = round(float(wide[62, 1])), round(float(wide[66, 1]))
    column = frame[top:bottom, x - 1 : x + 2].mean(axis=(1, 2))
    teeth, middle = column[2:6].mean(), column[len(column) // 2 - 2 : len(column) // 2 + 2].mean()
    assert teeth > 1.25 * middle
    assert column[-3:].mean() > 1.1 * middle  # tongue


def test_closed_lips_add_no_dark():
    shifted = closed_from(POSE) + torch.tensor([3.0, 2.0])
    (frame,) = render(shifted)
    assert int(frame.min()) >= int(PICTURE.min()) - 25  # cubic interpolation may overshoot a little


def test_teeth_of_the_picture_stay_with_the_skull():
    smile = opened(8.0)
    picture = PICTURE.copy()
    rows, columns = mouth_box(smile)
    picture[rows, columns] = (200, 255, 255)
    wider = opened(9.0, smile)
    (frame,) = render(wider, picture=picture, reference=smile)
    teeth = frame[rows, columns][1:-1, 1:-1]
    assert np.abs(teeth.astype(int) - (200, 255, 255)).mean() < 30
    below = frame[rows.stop + 4 : rows.stop + 6, columns]
    assert below.mean() < 120


def test_lids_cover_the_eye():
    picture = PICTURE.copy()
    pose = POSE.clone()
    for upper, lower in (*FACE.openings["left_eye"], *FACE.openings["right_eye"]):
        pose[upper, 1] -= 2
        pose[lower, 1] += 2
    left = list(FACE.contours["left_eye"])
    x, y = pose[left].mean(dim=0).round().int().tolist()
    cv2.circle(picture, (x, y), 1, (0, 0, 255), cv2.FILLED)

    def blue(frame):
        return int(((frame[..., 2].astype(int) - frame[..., 0]) > 100).sum())

    shut = pose.clone()
    for upper, lower in (*FACE.openings["left_eye"], *FACE.openings["right_eye"]):
        shut[upper] = pose[lower]
    still, covered = render(pose, shut, picture=picture, reference=pose)
    assert blue(still) >= 5
    assert blue(covered) == 0


def test_motion_of_another_face_is_transferred():
    other = POSE * 2.0 + 30
    moved = opened(6.0) * 2.0 + 30
    (direct,) = render(opened(6.0))
    (transferred,) = render(moved, reference=other, landmarks=POSE.numpy())
    assert moved_by(direct, transferred).max() <= 2
    (still,) = render(other, reference=other, landmarks=POSE.numpy())
    assert moved_by(still, PICTURE).max() <= 1


def test_depth_is_left_out():
    deep = torch.cat([POSE, torch.randn(68, 1)], dim=1)
    (frame,) = render(POSE, landmarks=deep.numpy())
    assert moved_by(frame, PICTURE).max() <= 1


def test_pieces_make_the_frames_of_the_whole():
    whole = motion_of(*(opened(k) for k in range(4)))
    renderer = build()
    parts = [whole[:1], whole[1:1], whole[1:]]
    expected = list(renderer.frames([whole], PICTURE))
    assert len(expected) == 4
    assert np.array_equal(list(renderer.frames(parts, PICTURE)), expected)


def test_frames_come_as_the_motion_comes():
    consumed = []

    def live():
        for k in range(3):
            consumed.append(k)
            yield motion_of(opened(k))

    frames = build().frames(live(), PICTURE)
    next(frames)
    assert consumed == [0]


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ({}, (240, 240)),
        ({"size": 101}, (100, 100)),
        ({"size": 480}, (480, 480)),
        ({"crop": "head"}, (186, 186)),
        ({"crop": "head", "size": 64}, (64, 64)),
        ({"crop": "head", "head_margin": 4.0}, (240, 240)),
    ],
)
def test_sizes_are_even(fields, shape, caplog):
    (frame,) = render(POSE, **fields)
    assert frame.shape == (*shape, 3)
    assert ("the size 101 becomes 100: video encoders need even edges" in caplog.text) == (fields.get("size") == 101)
    assert caplog.text.count("even edges") <= 1


def test_a_huge_picture_is_shown_smaller_unless_a_size_is_set(monkeypatch, caplog):
    monkeypatch.setattr("headmotion.renderers.portrait.portrait.MAX_DEFAULT_EDGE", 120)
    assert render(POSE)[0].shape == (120, 120, 3)
    assert "becomes 120 x 120; size=N (--size N)" in caplog.text
    caplog.clear()
    assert render(POSE, size=200)[0].shape == (200, 200, 3)
    assert not caplog.text


def test_an_odd_picture_becomes_even(caplog):
    (frame,) = render(POSE, picture=PICTURE[:215, :231])
    assert f"the picture of 231 x 215 becomes {frame.shape[1]} x {frame.shape[0]}: video encoders" in caplog.text
    assert frame.shape[0] % 2 == frame.shape[1] % 2 == 0
    assert max(abs(frame.shape[0] - 215), abs(frame.shape[1] - 231)) <= 1


@settings(max_examples=25)
@given(angle=st.floats(-0.4, 0.4), scale=st.floats(0.8, 1.25), x=st.floats(-40, 40), y=st.floats(-40, 40))
def test_the_head_neither_folds_nor_tears_its_surroundings(angle, scale, x, y):
    """Up to 23 degrees, a quarter of its size and 0.6 of a face, all at once; well beyond, surroundings fold."""
    turn = scale * np.exp(1j * angle)
    center = 120 + 100j
    motion = Similarity(turn, center - turn * center + complex(x, y))
    grid = Grid.covering(Box(0, 0, SIZE, SIZE), 4)
    points = trace_back(grid.nodes(), motion, HeadEllipse(as_complex(POSE.numpy()), -1j).weight)
    along_x, along_y = np.diff(points, axis=1)[:-1], np.diff(points, axis=0)[:, :-1]
    area = (np.conj(along_x) * along_y).imag
    assert area.min() > 0


def test_a_field_that_is_upsampled_in_bands_has_no_seams(monkeypatch):
    rng, grid = np.random.default_rng(0), Grid.covering(Box(3, 5, 90, 150), 6)
    field = (rng.normal(size=grid.shape) + 1j * rng.normal(size=grid.shape)).astype(np.complex64)
    whole = cv2.resize(field.view(np.float32).reshape(*grid.shape, 2), grid.box.size, interpolation=cv2.INTER_CUBIC)
    for pixels in (1, 3000, 10**6):
        monkeypatch.setattr(displacement_field, "ONE_THREAD_PIXELS", pixels)
        assert np.allclose(grid.upsample(field), whole[..., 0] + 1j * whole[..., 1], atol=1e-5)


def test_few_steps_trace_the_flow_as_many_do():
    """Within 0.003 of a face; twelve steps of Euler's method leave 0.012."""
    center = 120 + 100j
    turn = 1.1 * np.exp(0.2j)
    motion, head = Similarity(turn, center - turn * center + (12 - 9j)), HeadEllipse(as_complex(POSE.numpy()), -1j)
    nodes = Grid.covering(Box(0, 0, SIZE, SIZE), 4).nodes()
    few, many = (trace_back(nodes, motion, head.weight, steps) for steps in (4, 100))
    assert np.abs(few - many).max() < 0.003 * head.face
    everywhere = trace_back(nodes, motion, lambda points: np.ones(points.shape, np.float32))
    assert np.abs(everywhere - motion.power(-1)(nodes)).max() < 1e-3


def test_the_similarity_between_two_lines_is_that_which_fits_their_ends():
    lines = np.array([[3 + 1j, 50 - 7j, 9 + 4j], [2j, 1 + 1j, 8 - 3j]])
    for source, target in (lines, lines[::-1], lines[:1].repeat(2, axis=0)):
        between, fitted = Similarity.between(source, target), Similarity.fit(source[[0, -1]], target[[0, -1]])
        assert np.allclose((between.factor, between.shift), (fitted.factor, fitted.shift))
    point = np.array([5 + 5j, 5 + 5j])
    for pair in ((point, lines[0]), (lines[0], point)):
        between, fitted = Similarity.between(*pair), Similarity.fit(*(points[[0, -1]] for points in pair))
        assert np.allclose((between.factor, between.shift), (fitted.factor, fitted.shift))


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), noise=st.sampled_from([0.5, 3.0, 40.0, 1e6]))
def test_any_pose_gives_a_picture(seed, noise):
    pose = POSE + noise * torch.randn(68, 2, generator=torch.Generator().manual_seed(seed))
    (frame,) = render(pose)
    assert frame.shape == PICTURE.shape
    assert frame.dtype == np.uint8


def test_all_points_in_one_place_give_a_picture():
    one_place = torch.full((68, 2), 100.0)
    frames = [*render(one_place, torch.zeros(68, 2)), *render(POSE, reference=one_place)]
    assert [frame.shape for frame in frames] == [PICTURE.shape] * 3
    for frame in frames:
        assert frame.dtype == np.uint8
        # The warp is wild but local: measured up to 4.2 on average, and nothing at the lower edge.
        assert np.abs(frame.astype(int) - PICTURE).mean() < 10
        assert np.array_equal(frame[-10:], PICTURE[-10:])


def test_openings_are_found_by_the_representation():
    openings = {opening.name: opening for opening in find_openings(FACE)}
    assert set(openings) == {"inner_lips", "left_eye", "right_eye"}
    for name, (upper, lower) in {"inner_lips": (62, 66), "left_eye": (43, 47), "right_eye": (37, 41)}.items():
        assert upper in openings[name].upper
        assert lower in openings[name].lower
        assert openings[name].upper[0] == openings[name].lower[0]
        assert openings[name].upper[-1] == openings[name].lower[-1]
    assert not set(rigid_points(FACE)) & set(FACE.groups["lips"])


def test_an_openings_curve_passes_through_its_points():
    pose = as_complex(opened(5.0).numpy())
    for opening in find_openings(FACE):
        shape = opening.shape(pose)
        for chain, curve in ((opening.upper, shape.upper), (opening.lower, shape.lower)):
            nearest = np.abs(curve[:, None] - pose[list(chain)][None]).min(axis=0)
            assert nearest.max() < 0.75
            assert nearest[[0, -1]].max() < 1e-9


def test_crossed_lips_meet():
    crossed = opened(-4.0)
    mouth = find_openings(FACE)[0].shape(as_complex(crossed.numpy()))
    assert mouth.gap == pytest.approx(0, abs=0.05)
    render(crossed)


def test_similarity():
    source = as_complex(POSE.numpy())
    motion = Similarity(1.1 + 0.2j, 3 - 2j)
    fitted = Similarity.fit(source, motion(source))
    assert fitted.factor == pytest.approx(motion.factor, abs=1e-4)
    half = motion.power(0.5)
    assert np.allclose(half(half(source)), motion(source), atol=1e-3)
    assert np.allclose(motion.power(-1)(motion(source)), source, atol=1e-3)
    assert Similarity(1 + 0j, 4 + 2j).power(-0.5).shift == pytest.approx(-2 - 1j)


def test_interpolation_is_the_sum_of_its_basis_functions():
    landmarks, radius, ridge = as_complex(POSE.numpy()), 40.0, 0.1
    values, grid = landmarks * 0.1j - 3, Grid.covering(Box(0, 0, 90, 120), 7)
    odd = np.arange(1, len(landmarks), 2)

    def basis(points):
        r = np.minimum(np.abs(points[..., None] - landmarks) / radius, 1)
        return (1 - r) ** 4 * (4 * r + 1)

    for subset, (field, fitted) in zip(
        (odd, odd - 1), interpolate(landmarks, values, grid, radius, [odd, odd - 1], ridge), strict=True
    ):
        system = basis(landmarks[subset])[:, subset] + ridge * np.eye(len(subset))
        coefficients = np.linalg.solve(system, values[subset])
        assert np.allclose(field, basis(grid.nodes())[..., subset] @ coefficients, atol=2e-4)
        assert np.allclose(fitted, basis(landmarks)[:, subset] @ coefficients, atol=2e-4)


def test_the_warper_does_not_change_its_picture():
    picture = PICTURE.copy()
    warper = PortraitWarper(picture, as_complex(POSE.numpy()), FACE)
    warper.warp(as_complex(opened(9.0).numpy()))
    assert np.array_equal(picture, PICTURE)


def test_what_is_no_face_is_refused():
    with pytest.raises(SpecError, match=r"contour 'inner_lips'.*keypoints"):
        build(KeypointsSpec().build())


@pytest.mark.parametrize(
    ("pose", "said"),
    [
        (POSE, ""),
        (POSE @ torch.tensor([[0.0, 1.0], [-1.0, 0.0]]) + torch.tensor([SIZE, 0.0]), ""),
        (POSE - torch.tensor([110.0, 0.0]), "points outside of 240 x 240 pixels: are the landmarks those of this"),
        (POSE.flip(1), "mirrored face"),
        (POSE * torch.tensor([1.0, -1.0]) + torch.tensor([0.0, SIZE]), "mirrored face"),
    ],
    ids=["its own", "a turned head", "partly outside", "y and x", "y upwards"],
)
def test_landmarks_of_another_picture_are_said_as_far_as_they_tell(pose, said, caplog):
    render(pose, reference=pose, landmarks=pose)
    messages = [text for text in caplog.messages if "border of the picture" not in text]
    assert len(messages) == bool(said) and all(said in text for text in messages)


def test_bad_input_is_one_clear_line():
    renderer = build()
    with pytest.raises(ImageError, match="expected a picture, got none"):
        renderer.frames([motion_of(POSE)])
    with pytest.raises(ImageError, match=r"uint8 \[H, W, 3 or 4\] of 2 x 2 pixels or more, got float64"):
        renderer.frames([motion_of(POSE)], PICTURE / 255.0)
    with pytest.raises(ImageError, match="the pose in the picture, got none"):
        renderer.frames([motion_of(POSE, reference=None)], PICTURE)
    with pytest.raises(ImageError, match=r"inside the picture \(240 x 240\), got their middle at \(\d+, \d+\)"):
        renderer.frames([motion_of(POSE)], PICTURE, POSE.numpy() + 500)
    with pytest.raises(ImageError, match=r"got a face of 0.29 pixels; multiply points in parts of the picture"):
        renderer.frames([motion_of(POSE)], PICTURE, POSE.numpy() / SIZE)
    with pytest.raises(MotionError, match="NaN"):
        list(renderer.frames([motion_of(POSE, POSE * float("nan"))], PICTURE))
    with pytest.raises(MotionError, match="units 'unit'"):
        list(renderer.frames([motion_of(POSE, units="unit")], PICTURE))
    with pytest.raises(MotionError, match="68"):
        renderer.frames([motion_of(POSE)], PICTURE, np.zeros((5, 2)))
    assert list(renderer.frames([], PICTURE)) == []
