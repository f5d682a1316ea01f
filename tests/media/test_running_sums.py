import numpy as np

from headmotion.media.running_sums import BLOCK, RunningSums

RATE, SECONDS = 16_000, 10.0
VALUES = np.random.default_rng(1).normal(size=(2, 2 * BLOCK + 100))


def summed(sizes: list[int]) -> np.ndarray:
    """Return the sums of `VALUES` in chunks of these sizes in turn, each by sums that continue those before."""
    state, parts, first = RunningSums(RATE).get_state(), [], 0
    while first < VALUES.shape[1]:
        sums = RunningSums(RATE)
        sums.set_state(state)
        chunk = VALUES[:, first : first + min(sizes[0], sums.left_of_block)]
        parts.append(sums.add("values", chunk, SECONDS))
        sums.advance(chunk.shape[1])
        state, first, sizes = sums.get_state(), first + chunk.shape[1], [*sizes[1:], sizes[0]]
    return np.concatenate(parts, axis=1)


def test_older_values_count_exponentially_less() -> None:
    decay, expected, total = np.exp(-1 / (SECONDS * RATE)), [], np.zeros(2)
    for value in VALUES.T:
        total = decay * total + value
        expected.append(total)
    np.testing.assert_allclose(summed([BLOCK]).T, expected, rtol=1e-9, atol=1e-9)


def test_sums_do_not_depend_on_the_chunks() -> None:
    assert np.array_equal(summed([BLOCK]), summed([1, 960, 7, 3000]))


def test_a_count_is_the_sum_of_ones() -> None:
    sums = RunningSums(RATE)
    for _ in range(2):
        np.testing.assert_allclose(sums.count(BLOCK, SECONDS), sums.add("ones", np.ones((1, BLOCK)), SECONDS)[0])
        sums.advance(BLOCK)


def test_only_sums_of_other_names_begin_anew() -> None:
    sums, one = RunningSums(RATE), np.ones((1, 1))
    for name in ("kept", "other"):
        sums.add(name, one, SECONDS)
    sums.advance(1)
    sums.keep_only("kept")
    assert sums.add("kept", one, SECONDS) > 1.9 and sums.add("other", one, SECONDS) < 1.1


def test_silence_becomes_zero_and_no_denormal_number() -> None:
    sums = RunningSums(8000)
    last = np.ones((1, 1))
    for k in range(400):
        last = sums.add("values", np.full((1, BLOCK), float(k == 0)), 0.25)
        sums.advance(BLOCK)
    assert not last.any()
