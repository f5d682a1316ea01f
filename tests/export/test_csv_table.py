"""Tables that headmotion wrote are read back: values, rate, representation and units."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

import headmotion as hm
from headmotion.cli import cli
from headmotion.core.interfaces.specs import resolve_spec
from headmotion.core.plugins import registry
from headmotion.export import write_motion
from headmotion.export.csv_table import column_names

REPRESENTATIONS: list[Any] = [
    *("landmarks68", "landmarks68-3d", "mesh478", "blendshapes", "keypoints"),
    {"type": "mesh478", "dims": 2},
    {"type": "keypoints", "points": 7},
    {"type": "keypoints", "jacobians": True},
]
RATES = [
    Fraction(25),
    Fraction(30),
    Fraction(60),
    Fraction(100),
    Fraction(25, 2),
    Fraction(30000, 1001),
    Fraction(1, 3),
]


def motion_of(description: Any, frames: int = 5, fps: Fraction = Fraction(25), in_pixels: bool = False) -> hm.Motion:
    built = resolve_spec("representation", description).build()
    noise = torch.randn(frames, built.points, built.dims, generator=torch.Generator().manual_seed(1))
    frame = hm.UnitSquare(200.0, 160.0, 300.0) if in_pixels else hm.UnitSquare(0.5, 0.5, 1.0)
    values = built.neutral() + 0.02 * noise
    values = built.denormalize(values, frame) if in_pixels else values
    return hm.Motion(values, fps, built.spec.model_dump(mode="json"), frame, "px" if in_pixels else "unit")


@pytest.mark.parametrize("description", REPRESENTATIONS, ids=str)
@pytest.mark.parametrize("in_pixels", [True, False])
def test_a_table_is_read_back_exactly(description: Any, in_pixels: bool, tmp_path: Path) -> None:
    motion = motion_of(description, in_pixels=in_pixels)
    read = hm.Motion.load(motion.save(tmp_path / "talk.csv"))
    assert torch.equal(read.values, motion.values) and read.fps == motion.fps
    written, reread = (item.build_representation() for item in (motion, read))
    assert (reread.points, reread.dims, reread.point_names) == (written.points, written.dims, written.point_names)
    if description != "blendshapes":  # which have no place in a picture
        assert read.units == motion.units and (read.frame == motion.frame or in_pixels)


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("frames", [2, 3, 30, 4000])
def test_the_rate_is_that_of_the_times(fps: Fraction, frames: int, tmp_path: Path) -> None:
    motion = motion_of({"type": "keypoints", "points": 2}, frames, fps)
    assert hm.Motion.load(motion.save(tmp_path / "talk.csv")).fps == fps


def test_times_of_few_digits_are_the_simplest_rate(tmp_path: Path) -> None:
    lines = ["time,keypoint_0_x,keypoint_0_y,keypoint_1_x,keypoint_1_y", *(f"{k / 30:.3f},0,0,1,1" for k in range(9))]
    (tmp_path / "talk.csv").write_text("\ufeff" + "\r\n".join(lines), "utf-8")
    assert hm.Motion.load(tmp_path / "talk.csv").fps == 30
    (tmp_path / "talk.csv").write_text("\n".join([*lines[:2], "", "  "]))
    assert hm.Motion.load(tmp_path / "talk.csv").fps == 25


def test_the_commands_read_it(tmp_path: Path) -> None:
    table = motion_of("landmarks68").save(tmp_path / "talk.csv")
    shown = CliRunner().invoke(cli, ["inspect", str(table)])
    assert shown.exit_code == 0 and json.loads(shown.output)["representation"]["type"] == "landmarks68"
    exported = CliRunner().invoke(cli, ["export", str(table), "-o", str(tmp_path / "talk.npz")])
    assert exported.exit_code == 0, exported.output
    assert len(hm.Motion.load(tmp_path / "talk.npz")) == 5


BODY = {"type": "joint-positions", "names": ["hip", "knee"], "parents": [-1, 0], "dims": 2}
GOOD = "time,keypoint_0_x,keypoint_0_y,keypoint_1_x,keypoint_1_y\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "a first column 'time', got ''"),
        ("frame,AU01_r\n1,0.2\n", "a first column 'time', got 'frame'"),
        ("time,hip_x,hip_y\n0,1,2\n", "columns that name the points of a representation"),
        (GOOD, "at least one frame"),
        (GOOD + "0,1,2,3\n", "5 numbers in line 2, got 4"),
        (GOOD + "0,1,2,3,4\n\n0.04,1,2,3\n", "5 numbers in line 4, got 4"),
        (GOOD + "0,1,2,3,four\n", "5 numbers in line 2, got 'four' in column 5"),
        (GOOD.replace(",", ";") + "0;1;2;3;4\n", "a first column 'time', got 'time;keypoint_0_x;"),
        (GOOD.replace(",", ";") + "0;1;2;3;4\n", "; separate columns by commas"),
        (GOOD + "0,1;2;3;4\n", "got '1;2;3;4' in column 2; separate numbers by commas, and write them with a point"),
        (GOOD.replace("1_y", "1_x") + "0,1,2,3,4\n", "a name of its own for each column, got 'keypoint_1_x' twice"),
        (
            GOOD + "0,1,2,3,4\n0.000000001,1,2,3,4\n",
            "a rate of more than 0 and at most 1000 frames per second",
        ),
        (GOOD + "0,1,2,3,nan\n", "finite numbers in line 2"),
        (GOOD + "0,1,2,3,4\n\n0.04,1,2,3,1e300\n", "finite numbers in line 4"),
        (GOOD + "0.04,1,2,3,4\n0.08,1,2,3,4\n", "times from 0 on, at one rate, got 0.04 in line 2;"),
    ],
)
def test_what_is_no_table_of_motion_is_one_line(content: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "talk.csv"
    path.write_text(content)
    with pytest.raises(hm.MotionError) as caught:
        hm.Motion.load(path)
    assert says in str(caught.value) and ".npz that can be read" not in str(caught.value)


TIMES = ["0.00", "0.04", "0.08", "0.12", "0.16", "0.20"]


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ([*TIMES[:3], "0.50", "0.54"], "got 0.50 in line 6 after 0.08 in line 5"),
        ([*TIMES[:3], *TIMES[4:]], "got 0.16 in line 6 after 0.08 in line 5"),
        ([*TIMES[:4], *TIMES[2:]], "got 0.08 in line 7 after 0.12 in line 6"),
        ([*TIMES[:4], *TIMES], "got 0.00 in line 7 after 0.12 in line 6"),
        ([*TIMES[:4], *TIMES[3:]], "got 0.12 in line 7 after 0.12 in line 6"),
        ([*TIMES[:4], "-0.16", "0.20"], "got -0.16 in line 7 after 0.12 in line 6"),
        ([*TIMES[:2], "-5", "0.12"], "got -5 in line 5 after 0.04 in line 4"),
    ],
)
def test_the_time_that_leaves_the_rate_is_located(times: list[str], says: str, tmp_path: Path) -> None:
    rows = [f"{time},1,2,3,4" for time in times]
    (tmp_path / "talk.csv").write_text(GOOD + "\n".join([rows[0], "", *rows[1:]]))
    with pytest.raises(hm.MotionError, match="times from 0 on, at one rate") as caught:
        hm.Motion.load(tmp_path / "talk.csv")
    assert says in str(caught.value)


def test_what_other_programs_read_is_not_read_and_says_what_is(tmp_path: Path) -> None:
    with pytest.raises(hm.MotionError, match=r"save the motion as \.npz or \.json"):
        hm.Motion.load(motion_of(BODY).save(tmp_path / "body.csv"))
    with pytest.raises(hm.MotionError, match="a table of Live Link Face is for other programs only"):
        hm.Motion.load(write_motion(motion_of("blendshapes"), tmp_path / "face.csv", "live-link"))
    with pytest.raises(hm.MotionError, match="an existing file"):
        hm.Motion.load(tmp_path / "absent.csv")
    known = registry()
    for suffix in known.motion_writers.keys() - known.motion_readers.keys():
        with pytest.raises(hm.MotionError, match=r"is read \(\.npz, \.json, \.bvh, \.csv\), got .*other programs"):
            hm.Motion.load(tmp_path / f"talk{suffix}")


def test_names_are_of_every_number() -> None:
    assert len(column_names(resolve_spec("representation", "mesh478").build())) == 478 * 3
