"""MS-Sync on features of Whisper: the recipe trains, and its model streams what it generates."""

from pathlib import Path

import numpy as np
import torch

import headmotion as hm
from headmotion.core.checkpoint import read_header
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.training import train

SMALL = [
    "phases.syncers.steps=1",
    "phases.syncers.batch_size=4",
    "phases.syncers.group_size=4",
    "phases.generator.steps=1",
    "data.batch_size=2",
]


def test_the_recipe_trains_and_its_model_streams(tmp_path: Path) -> None:
    corpus = write_synthetic(tmp_path / "corpus", clips=4, seconds=3.2)
    overrides = [*SMALL, f"data.feature_cache={tmp_path / 'features'}"]
    model = train("small-whisper", [corpus], tmp_path / "run", device="cpu", overrides=overrides, quiet=True)
    assert len(list((tmp_path / "features").iterdir())) >= 3
    # The weights of the encoder are in the package, and their SHA-256 is in the checkpoint.
    header = read_header(model)
    assert not any(name.startswith("audio_encoder.") for name in header.tensors)
    assert len(header.spec["audio_encoder"]["weights_sha256"]) == 64

    pipe = hm.load(model, device="cpu")
    assert pipe.lookahead_ms() == 280 and pipe.spec.steps_per_frame == 2
    wave = hm.Audio.load(next(corpus.glob("*.flac"))).read(16_000)
    expected = pipe.generate((wave, 16_000)).values
    session, parts = pipe.stream(), []
    for chunk in np.split(wave, [1, 7000, 7001, 23_456]):
        parts.append(session.push(chunk).values)
        if len(parts) == 3:
            path = session.snapshot(tmp_path / "state.safetensors")
            session = pipe.restore(path)
    streamed = torch.cat([*parts, session.flush().values])
    assert len(streamed) == 80 and (streamed - expected).abs().max() < 1e-5
