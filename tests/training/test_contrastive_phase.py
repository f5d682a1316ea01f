import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headmotion.training.contrastive_phase import non_overlapping_windows


@given(
    clips=st.integers(1, 5),
    frames=st.integers(5, 60),
    width=st.integers(1, 5),
    max_count=st.integers(1, 20),
    seed=st.integers(0, 99),
)
def test_windows_of_a_clip_share_no_frame(clips: int, frames: int, width: int, max_count: int, seed: int) -> None:
    starts = non_overlapping_windows(np.random.default_rng(seed), clips, frames, width, max_count)
    assert starts.shape == (clips, min(max_count, frames // width))
    assert (starts >= 0).all() and (starts + width <= frames).all()
    assert (np.diff(starts, axis=1) >= width).all()


def test_windows_start_at_every_frame() -> None:
    starts = non_overlapping_windows(np.random.default_rng(0), 2000, 7, 5, 4)
    assert sorted(set(starts.ravel())) == [0, 1, 2]
