import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headmotion.training.contrastive_phase import apart


@given(
    clips=st.integers(1, 5),
    frames=st.integers(5, 60),
    width=st.integers(1, 5),
    most=st.integers(1, 20),
    seed=st.integers(0, 99),
)
def test_windows_of_a_clip_share_no_frame(clips: int, frames: int, width: int, most: int, seed: int) -> None:
    starts = apart(np.random.default_rng(seed), clips, frames, width, most)
    assert starts.shape == (clips, min(most, frames // width))
    assert (starts >= 0).all() and (starts + width <= frames).all()
    assert (np.diff(starts, axis=1) >= width).all()


def test_every_window_of_a_clip_is_drawn() -> None:
    starts = apart(np.random.default_rng(0), 2000, 7, 5, 4)
    assert sorted(set(starts.ravel())) == [0, 1, 2]
