from pathlib import Path

import pytest
import torch

import headmotion as hm
from headmotion.core.errors import CorpusError
from headmotion.data.corpus import open_corpora
from headmotion.training.batches import Batches
from headmotion.training.recipe import DataSpec, load_recipe

# Python 3.12 and later warn of forks beside the threads that every program with torch has.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def batches(corpus: Path, workers: int, steps: int = 5) -> Batches:
    pipe = hm.build(load_recipe("smoke").pipeline, device="cpu")
    clips = open_corpora([corpus])
    spec = DataSpec(batch_size=6, workers=workers)
    return Batches(clips, spec, pipe.audio_encoder, pipe.context(), 30, seed=1, steps=steps)


def test_workers_read_the_same_batches_bit_for_bit(small_corpus: Path) -> None:
    alone, helped = batches(small_corpus, 0), batches(small_corpus, 2)
    torch.manual_seed(3)
    for step in (0, 1, 2, 1, 2, 3, 4):
        one, other = alone(step), helped(step)
        assert torch.equal(one.motion, other.motion) and torch.equal(one.audio, other.audio)
        assert one.clips == other.clips and len(one.clips) == 6
    after = torch.rand(3)
    torch.manual_seed(3)
    assert torch.equal(after, torch.rand(3)), "reading drew from the training's chance"


def broken(*_: object) -> None:
    """Not within the test, for a worker that is not forked imports it."""
    raise CorpusError("clip a", "a whole file", "half of it", "copy it anew")


def test_an_error_in_a_worker_is_the_error_itself(small_corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helped = batches(small_corpus, 1)
    monkeypatch.setattr(helped.cutter, "_cut", broken)
    with pytest.raises(CorpusError) as caught:
        helped(0)
    assert str(caught.value) == "clip a: expected a whole file, got half of it; copy it anew"
