"""BVH files, against an independent evaluation of their text and against pybvh."""

import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from headmotion.core.errors import HeadmotionError, MotionError
from headmotion.core.interfaces.specs import resolve_spec
from headmotion.core.motion import Motion
from headmotion.representations.bvh import read_bvh, write_bvh
from headmotion.representations.bvh_frame_time import frame_rate, frame_time
from headmotion.representations.bvh_parser import parse

PICTURE = {"y": np.diag([1.0, -1.0, -1.0]), "z": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])}
"""Rotation by 180 or 90 degrees about x: from y up or z up to y down, z away."""
POSITION, DEGREES = 1e-5, 1e-4


def evaluated(text):
    """Positions ``[T, 3]`` and rotations of all joints and end sites by name, in the axes of the file."""
    head, motion = text.split("MOTION")
    lines = motion.split("\n", 3)
    numbers = np.array(lines[3].split(), float)
    time, column = int(lines[1].split()[1]), 0
    numbers = numbers.reshape(time, -1) if time else np.zeros((0, 99))
    positions, rotations, stack, block, joint = {}, {}, [], head.split()[1:], None
    words = iter(block)
    for word in words:
        if word in ("ROOT", "JOINT"):
            name = next(words)
            joint = (name, stack[-1] if stack else None)
        elif word == "End":
            assert next(words) == "Site"
            count = sum(other.startswith(f"{stack[-1]} end") for other in positions)
            joint = (f"{stack[-1]} end {count}", stack[-1])
        elif word == "{":
            stack.append(joint[0])
        elif word == "}":
            stack.pop()
        elif word == "OFFSET":
            local = np.tile([float(next(words)) for _ in range(3)], (time, 1))
            rotation = Rotation.identity(time)
            name, parent = joint
            positions[name], rotations[name] = local, rotation
            if name != f"{parent} end 0" and " end " not in name:
                assert next(words) == "CHANNELS"
                listed = [next(words) for _ in range(int(next(words)))]
                order = "".join(channel[0] for channel in listed if channel.endswith("rotation"))
                angles = [column + k for k, channel in enumerate(listed) if channel.endswith("rotation")]
                for k, channel in enumerate(listed):
                    if channel.endswith("position"):
                        local[:, "XYZ".index(channel[0])] = numbers[:, column + k]
                for axis, index in zip(order, angles, strict=True):
                    rotation = rotation * Rotation.from_euler(axis, numbers[:, [index]], degrees=True)
                column += len(listed)
                rotations[name] = rotation
            if parent is not None:
                positions[name] = positions[parent] + rotations[parent].apply(local)
                rotations[name] = rotations[parent] * rotations[name]
    assert column == numbers.shape[1] or not time
    return positions, rotations


def read(text, folder, up="y"):
    path = folder / "in.bvh"
    path.write_bytes(text.encode())
    return read_bvh(path, up)


def worlds(motion):
    """Positions and rotations by name as the package computes them, in the picture's axes."""
    joints: Any = resolve_spec("representation", dict(motion.representation)).build()
    values = motion.values.double()
    names, counts = list(joints.spec.names), {}
    for end in joints.spec.ends:
        counts[end.joint] = counts.get(end.joint, -1) + 1
        names.append(f"{joints.spec.names[end.joint]} end {counts[end.joint]}")
    positions = dict(zip(names, joints.positions(values).unbind(-2), strict=True))
    return positions, dict(zip(joints.spec.names, joints.rotations(values).unbind(-3), strict=True))


def assert_same(got, expected, view):
    positions, rotations = got
    assert {name for name in expected[0] if " end " not in name} == set(rotations)
    assert set(positions) == set(expected[0])
    for name, position in expected[0].items():
        np.testing.assert_allclose(np.asarray(positions[name]), position @ view.T, atol=POSITION, rtol=0, err_msg=name)
    for name, rotation in rotations.items():
        expected_rotation = Rotation.from_matrix(view) * expected[1][name]
        angle = (Rotation.from_matrix(np.asarray(rotation)).inv() * expected_rotation).magnitude()
        assert np.degrees(angle).max(initial=0) < DEGREES, name


def assert_round_trip(text, folder, up="y"):
    motion = read(text, folder, up)
    expected = evaluated(text)
    assert_same(worlds(motion), expected, PICTURE[up])
    written = write_bvh(motion, folder / "out.bvh").read_text()
    positions, rotations = evaluated(written)
    matrices = {n: rotation.as_matrix() for n, rotation in rotations.items() if " end " not in n}
    assert_same((positions, matrices), expected, np.eye(3))
    repeated = read(written, folder, up)
    assert repeated.fps == motion.fps
    repeated_positions, _ = worlds(repeated)
    for name, position in worlds(motion)[0].items():
        np.testing.assert_allclose(repeated_positions[name], position, atol=POSITION, rtol=0)


@pytest.mark.parametrize("name", ["bvh_test1", "bvh_test3", "cmu_12_01_walk"])
@pytest.mark.parametrize("up", ["y", "z"])
def test_real_files(shared: Path, tmp_path: Path, name: str, up: str) -> None:
    text = (shared / "data" / "bvh" / f"{name}.bvh").read_text().replace("Frame Time: .", "Frame Time: 0.")
    assert_round_trip(text, tmp_path, up)


@pytest.mark.parametrize("name", ["bvh_test1", "bvh_test3", "cmu_12_01_walk"])
def test_another_reader_gives_the_same_poses(shared: Path, tmp_path: Path, name: str) -> None:
    pybvh = pytest.importorskip("pybvh")
    source = shared / "data" / "bvh" / f"{name}.bvh"
    motion = read_bvh(source)
    original = pybvh.read_bvh_file(source, world_up="+y")
    other = pybvh.read_bvh_file(write_bvh(motion, tmp_path / "out.bvh"), world_up="+y")
    assert other.frame_count == original.frame_count == len(motion)
    assert other.frame_time == pytest.approx(1 / motion.fps, rel=1e-9)
    for bvh in (original, other):
        np.testing.assert_allclose(bvh.root_pos @ PICTURE["y"], motion.values[:, 0, :3], atol=POSITION)


channels = st.permutations("XYZ").map(lambda order: [f"{axis}rotation" for axis in order])
any_channels = st.lists(st.sampled_from("XYZ"), max_size=4).map(lambda order: [f"{axis}rotation" for axis in order])
position_channels = st.lists(st.sampled_from("XYZ"), unique=True).map(
    lambda order: [f"{axis}position" for axis in order]
)
lengths = st.floats(-60, 60).map(lambda x: round(x, 5))
angles = st.one_of(st.sampled_from([0.0, 90.0, -90.0, 180.0, 270.0, 89.99999, -90.00001]), st.floats(-720, 720))


@st.composite
def files(draw):
    """Any tree, any channels in any order, degenerate angles, end sites anywhere, any white space."""
    count, frames = draw(st.integers(2, 6)), draw(st.integers(0, 3))
    parents = [-1] + [draw(st.integers(0, joint - 1)) for joint in range(1, count)]
    lists = [
        draw(st.one_of(channels, any_channels)) + draw(st.one_of(st.just([]), position_channels)) for _ in range(count)
    ]
    lists = [draw(st.permutations(channel)) for channel in lists]
    lists[0] = [*lists[0], *(f"{axis}position" for axis in "XYZ" if f"{axis}position" not in lists[0])]
    end_of_line, indent = draw(st.sampled_from(["\n", "\r\n", " \n\n"])), draw(st.sampled_from(["", "  ", "\t"]))
    lines, order = ["HIERARCHY"], []

    def offset():
        return "OFFSET " + " ".join(repr(draw(lengths)) for _ in range(3))

    def block(joint, depth):
        order.append(joint)
        pad = indent * depth
        lines.append(f"{pad}{'JOINT' if depth else 'ROOT'} joint{joint}")
        lines.extend([pad + "{", pad + offset(), f"{pad}CHANNELS {len(lists[joint])} {' '.join(lists[joint])}"])
        for _ in range(draw(st.integers(0, 2))):
            lines.extend([pad + "End Site", pad + "{", pad + offset(), pad + "}"])
        for child in range(count):
            if parents[child] == joint:
                block(child, depth + 1)
        lines.append(pad + "}")

    block(0, 0)
    seconds = draw(st.sampled_from(["0.0333333", "0.00833333", "0.04", "1", "0.0416667", "1e-2", "0.0123456"]))
    lines += ["MOTION", f"Frames: {frames}", f"Frame Time: {seconds}"]
    for _ in range(frames):
        row = [draw(angles if channel.endswith("rotation") else lengths) for joint in order for channel in lists[joint]]
        lines.append(" ".join(map(repr, row)))
    return end_of_line.join(lines) + end_of_line


@settings(max_examples=25)
@given(text=files(), up=st.sampled_from("yz"))
def test_any_file(tmp_path_factory: pytest.TempPathFactory, text: str, up: str) -> None:
    folder = tmp_path_factory.mktemp("bvh")
    try:
        assert_round_trip(text.replace("\n\n", "\n"), folder, up)
    except HeadmotionError as error:
        # The file's joints may all have one offset; that is the only reason to refuse it.
        assert "offsets that differ" in str(error)
    else:
        assert torch.equal(read(text, folder, up).values, read(text.replace("\n\n", "\n"), folder, up).values)


def test_motion_files_of_any_suffix_case_are_read_by_one_function(tmp_path: Path) -> None:
    spec = {"type": "joints", "names": ["hips", "head"], "parents": [-1, 0], "offsets": [[0, 0, 0], [0, 1, 0]]}
    joints = resolve_spec("representation", spec).build()
    written = Motion(joints.neutral().expand(3, -1, -1), Fraction(25), joints.spec.model_dump(mode="json"))
    write_bvh(written, tmp_path / "body.BVH")
    assert torch.equal(Motion.load(tmp_path / "body.BVH").values, read_bvh(tmp_path / "body.BVH").values)
    with pytest.raises(MotionError, match="an existing file"):
        Motion.load(tmp_path / "missing.bvh")


def test_joints_in_any_order_are_written_as_a_tree(tmp_path: Path) -> None:
    spec = {
        "type": "joints",
        "names": ["hips", "left leg", "spine", "left foot", "head", "prop"],
        "parents": [-1, 0, 0, 1, 2, -1],
        "offsets": [[0, 0, 0], [1, -1, 0], [0, 1, 0], [0, -1, 0], [0, 1, 0], [5, 0, 0]],
        "ends": [{"joint": 4, "offset": [0, 0.5, 0]}, {"joint": 3, "offset": [0, 0, 1e-7]}],
    }
    joints = resolve_spec("representation", spec).build()
    values = joints.neutral() + 0.1 * torch.randn(4, joints.points, 6, generator=torch.Generator().manual_seed(0))
    motion = Motion(values, Fraction(30000, 1001), spec)
    repeated = read_bvh(write_bvh(motion, tmp_path / "tree.bvh"))
    assert repeated.fps == motion.fps
    assert list(repeated.representation["names"]) == ["hips", "left leg", "left foot", "spine", "head", "prop"]
    scale = joints.scale(values.double())[:, :1, None]
    before, after = joints.positions(values.double()) / scale, worlds(repeated)[0]
    for joint, name in enumerate(spec["names"][:5]):
        np.testing.assert_allclose(after[name], before[:, joint], atol=POSITION)


GOOD = """HIERARCHY
ROOT hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT head
  {
    OFFSET 0 10 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 3 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
0 0 0 0 0 0 10 20 30
1 2 3 0 0 0 10 20 30
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("HIERARCHY", "Hello", "'HIERARCHY', got 'Hello' in line 1"),
        ("OFFSET 0 10 0", "OFFSET 0 10", "a finite number .* 'CHANNELS' in line 9"),
        ("OFFSET 0 10 0", "OFFSET 0 1e7 0", "'1e7' in line 8"),
        ("OFFSET 0 3 0", "OFFSET 0 nan 0", "'nan' in line 12"),
        ("CHANNELS 3", "CHANNELS 2", "'JOINT', 'End Site' or '}', got 'Yrotation' in line 9"),
        ("CHANNELS 3", "CHANNELS 4", "4 channels .* 'End' in line 10"),
        ("Xposition Y", "Yposition Y", "6 channels .* 'Yposition' in line 5"),
        ("End Site", "End Here", "'Site', got 'Here' in line 10"),
        ("Frames: 2", "Frames: -2", "a number of frames, got -2.0 in line 17"),
        ("10 20 30\n1", "10 20 30\n", "2 frames of 9 numbers, got 17 in line 20"),
        ("Frame Time: 0.04", "Frame Time: 0", "Frame Time from"),
        ("Frame Time: 0.04", "Frame Time: nan", r"Frame Time from .*, got 'nan' in .*\.bvh"),
        ("1 2 3", "1 inf 3", "'inf' in line 20"),
        ("1 2 3", "1 2,0 3", "'2,0' in line 20"),
        ("10 20 30\n1", "10 20 30 1\n1", "2 frames of 9 numbers, got 19 in line 20"),
        ("}\nMOTION", "MOTION", "got 'MOTION' in line 15"),
    ],
)
def test_malformed_files_are_reported_in_one_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in GOOD
    with pytest.raises(MotionError, match=expected) as caught:
        read(GOOD.replace(old, new, 1), tmp_path)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(MotionError, match="existing file"):
        read_bvh(tmp_path / "none.bvh")
    with pytest.raises(MotionError, match="text file"):
        read_bvh(tmp_path)
    (tmp_path / "binary.bvh").write_bytes(bytes(range(256)))
    with pytest.raises(MotionError, match="'HIERARCHY', got"):
        read_bvh(tmp_path / "binary.bvh")
    deep = "HIERARCHY ROOT a { OFFSET 0 0 0 CHANNELS 0 " + "".join(
        f"JOINT j{k} {{ OFFSET 0 1 0 CHANNELS 0 " for k in range(2000)
    )
    assert read(deep + "} " * 2001 + " MOTION Frames: 0 Frame Time: 1", tmp_path).values.shape == (0, 2002, 6)


def test_motions_that_cannot_be_written(tmp_path: Path) -> None:
    motion = read(GOOD, tmp_path)
    with pytest.raises(MotionError, match="a motion of joints, got landmarks68"):
        write_bvh(Motion(torch.zeros(1, 68, 2), Fraction(25)), tmp_path / "out.bvh")
    for row, value, expected in ((0, float("nan"), "finite"), (1, 0.0, "without a direction"), (0, -1.0, "no size")):
        values = motion.values.clone()
        values[1, row] = value
        with pytest.raises(MotionError, match=expected):
            write_bvh(Motion(values, motion.fps, motion.representation), tmp_path / "out.bvh")
    named = dict(motion.representation) | {"names": ["hips", "a { b"]}
    with pytest.raises(MotionError, match="names of joints"):
        write_bvh(Motion(motion.values, motion.fps, named), tmp_path / "out.bvh")
    assert not (tmp_path / "out.bvh").exists()


@pytest.mark.parametrize(
    ("written", "fps"),
    [
        ("0.0083333", "120"),
        (".00833333", "120"),
        ("0.008333", "120"),
        ("0.0333333", "30"),
        ("0.033333", "30"),
        ("0.0333", "30"),
        ("0.033", "30"),
        ("0.0333667", "30000/1001"),
        ("0.0417083", "24000/1001"),
        ("0.016667", "60"),
        ("0.016666", "60"),
        ("0.04", "25"),
        ("0.01", "100"),
        ("4e-2", "25"),
        ("8.33333e-03", "120"),
        ("1", "1"),
        ("2.0", "1/2"),
        ("0.0123456", "81"),
        ("0.0625", "16"),
        ("0.011111", "90"),
        ("0.08", "25/2"),
        ("0.07", "100/7"),
        ("0.0167", "60"),
        ("0.0417", "24"),
        ("0.017", "60"),
        ("2", "1/2"),
        ("30", "1/30"),
        ("0.03333333507180214", "30"),  # single precision, printed in full, with nine digits, with seven
        ("0.0333333351", "30"),
        ("0.03333334", "30"),
        ("0.01666666753590107", "60"),
        ("0.0416666679084301", "24"),
    ],
)
def test_frame_times(written: str, fps: str) -> None:
    assert frame_rate(written) == Fraction(fps)


@given(st.fractions(min_value=Fraction(1, 100), max_value=1000, max_denominator=2000))
def test_a_rate_that_is_written_in_full_is_recovered(fps: Fraction) -> None:
    if Fraction(float(np.float32(float(1 / fps)))) == 1 / fps:  # taken for one that single precision has rounded
        assert abs(frame_rate(frame_time(fps)) - fps) < fps / 10**6
    else:
        assert frame_rate(frame_time(fps)) == fps


ZERO = GOOD.replace("OFFSET 0 10 0", "OFFSET 0 0 0").replace("CHANNELS 3", "CHANNELS 6 Xposition Yposition Zposition")
BENT = {
    "too few frames in the header": (GOOD.replace("Frames: 2", "Frames: 1"), "announces 1 frames, the file has 2"),
    "too many": (GOOD.replace("Frames: 2", "Frames: 9"), "announces 9 frames, the file has 2"),
    "a name twice": (GOOD.replace("JOINT head", "JOINT hips"), "1 joints have the name of another, such as 'hips'"),
    "channels of an end": (GOOD.replace("OFFSET 0 3 0", "OFFSET 0 3 0\nCHANNELS 0"), ""),
    "offsets 0": (ZERO.replace("0 10 20 30", "0 0 10 0 10 20 30"), "the positions of the first frame stand for them"),
    "another encoding": (GOOD.replace("head", "k\xf6pf"), ""),
}


@pytest.mark.parametrize("case", BENT)
def test_what_other_programs_read_is_read(tmp_path: Path, case: str, caplog: pytest.LogCaptureFixture) -> None:
    text, warning = BENT[case]
    expected = read(GOOD, tmp_path)
    path = tmp_path / "bent.bvh"
    path.write_bytes(text.encode("latin-1"))
    motion = read_bvh(path)
    assert motion.fps == expected.fps

    def places(motion: Motion) -> torch.Tensor:
        joints: Any = resolve_spec("representation", dict(motion.representation)).build()
        return joints.positions(motion.values.double())

    torch.testing.assert_close(places(motion), places(expected), rtol=0, atol=1e-5)
    assert warning in caplog.text and bool(caplog.messages) == bool(warning)


@pytest.mark.parametrize("frames", ["Frames: 1", "Frames: 0"])
def test_one_frame_needs_no_frame_time(tmp_path: Path, frames: str) -> None:
    lines = GOOD.replace("Frames: 2", frames).replace("Frame Time: 0.04", "Frame Time: 0.000000").splitlines()
    motion = read("\n".join(lines[:-1]), tmp_path)
    assert len(motion.values) == 1 and motion.fps == 30


@pytest.mark.parametrize("nested", [True, False])
def test_a_great_many_joints(tmp_path: Path, nested: bool) -> None:
    count = 3_000
    joint = "JOINT j{} {{ OFFSET 0 1 0 CHANNELS 0 " + ("" if nested else "}} ")
    body = "".join(joint.format(k) for k in range(count)) + ("} " * count if nested else "")
    text = f"HIERARCHY ROOT a {{ OFFSET 0 0 0 CHANNELS 3 Xposition Yposition Zposition {body} }} MOTION "
    motion = read(text + "Frames: 1 Frame Time: 1\n0 0 0", tmp_path)
    reread = read_bvh(write_bvh(motion, tmp_path / "again.bvh"))
    assert reread.representation["parents"] == motion.representation["parents"]
    assert (tmp_path / "again.bvh").stat().st_size < 400 * count, "not the square of their number"


@pytest.mark.parametrize("kind", ["roots", "names"])
def test_many_roots_and_many_joints_of_one_name(tmp_path: Path, kind: str) -> None:
    """Linear in their number: with the square, 20 000 of either took a minute."""
    count = 20_000
    joint = "{} {{ OFFSET 0 1 0 CHANNELS 0 }}\n"
    if kind == "roots":
        body = "".join(joint.format(f"ROOT r{k}") for k in range(count))
    else:
        body = f"ROOT a {{ OFFSET 0 0 0 CHANNELS 0 {joint.format('JOINT same') * count} }}"
    path = tmp_path / "many.bvh"
    path.write_text(f"HIERARCHY\n{body}\nMOTION\nFrames: 0\nFrame Time: 1\n")
    started = time.process_time()
    skeleton = parse(path)[0]
    assert time.process_time() - started < 5
    assert len(set(skeleton.names)) == len(skeleton.names) >= count
    assert kind == "roots" or skeleton.names[1:3] == ["same", "same.001"]
