"""Clips in any representation that the detector gives, also one without a place in the picture."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pytest
import soundfile
import torch
from blobs import Blobs, BlobsSpec, nodding, picture, pose, talking, video
from click.testing import CliRunner

import headmotion as hm
from headmotion.cli import cli
from headmotion.core.errors import CorpusError, SpecError
from headmotion.data.corpus import Corpus, open_corpus
from headmotion.preparation import prepare


class ShapesSpec(hm.DetectorSpec):
    """Red squares are faces, whose jaw is open as far as they are to the right."""

    type: Literal["blobs/shapes"] = "blobs/shapes"
    representations: ClassVar[tuple[str, ...]] = ("landmarks68-3d", "blendshapes")

    def build(self, context: hm.BuildContext) -> hm.Detector:
        return Shapes(self, context.representation)


class Shapes(hm.Detector):
    def __init__(self, spec: ShapesSpec, representation: hm.Representation) -> None:
        super().__init__(spec)
        self.representation, self.squares = representation, Blobs(BlobsSpec())
        self.label_names = ("left",)

    def detect(self, images: Sequence[np.ndarray]) -> list[list[hm.Detection]]:
        return [
            [hm.Detection(self.poses_as([each], self.representation)[0], each.box) for each in self.squares.find(image)]
            for image in images
        ]

    def poses_as(self, detections: Sequence[hm.Detection], representation: hm.Representation) -> torch.Tensor:
        made = []
        for left, top, right, bottom in (each.box for each in detections):
            middle = (left + right) / 2
            if representation.name == "blendshapes":
                values = representation.neutral()
                values[representation.point_names.index("jawOpen")] = middle / 160
                made.append(values)
            else:
                made.append(pose(middle, (top + bottom) / 2, right - left))
        return torch.stack(made) if made else torch.zeros(0, representation.points, representation.dims)

    def labels(self, detections: Sequence[hm.Detection]) -> torch.Tensor:
        return torch.tensor([[each.box[0]] for each in detections])


def run(videos: Path, output: Path, representation: object, **options: object) -> Corpus:
    made = prepare(videos, output, ShapesSpec(), representation, workers=0, quiet=True, **options)  # type: ignore[arg-type]
    return open_corpus(made)


def test_numbers_without_a_place_follow_the_faces(tmp_path: Path) -> None:
    """The face is hidden for three frames, in which its weights are filled in like points."""
    (tmp_path / "v").mkdir()
    hidden = [picture() if 30 <= k < 33 else each for k, each in enumerate(nodding(60))]
    video(tmp_path / "v/a.mkv", hidden, talking(2.4))
    shapes = run(tmp_path / "v", tmp_path / "shapes", "blendshapes", frames=64, labels=True)
    points = run(tmp_path / "v", tmp_path / "points", "landmarks68-3d", frames=64)
    stored = [
        json.loads((tmp_path / name / "corpus.json").read_text())["representation"] for name in ("shapes", "points")
    ]
    assert [each["type"] for each in stored] == ["blendshapes", "landmarks68-3d"]
    (values,), (face,) = shapes, points
    assert values.landmarks.shape == (60, 52, 1) and values.checks == face.checks and values.id == face.id
    jaw = values.landmarks[:, FACE_SHAPES.point_names.index("jawOpen"), 0]
    x, _, side = face.checks["crop_box"]
    middle = (face.landmarks[..., 0].min(1) + face.landmarks[..., 0].max(1)) / 2 * side / 64 + x
    np.testing.assert_allclose(jaw, middle / 160, atol=5e-3)
    assert (np.delete(values.landmarks, FACE_SHAPES.point_names.index("jawOpen"), axis=1) == 0).all()
    assert values.labels.shape == (60, 1) and values.frames.size == (64, 64)
    assert np.array_equal(values.frames.read(), face.frames.read())


FACE_SHAPES = hm.resolve_spec("representation", "blendshapes").build()


class NumbersSpec(ShapesSpec):
    type: Literal["blobs/numbers"] = "blobs/numbers"  # type: ignore[assignment]

    def build(self, context: hm.BuildContext) -> hm.Detector:
        return Numbers(self)


class Numbers(hm.Detector):
    """Gives numbers and does not say where they are."""

    def detect(self, images: Sequence[np.ndarray]) -> list[list[hm.Detection]]:
        return [[] for _ in images]


def test_a_detector_that_knows_of_no_points_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    video(tmp_path / "v/a.mkv", nodding(5), talking(0.2))
    with pytest.raises(SpecError, match="gives landmarks too, because blendshapes have no place"):
        prepare(tmp_path / "v", tmp_path / "c", NumbersSpec(), "blendshapes", workers=0, quiet=True)
    with pytest.raises(SpecError, match="representation"):
        run(tmp_path / "v", tmp_path / "c", "blendshape")
    assert not list((tmp_path / "c").rglob("*.json"))


def test_a_folder_of_pairs_is_looked_at_anew(tmp_path: Path) -> None:
    """Videos have no sound of their own; speakers and splits are those of the index."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    with (folder / "index.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["id", "speaker", "split", "license", "distribute"])
        for number, (speaker, split) in enumerate([("anna", "train"), ("bert", "val")]):
            rows.writerow([f"clip{number}", speaker, split, "CC0" if number else "", 1 - number])
            np.savez(folder / f"clip{number}.npz", landmarks=np.zeros((60, 68, 2), np.float32), fps=25)
            soundfile.write(folder / f"clip{number}.flac", talking(2.4), 16_000)
            video(folder / f"clip{number}.mp4", nodding(60))
    corpus = run(folder, tmp_path / "c", "blendshapes", license="CC BY 4.0")
    known = [(clip.source, clip.speaker, clip.split, clip.license, clip.distribute) for clip in corpus]
    assert known == [("clip0.mp4", "anna", "train", "CC BY 4.0", True), ("clip1.mp4", "bert", "val", "CC0", False)]
    for clip in corpus:
        assert clip.landmarks.shape == (60, 52, 1)
        np.testing.assert_allclose(clip.audio, talking(2.4), atol=1e-4)
    (folder / "clip0.flac").unlink()
    assert len(run(folder, tmp_path / "one", "landmarks68-3d")) == 1
    assert "no_audio" in (tmp_path / "one/rejected.jsonl").read_text()


def test_the_command(tmp_path: Path, shared: Path) -> None:
    """The pair format of GRID: 128 x 128 pixels, the sound in a file of its own."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("bbaf4p.mp4", "bbaf4p.flac"):
        (folder / name).symlink_to(shared / "data/grid_s1" / name)
    chosen = ["--representation", '{"type": "blendshapes"}', "-q", "--workers", "0"]
    result = CliRunner().invoke(cli, ["prepare", str(folder), "-o", str(tmp_path / "c"), *chosen])
    assert result.exit_code == 0, result.output
    (clip,) = open_corpus(tmp_path / "c")
    assert (
        clip.landmarks.shape == (75, 52, 1) and clip.landmarks[:, FACE_SHAPES.point_names.index("jawOpen")].max() > 0.2
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "only.npz").touch()
    with pytest.raises(CorpusError, match="videos, or folders with videos"):
        prepare(empty, tmp_path / "none", representation="mesh478", quiet=True)
