"""The 68 landmarks: iBUG order and the neutral face."""

import torch

from headmotion.core.interfaces.specs import resolve_spec

FACE = resolve_spec("representation", "landmarks68").build(None)
DEEP = resolve_spec("representation", {"type": "landmarks68", "dims": 3}).build(None)


def test_parts_are_where_ibug_has_them() -> None:
    expected = {"jaw": (0, 17), "brows": (17, 27), "nose": (27, 36), "eyes": (36, 48), "lips": (48, 68)}
    for part, bounds in expected.items():
        assert FACE.groups[part] == tuple(range(*bounds))
    assert FACE.contours["inner_lips"] == tuple(range(60, 68))
    assert (62, 66) in FACE.openings["mouth"]
    assert FACE.scale_pair == (36, 45)
    assert (FACE.point_names[8], FACE.point_names[66]) == ("jaw_8", "inner_lips_6")
    assert {point for edge in FACE.edges for point in edge} == set(range(68))


def test_neutral_face_is_its_own_mirror_image() -> None:
    for face in (FACE, DEEP):
        torch.testing.assert_close(face.flip(face.neutral()), face.neutral(), atol=2e-5, rtol=0)
    assert torch.equal(DEEP.neutral()[:, :2], FACE.neutral())


def test_neutral_face_is_a_face() -> None:
    x, y = FACE.neutral().unbind(dim=-1)
    eye_distance = float(x[45] - x[36])
    assert 0.2 < eye_distance < 0.5
    for upper, lower in FACE.openings["mouth"]:
        assert 0 <= float(y[lower] - y[upper]) < 0.02 * eye_distance, "lips touch"
    for name in ("left_eye", "right_eye"):
        assert all(float(y[lower] - y[upper]) > 0.05 * eye_distance for upper, lower in FACE.openings[name])
    assert y[19] < y[37] < y[30] < y[51] < y[57] < y[8], "brow, eye, nose, lips, chin from top to bottom"
    assert x[36] < x[39] < x[42] < x[45], "the person's right eye lies on the left"


def test_mirrored_parts_take_each_others_place() -> None:
    assert {FACE.mirror[point] for point in FACE.groups["left_eye"]} == set(FACE.groups["right_eye"])
    assert (FACE.mirror[48], FACE.mirror[61], FACE.mirror[67], FACE.mirror[37]) == (54, 63, 65, 44)
