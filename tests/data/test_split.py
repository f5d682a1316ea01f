"""Splits by speaker: disjoint, stable, and of about the requested size."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headmotion.core.errors import CorpusError
from headmotion.data.index_entry import IndexEntry
from headmotion.data.split import split_by_speaker, split_of

ENTRIES = [IndexEntry("c", f"{speaker}-{k}", f"s{speaker}", "train") for speaker in range(2000) for k in range(2)]


def test_shares_and_disjointness() -> None:
    made = list(split_by_speaker(ENTRIES, val=0.2, test=0.1))
    splits = {split: {e.speaker for e in made if e.split == split} for split in ("train", "val", "test")}
    assert sum(map(len, splits.values())) == 2000, "no speaker is in two"
    assert 350 < len(splits["val"]) < 450 and 150 < len(splits["test"]) < 250
    assert made[5] == replace(ENTRIES[5], split=made[5].split), "nothing else changes"


@given(st.text(), st.integers())
def test_a_speaker_stays_where_it_was(speaker: str, seed: int) -> None:
    before = split_of(speaker, 0.2, 0.2, seed)
    assert split_of(speaker, 0.2, 0.0, seed) == ("train" if before == "test" else before)
    if before == "val":
        assert split_of(speaker, 0.3, 0.2, seed) == "val"


def test_seeds_differ() -> None:
    assert any(split_of(f"s{k}", 0.5, seed=0) != split_of(f"s{k}", 0.5, seed=1) for k in range(20))


def test_unknown_speakers_are_for_training() -> None:
    assert split_of("", 1.0) == "train" and split_of("x", 1.0) == "val" and split_of("x", 0.0) == "train"


@pytest.mark.parametrize("shares", [(-0.1, 0.0), (0.6, 0.6), (float("nan"), 0.0)])
def test_shares_that_are_none(shares: tuple[float, float]) -> None:
    with pytest.raises(CorpusError, match="shares from 0"):
        list(split_by_speaker(ENTRIES[:1], *shares))
