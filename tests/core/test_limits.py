"""The resource policy: what a small file can ask for, and what is opened at all."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

import headmotion as hm
from headmotion.core.build_budget import BuildBudget
from headmotion.core.checkpoint import read_header, save_checkpoint
from headmotion.core.errors import SpecError
from headmotion.core.files import open_regular, read_regular, reason_of
from headmotion.core.limits import limit
from headmotion.core.npz import read_arrays
from headmotion.core.plugins import registry
from headmotion.core.weights import load_weights
from headmotion.data.corpus import open_corpus
from headmotion.data.import_folder import import_folder
from headmotion.data.pair_format import PairReader
from headmotion.evaluation.report import Report
from headmotion.media.audio import Audio
from headmotion.representations.bvh import read_bvh
from headmotion.sync.trained import load_syncers
from headmotion.training.recipe import load_recipe

READERS = {
    "npz": lambda path: read_arrays(path, "values"),
    "motion.npz": hm.Motion.load,
    "motion.json": hm.Motion.load,
    "walk.bvh": read_bvh,
    "model.safetensors": lambda path: hm.load(path, device="cpu"),
    "header.safetensors": read_header,
    "syncers.safetensors": load_syncers,
    "weights.safetensors": lambda path: load_weights(torch.nn.Linear(1, 1), str(path), "net"),
    "report.json": Report.load,
    "recipe.yaml": load_recipe,
    "speech.wav": Audio.load,
    "corpus/index.csv": lambda path: open_corpus(path.parent),
    "corpus/header.json": lambda path: open_corpus(path.parent),
}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
@pytest.mark.parametrize("kind", ["pipe", "device", "link", "folder"])
@pytest.mark.parametrize("name", READERS)
def test_only_regular_files_are_opened(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    if kind == "pipe":
        os.mkfifo(path)  # opening it would wait for a writer for ever
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero" if kind == "device" else tmp_path / "loop")
        (tmp_path / "loop").symlink_to(path)
    with pytest.raises((hm.HeadmotionError, OSError)) as caught:
        READERS[name](path)
    assert "Error" not in str(caught.value), "no name of a Python class"


def test_a_regular_file_is_read_up_to_a_bound(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link", 5) == b"12345"
    with open_regular(tmp_path / "file") as stream:
        assert stream.read() == b"12345"
    with pytest.raises(OSError, match="More than 4 bytes"):
        read_regular(tmp_path / "file", 4)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FileNotFoundError(2, "No such file", "x"), "No such file"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "text that is not UTF-8"),
        (KeyError("values"), "no 'values'"),
        (RecursionError("x"), "values nested too deep"),
        (MemoryError(), "not enough memory"),
        (ValueError(), "damaged"),
    ],
)
def test_reasons_name_no_class(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason


def test_limits_are_lifted_by_an_explicit_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    huge = {"type": "keypoints", "points": 70_000}
    with pytest.raises(hm.SpecError, match=r"at most 65,536 points, got 70,000; .*HEADMOTION_LIMIT_FACTOR"):
        hm.resolve_spec("representation", huge)
    monkeypatch.setenv("HEADMOTION_LIMIT_FACTOR", "2")
    assert hm.resolve_spec("representation", huge) and limit(10) == 20
    for wrong in ("0.5", "nan", "many", "inf"):
        monkeypatch.setenv("HEADMOTION_LIMIT_FACTOR", wrong)
        with pytest.raises(hm.HeadmotionError, match="HEADMOTION_LIMIT_FACTOR: expected a number from 1 up"):
            limit(10)


def test_a_small_motion_cannot_name_many_points(tmp_path: Path) -> None:
    motion = hm.Motion(torch.zeros(2, 10, 2), 25, {"type": "keypoints", "points": 10**5}, units="px")
    motion.save(tmp_path / "m.npz")
    with pytest.raises(hm.SpecError, match="at most 65,536 points"):
        hm.resolve_spec("representation", dict(hm.Motion.load(tmp_path / "m.npz").representation))


def test_a_wide_spec_without_tensors_is_not_built(tmp_path: Path) -> None:
    wide = {"type": "ms-sync", "hidden_size": 4096, "encoder_size": 4096, "preset": "small"}
    spec = hm.PipelineSpec.model_validate({"generator": wide}).model_dump(mode="json")
    path = save_checkpoint(tmp_path / "wide.safetensors", spec, {})
    with pytest.raises(hm.CheckpointError, match=r"a spec of at most .* bytes, as its tensors suggest"):
        hm.load(path, device="cpu")


def test_the_budget_counts_before_anything_is_allocated() -> None:
    with BuildBudget("file", 1 << 20, []) as budget:
        torch.nn.Linear(1000, 1000)
        assert 4_000_000 <= budget.spent < 5_000_000
        for make in (torch.empty, torch.zeros, torch.ones, torch.randn):
            with pytest.raises(hm.CheckpointError, match="HEADMOTION_LIMIT_FACTOR"):
                make(1 << 40, 1 << 10)
            budget.spent = 0
        with pytest.raises(hm.CheckpointError):
            torch.zeros(1).new_empty((1 << 40,))


PAIR = torch.zeros(2)


@pytest.mark.parametrize(
    "make",
    [
        *(lambda: torch.empty(3, 4), lambda: torch.empty((3, 4)), lambda: torch.zeros(size=(3, 4), dtype=torch.int16)),
        *(lambda: torch.ones([3]), lambda: torch.rand(()), lambda: torch.full((3, 2), 1.5), lambda: torch.eye(3)),
        *(lambda: torch.eye(3, 2), lambda: torch.arange(0.0, 1, 0.3), lambda: torch.linspace(0, 1, steps=5)),
        *(lambda: torch.randint(0, 9, (3,), dtype=torch.int32), lambda: torch.empty_strided((2, 3), (3, 1))),
        *(lambda: PAIR.new_ones(3, 4), lambda: PAIR.new_full((3,), 1.0), lambda: torch.zeros(0)),
    ],
)
def test_the_budget_counts_the_size_of_each_new_tensor(make: Callable[[], torch.Tensor]) -> None:
    with BuildBudget("file", 0, []) as budget:
        tensor = make()
    assert budget.spent == tensor.numel() * tensor.element_size()


def test_the_sound_of_a_pair_is_not_read_far_beyond_its_motion(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "a.flac", "w", 16_000, 1) as file:
        for _ in range(100):
            file.write(np.zeros(160_000, np.int16))
    np.savez(tmp_path / "a.npz", landmarks=np.zeros((25, 68, 2), np.float32), fps=25)
    with pytest.raises(hm.CorpusError, match="16000 mono samples"):
        PairReader(tmp_path).read(SimpleNamespace(id="a", tracks=()))
    soundfile.write(tmp_path / "a.flac", np.zeros((16_000, 8), np.int16), 16_000)
    with pytest.raises(hm.CorpusError, match=r"8 channels in a\.flac"):
        PairReader(tmp_path).read(SimpleNamespace(id="a", tracks=()))
    assert len(Audio.load(tmp_path / "a.flac").read(16_000, 100)) == 100


def test_a_folder_with_hours_of_silence_beside_a_short_motion(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", np.zeros(1_600_000, np.int16), 16_000)
    np.savez(tmp_path / "a.npz", landmarks=np.zeros((25, 68, 2), np.float32), fps=25)
    with pytest.raises(hm.CorpusError, match="samples"):
        import_folder(tmp_path, tmp_path / "out")


def _integer_fields() -> list[tuple[str, str, str]]:
    """Every integer of every spec that comes with headmotion, by kind, type and name."""
    return [
        (kind, name, field)
        for (kind, name), spec in registry().specs.items()
        for field, info in spec.model_fields.items()
        if registry().owners[kind, name] in OWN and info.annotation in (int, int | None) and field not in FREE
    ]


OWN = {record.name for record in registry().records if record.dist == "headmotion"}
FREE = {"steps", "max_clips", "seed"}
"""What a large number of costs no memory."""


@pytest.mark.parametrize(("kind", "name", "field"), _integer_fields())
def test_no_integer_of_a_spec_may_be_huge(kind: str, name: str, field: str) -> None:
    """Widths, windows, frames and pixels multiply memory: none is without a bound."""
    with pytest.raises(SpecError, match=field):
        registry().resolve(kind, name).model_validate({"type": name, field: 10**9})
