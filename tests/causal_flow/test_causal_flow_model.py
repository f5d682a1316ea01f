"""The bundled model: its card, a mouth that follows speech and rests in pauses, and a head that does not leave."""

from pathlib import Path

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.core.checkpoint import read_header
from headmotion.core.default_model import DEFAULT_MODEL
from headmotion.core.plugins import registry
from headmotion.metrics.mouth_opening import opening_curve
from headmotion.pipeline.closed_mouth import mouth_opening

ASSETS = Path(hm.__file__).parent / "assets"


@pytest.fixture(scope="module")
def pipe() -> hm.Pipeline:
    return hm.load(device="cpu")


def test_it_has_a_card() -> None:
    path = registry().models["causal-flow"]
    assert path.stat().st_size <= 8e6 and DEFAULT_MODEL == "causal-flow"
    header = read_header(path)
    assert header.step >= 1000 and len(header.card["commit"]) == 40
    assert header.card["recipe"]["data"]["distributable_only"] is True
    assert all("GRID" in source for source in header.card["sources"])


def test_its_card_says_how_it_came_to_guidance_which_its_recipe_does_not_train() -> None:
    header = read_header(registry().models["causal-flow"])
    assert header.spec["generator"]["condition_dropout"] > 0
    assert not header.card["recipe"]["pipeline"]["generator"].get("condition_dropout")
    assert "fitted afterwards by tools/fit_guidance.py" in header.card["guidance"]


def test_the_mouth_opens_on_speech_and_rests_in_pauses(pipe: hm.Pipeline) -> None:
    speech, reference = hm.Audio.load(ASSETS / "speech.flac"), ASSETS / "portrait_landmarks.npz"
    mouth = opening_curve(pipe.representation, pipe.generate(speech, reference=reference).values)
    wave = speech.read(16_000)
    level = np.sqrt(np.square(wave[: 640 * (len(wave) // 640)].reshape(-1, 640)).mean(1))[: len(mouth)]
    smoothed = np.convolve(level, np.ones(7) / 7, "same")
    loud, quiet = smoothed > 0.3 * smoothed.max(), smoothed < 0.01 * smoothed.max()
    assert mouth[: len(loud)][loud].mean() > mouth[: len(quiet)][quiet].mean() + 0.02


def test_the_mouth_is_closed_in_silence_also_after_speech(pipe: hm.Pipeline) -> None:
    speech = hm.Audio.load(ASSETS / "speech.flac").read(16_000)[: 3 * 16_000]
    wave = np.concatenate([speech, np.zeros(2 * 16_000, np.float32)])
    mouth = opening_curve(pipe.representation, pipe.generate((wave, 16_000)).values)
    assert mouth[100:].mean() < 0.2 * mouth[:75].max()


def test_the_mouth_is_closed_in_every_frame_of_silence_the_last_one_too(pipe: hm.Pipeline) -> None:
    for seed in range(3):
        motion = pipe.generate((np.zeros(4 * 16_000, np.float32), 16_000), seed=seed)
        assert max(mouth_opening(pose, pipe.representation) for pose in motion.values) < 0.02


def test_settings_change_without_training(pipe: hm.Pipeline) -> None:
    still = pipe.with_generator(head_amount=0.0)
    assert still.spec.generator != pipe.spec.generator and still.card == pipe.card
    for name, value in pipe.state_dict().items():
        assert torch.equal(value, still.state_dict()[name])
    with pytest.raises(hm.SpecError, match="expected settings that fit the weights, got width"):
        pipe.with_generator(width=16)
    with pytest.raises(hm.SpecError, match="head_size"):
        pipe.with_generator(head_size=1)


def test_it_stays_a_face_for_a_minute(pipe: hm.Pipeline) -> None:
    speech = hm.Audio.load(ASSETS / "speech.flac").read(16_000)
    motion = pipe.generate((np.resize(speech, 60 * 16_000), 16_000), reference=ASSETS / "portrait_landmarks.npz")
    assert motion.frame is not None and motion.reference is not None
    unit = pipe.representation.normalize(motion.values, motion.frame)
    rest = pipe.representation.normalize(motion.reference, motion.frame)
    assert (unit - rest).abs().max() < 0.25
    # Its head wanders, but does not leave: means over half a minute differ less than it moves in between.
    early, late = (half.mean((0, 1)) for half in unit.chunk(2))
    assert (early - late).abs().max() < 0.03
    shape = torch.cdist(rest, rest)
    assert (torch.cdist(unit, unit) - shape).abs().mean((1, 2)).max() < 0.03
