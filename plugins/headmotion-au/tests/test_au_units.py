"""Action units: the representation, its tables, what landmarks and OpenFace say, and corpora of them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from au_corpus import FACE
from headmotion_au.__main__ import main
from headmotion_au.conversion import blendshapes_to_units, units_to_blendshapes
from headmotion_au.facs import BLENDSHAPES, SPEECH_UNITS, sides_of
from headmotion_au.label_corpus import label_corpus
from headmotion_au.landmark_units import SCALES, landmarks_to_units, resting_face
from headmotion_au.openface import read_openface
from headmotion_au.steady_pictures import steady

import headmotion as hm
from headmotion.data.corpus import open_corpus
from headmotion.data.pictures import encode_pictures
from headmotion.data.shard_writer import write_shards
from headmotion.testing import write_drawn_faces

SHAPES = hm.resolve_spec("representation", "blendshapes").build()
UNITS = hm.resolve_spec("representation", "au/action-units").build()
SQUARE = hm.UnitSquare(0.5, 0.5, 1.0)


def of(*names: str) -> list[int]:
    return [SPEECH_UNITS.index(name) for name in names]


def test_units_are_named_numbers_that_are_drawn_as_bars() -> None:
    assert UNITS.point_names == SPEECH_UNITS and UNITS.groups == {"lips": (0, 1, 2, 3), "jaw": (4,)}
    assert not isinstance(UNITS, hm.SupportsPoints2D) and isinstance(UNITS, hm.SupportsDrawing)
    drawn = UNITS.to_drawing2d(torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0])[:, None])
    assert (drawn[5:, 1] - drawn[:5, 1]).tolist() == pytest.approx([0.0, 0.125, 0.25, 0.375, 0.5])
    motion = hm.Motion(torch.rand(3, 5, 1), 25, {"type": "au/action-units"}, SQUARE)
    skeleton = hm.resolve_spec("renderer", {"type": "skeleton", "size": 64}).build(hm.BuildContext(UNITS, 0))
    pictures = list(skeleton.frames([motion]))
    assert len(pictures) == 3 and not np.array_equal(pictures[0], pictures[1])


@pytest.mark.parametrize(
    ("units", "message"), [(["AU1", "AU1"], "units that differ"), (["AU01"], "AU01"), ([], "units"), (["jaw"], "jaw")]
)
def test_names_of_units_are_checked(units: list[str], message: str) -> None:
    with pytest.raises(hm.SpecError, match=message):
        hm.resolve_spec("representation", {"type": "au/action-units", "units": units})


def test_every_shape_of_the_table_is_one_of_arkit() -> None:
    for shapes in BLENDSHAPES.values():
        assert all(side in SHAPES.point_names for stem in shapes for side in sides_of(stem, SHAPES.point_names))


def test_blend_shapes_become_units_by_the_table() -> None:
    values = torch.zeros(52)
    values[SHAPES.point_names.index("jawOpen")] = 0.2
    values[SHAPES.point_names.index("mouthUpperUpLeft")] = 0.4
    units = blendshapes_to_units(values, SHAPES.point_names, SPEECH_UNITS)
    factors = BLENDSHAPES["AU25"]
    parted = 0.2 * factors["jawOpen"] + 0.2 * factors["mouthUpperUp"]
    expected = [0.2 * BLENDSHAPES["AU10"]["mouthUpperUp"], 0, 0, parted, 0.2 * BLENDSHAPES["AU26"]["jawOpen"]]
    assert units.tolist() == pytest.approx(expected)


def test_units_come_back_from_their_blend_shapes() -> None:
    units = torch.tensor([[0.3, 0.2, 0.5, 0.9, 0.6], [0.0, 0.0, 0.0, 0.3, 0.0], [0.0, 0.0, 0.0, 0.1, 0.9]])
    shapes = units_to_blendshapes(units, SPEECH_UNITS, SHAPES.point_names)
    assert shapes.min() >= 0 and shapes.max() <= 1
    torch.testing.assert_close(blendshapes_to_units(shapes, SHAPES.point_names, SPEECH_UNITS), units)
    # A jaw that is open behind closed lips needs the shape for it.
    assert shapes[2, SHAPES.point_names.index("mouthClose")] > 0.5


def test_motions_convert_and_say_what_is_lost() -> None:
    shapes = hm.Motion(torch.rand(4, 52, 1), 25, {"type": "blendshapes"}, SQUARE)
    units = shapes.to({"type": "au/action-units", "units": ["AU12", "AU26"]})
    assert units.values.shape == (4, 2, 1) and units.to("blendshapes").values.shape == (4, 52, 1)
    (step,) = units.provenance["converted"]
    assert "sides of the face" in step["loss"]
    with pytest.raises(hm.MotionError, match=r"units among AU10, .* got AU12"):
        faces = FACE.neutral().expand(2, -1, -1)
        hm.Motion(faces, 25, {"type": "landmarks68"}, SQUARE, "unit").to(units.build_representation())


def talking(opening: float) -> torch.Tensor:
    """Return a face whose lower lip and chin are lower by a share of the distance of the outer eye corners."""
    face = FACE.neutral().clone()
    size = float((face[45] - face[36]).norm())
    face[[55, 56, 57, 58, 59, 65, 66, 67, *range(5, 12)], 1] += opening * size
    return face


def test_geometry_measures_changes_from_the_face_at_rest() -> None:
    half = SCALES["AU26"] / 2
    resting, units = talking(0.0), landmarks_to_units(talking(half), talking(0.0), SPEECH_UNITS)[:, 0]
    assert float(units[of("AU26")]) == pytest.approx(0.5, abs=1e-4)
    assert float(units[of("AU25")]) == pytest.approx(half / SCALES["AU25"], abs=1e-4)
    assert units[of("AU10", "AU14", "AU20")].max() < 1e-4
    assert landmarks_to_units(resting, resting, SPEECH_UNITS).max() < 1e-4


def test_geometry_does_not_depend_on_where_the_head_is() -> None:
    rotation = torch.tensor([[0.96, 0.28], [-0.28, 0.96]])
    moved = 1.3 * (talking(0.05) - 0.5) @ rotation + 0.7
    expected = landmarks_to_units(talking(0.05), talking(0.0), SPEECH_UNITS)
    torch.testing.assert_close(landmarks_to_units(moved, talking(0.0), SPEECH_UNITS), expected, atol=1e-4, rtol=0)


def test_the_face_at_rest_has_closed_lips() -> None:
    motion = torch.stack([talking(0.1 * abs(k - 5) / 5) for k in range(11)])
    torch.testing.assert_close(resting_face(motion), talking(0.0), atol=1e-5, rtol=0)
    with pytest.raises(hm.MotionError, match="at least one frame, or a reference, got none"):
        resting_face(motion[:0])


HEADER = "frame, face_id, timestamp, confidence, success, AU10_r, AU26_r, AU10_c, AU26_c, AU28_c"


def write_csv(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_openface_files_are_read(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv",
        "1, 0, 0.00, 0.98, 1, 0.00, 2.50, 0.00, 1.00, 1.00",
        "2, 0, 0.04, 0.10, 0, 0.00, 0.00, 0.00, 0.00, 0.00",
        "3, 0, 0.08, 0.98, 1, 5.00, 7.50, 1.00, 1.00, 0.00",
    )
    units = read_openface(path, ["AU26", "AU10", "AU28"])
    assert units.intensities.tolist() == [[0.5, 0.0, 1.0], [1.0, 1.0, 0.0]]
    assert units.presence.tolist() == [[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]
    # The frame without a face lies between its neighbors; beyond the end the last one holds.
    assert units.at(np.array([0.04, 1.0])).tolist() == [pytest.approx([0.75, 0.5, 0.5]), [1.0, 1.0, 0.0]]


def test_openface_files_that_do_not_fit_are_one_line(tmp_path: Path) -> None:
    def refuse(message: str, *rows: str, header: str = HEADER) -> None:
        with pytest.raises(hm.MotionError, match=message):
            read_openface(write_csv(tmp_path / "bad.csv", *rows, header=header), ["AU10", "AU26"])

    good = "1, 0, 0.00, 0.98, 1, 0.00, 2.50, 0.00, 1.00, 1.00"
    refuse("expected a header and at least one frame, got none")
    refuse("expected the column AU26_r", "1, 0.0, 1, 0.5", header="frame, timestamp, success, AU10_r")
    refuse("a number in the column AU26_r, got 'much' in frame 1", good.replace("2.50", "much"))
    refuse("a number in the column AU10_r, got 'nan'", good.replace(" 0.00, 2.50", " nan, 2.50"))
    refuse("a face in at least half of the frames, got 0 of 1", good.replace("0.98, 1,", "0.1, 0,"))
    refuse("time stamps that rise", good, good)
    refuse("expected one face, got 2", good, good.replace("1, 0, 0.00", "1, 1, 0.00"))
    with pytest.raises(hm.MotionError, match="expected a CSV file"):
        read_openface(tmp_path / "missing.csv", ["AU10"])


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_faces(tmp_path_factory.mktemp("data") / "faces", clips=3)


def test_a_corpus_of_landmarks_becomes_one_of_units(faces: Path, tmp_path: Path) -> None:
    corpus = open_corpus(label_corpus(faces, tmp_path / "units", quiet=True))
    assert len(corpus) == 3 and corpus[0].landmarks.shape == (25, 5, 1)
    assert 0 <= corpus[0].landmarks.min() < 0.1 and corpus[0].landmarks.max() <= 1
    assert np.array_equal(corpus[0].frames.read(), open_corpus(faces)[0].frames.read())


def test_pictures_can_hold_the_head_still(faces: Path, tmp_path: Path) -> None:
    """A picture that was shifted and turned with its landmarks comes back to where it was."""
    clip = open_corpus(faces)[0]
    still = clip.frames.read()[0].transpose(1, 2, 0)
    size, points = still.shape[0], clip.landmarks[0, :, :2]
    matrices = [cv2.getRotationMatrix2D((size / 2, size / 2), 8 * np.sin(k), 1.0) for k in range(25)]
    for k, matrix in enumerate(matrices):
        matrix[:, 2] += 3 * np.cos(k), 2 * np.sin(2 * k)
    border = {"borderMode": cv2.BORDER_REPLICATE}
    moved = np.stack([cv2.warpAffine(still, matrix, (size, size), **border) for matrix in matrices])
    poses = clip.landmarks.copy()
    # OpenCV counts pixels from their centers.
    poses[..., :2] = [(points - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5 for matrix in matrices]
    restless = replace(clip, landmarks=poses, frames=encode_pictures(moved, quality=95))
    held = steady(restless).frames.read()[..., 8:-8, 8:-8].astype(float)
    before = moved[:, 8:-8, 8:-8].astype(float)
    assert np.abs(held - held.mean(0)).mean() < 0.25 * np.abs(before - before.mean(0)).mean()

    write_shards(tmp_path / "restless", [restless], representation={"type": "landmarks68"})
    (steadied,) = open_corpus(label_corpus(tmp_path / "restless", tmp_path / "units", quiet=True, hold_head=True))
    assert np.array_equal(steadied.frames.read()[..., 8:-8, 8:-8], held)
    with pytest.raises(hm.CorpusError, match="expected pictures to steady, got none"):
        steady(replace(clip, frames=None))


def test_labels_of_a_detector_and_csv_files_are_sources_too(faces: Path, tmp_path: Path) -> None:
    clip = open_corpus(faces)[0]
    shapes = np.zeros((25, 52), np.float32)
    shapes[:, SHAPES.point_names.index("jawOpen")] = 0.4
    labeled = replace(clip, labels=shapes, label_names=SHAPES.point_names)
    write_shards(tmp_path / "labeled", [labeled], representation={"type": "landmarks68"})
    (converted,) = open_corpus(label_corpus(tmp_path / "labeled", tmp_path / "a", "blendshapes", quiet=True))
    assert np.allclose(converted.landmarks[:, of("AU26")], 0.4 * BLENDSHAPES["AU26"]["jawOpen"])
    # Lips part as the landmarks say, not as the jaw does.
    (geometry,) = open_corpus(label_corpus(tmp_path / "labeled", tmp_path / "b", quiet=True))
    assert np.array_equal(converted.landmarks[:, of("AU25")], geometry.landmarks[:, of("AU25")])

    write_csv(tmp_path / f"{clip.id}.csv", *(f"{k}, 0, {k / 25}, 1, 1, 0, {k / 5}, 0, 1, 0" for k in range(25)))
    options = {"units": ["AU26"], "openface": tmp_path, "quiet": True}
    (converted,) = open_corpus(label_corpus(tmp_path / "labeled", tmp_path / "c", "openface", **options))
    assert converted.landmarks[:, 0, 0] == pytest.approx(np.arange(25) / 25, abs=1e-6)


def test_pictures_without_a_face_are_one_line(faces: Path, tmp_path: Path) -> None:
    plain = replace(open_corpus(faces)[0], frames=None)
    write_shards(tmp_path / "plain", [plain], representation={"type": "landmarks68"})
    with pytest.raises(hm.CorpusError, match="expected blend shapes as labels, or pictures, got neither"):
        label_corpus(tmp_path / "plain", tmp_path / "a", "blendshapes", quiet=True)
    with pytest.raises(hm.SpecError, match="a folder of files for openface"):
        label_corpus(tmp_path / "plain", tmp_path / "a", "openface", quiet=True)


def test_a_corpus_of_units_is_not_labeled_again(faces: Path, tmp_path: Path) -> None:
    units = label_corpus(faces, tmp_path / "units", quiet=True)
    for hold_head in (False, True):
        with pytest.raises(hm.CorpusError, match="expected 68 landmarks, got 5 points"):
            label_corpus(units, tmp_path / "again", quiet=True, hold_head=hold_head)


def test_the_command_names_a_mistake_in_one_line(
    faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["au", str(faces), "-o", str(tmp_path / "a"), "--units", "AU12", "--quiet"])
    assert main() == 2
    assert capsys.readouterr().err.startswith("error: action units of landmarks: expected units among AU10")
    assert not (tmp_path / "a" / "corpus.json").exists()
