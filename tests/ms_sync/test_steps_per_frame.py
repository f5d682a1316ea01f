"""MS-Sync from training to motion with two audio steps per frame, as speech encoders at 50 Hz give."""

from pathlib import Path

import headmotion as hm
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.sync.trained import load_syncers
from headmotion.training import train

TWO_STEPS = ["pipeline.steps_per_frame=2", "pipeline.audio_encoder={type: log-mel, hop: 320, window: 640, n_fft: 1024}"]


def test_syncers_and_generator_train_and_measure_at_the_same_rate(tmp_path: Path) -> None:
    corpus = write_synthetic(tmp_path / "corpus", clips=4, seconds=2.2)
    overrides = [*TWO_STEPS, "phases.syncers.steps=1", "phases.generator.steps=1"]
    model = train("smoke", [corpus], tmp_path / "run", device="cpu", overrides=overrides, quiet=True)
    speech = hm.Audio.load(next(corpus.glob("*.flac")))
    motion = hm.load(model, device="cpu").generate(speech)
    assert len(motion) == speech.frames(25) == 55
    trained = load_syncers(tmp_path / "run/syncers.safetensors")
    assert trained.syncers.steps_per_frame == 2
    _, features = trained.inputs(motion.values * 100, speech.read(16_000))
    assert len(features) == 2 * 55 and trained.measure(motion.values * 100, speech.read(16_000))
