"""The bundled model `blendshapes`: files for other programs at once, and a jaw that follows speech."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import headmotion as hm
from headmotion.cli import cli
from headmotion.core.plugins import registry
from headmotion.metrics.mouth_opening import best_correlation
from headmotion.preparation import prepare
from headmotion.representations.blendshapes import NAMES

ASSETS = Path(str(files("headmotion") / "assets"))
JAW = NAMES.index("jawOpen")


@pytest.fixture(scope="module")
def pipe() -> hm.Pipeline:
    return hm.load("blendshapes", device="cpu")


def test_the_file_is_small_and_says_what_it_is(pipe: hm.Pipeline) -> None:
    path = registry().models["blendshapes"]
    assert path.stat().st_size <= 8_000_000
    assert pipe.representation.name == "blendshapes" and pipe.lookahead_ms() == 280
    assert pipe.card["speakers"] >= 7 and any("GRID" in source for source in pipe.card["sources"])
    result = CliRunner().invoke(cli, ["licenses"])
    assert "blendshapes.safetensors" in result.output


def test_speech_becomes_weights(pipe: hm.Pipeline, tmp_path: Path) -> None:
    speech = ASSETS / "speech.flac"
    for name in ("talk.csv", "talk.npz"):
        arguments = ["animate", str(speech), "--model", "blendshapes", "-o", str(tmp_path / name)]
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 0, result.output
    header = (tmp_path / "talk.csv").read_text().splitlines()[0].split(",")
    assert header == ["time", *NAMES]
    motion = hm.Motion.load(tmp_path / "talk.npz")
    jaw = motion.values[:, JAW, 0]
    assert motion.values.shape[1:] == (52, 1) and bool(motion.values.isfinite().all())
    assert jaw.std() > 0.03 and motion.values.min() >= 0 and motion.values.max() <= 1
    assert motion.values[:, NAMES.index("tongueOut")].max() < 1e-3  # which the detector does not see
    session = pipe.stream()
    wave = np.concatenate(list(hm.Audio.coerce(speech).blocks(16_000)))
    parts = [session.push(wave[start : start + 3000]) for start in range(0, len(wave), 3000)]
    streamed = hm.Motion.concatenate([*parts, session.flush()])
    torch.testing.assert_close(streamed.values, motion.values, atol=1e-4, rtol=0)


def test_a_range_that_is_none() -> None:
    with pytest.raises(hm.SpecError, match="the least value first"):
        hm.resolve_spec("generator", {"type": "causal-flow", "value_range": [1, 0]})


def test_a_head_for_other_programs(tmp_path: Path) -> None:
    pytest.importorskip("pygltflib", reason="needs the extra gltf")
    target = tmp_path / "talk.glb"
    picture = ["--image", str(ASSETS / "portrait.png")]
    arguments = ["animate", str(ASSETS / "speech.flac"), "--model", "blendshapes", *picture, "-o", str(target)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    content = target.read_bytes()
    size = int.from_bytes(content[12:16], "little")
    assert json.loads(content[20 : 20 + size])["meshes"][0]["extras"]["targetNames"] == list(NAMES)


def test_a_picture_is_where_the_motion_starts(pipe: hm.Pipeline) -> None:
    """She smiles, and goes on smiling while she speaks."""
    smile = NAMES.index("mouthSmileLeft")
    plain = pipe.generate(ASSETS / "speech.flac")
    smiling = pipe.generate(ASSETS / "speech.flac", reference=ASSETS / "portrait.png")
    assert smiling.values[:, smile].mean() > 0.3 > plain.values[:, smile].mean()


def test_the_jaw_follows_an_unseen_sentence(pipe: hm.Pipeline, shared: Path, tmp_path: Path) -> None:
    """A speaker of GRID who is not in the training data; with another clip's audio the jaw moves otherwise."""
    video = shared / "data/videos/grid_sbwe5n.mpg"
    made = prepare(video, tmp_path / "c", {"type": "face-mesh", "max_faces": 1}, "blendshapes", workers=0, quiet=True)
    from headmotion.data.corpus import open_corpus

    (clip,) = open_corpus(made)
    recorded = clip.landmarks[:, JAW, 0].astype(np.float64)
    generated = [
        pipe.generate((audio, 16_000), clip.landmarks[:1]).values[:, JAW, 0].double().numpy()
        for audio in (clip.audio, clip.audio[::-1].copy())
    ]
    own, reversed_ = (best_correlation(each, recorded, 3) for each in generated)
    assert own > 0.5 and own > reversed_ + 0.1
