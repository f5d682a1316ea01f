"""Checks over many sizes, drawn by Hypothesis: the same in every run, with the smallest failing sizes named."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..core.lazy import require_packages

require_packages(["hypothesis"], "headmotion[testing]", "headmotion.testing")

from hypothesis import HealthCheck, Verbosity, configuration, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

EXAMPLES = 8
"""Combinations of sizes per check; more rarely find faults, and a kit that takes minutes is not used."""


def for_sizes(body: Callable[..., None], **sizes: tuple[int, int]) -> None:
    """Call a function with sizes drawn from ranges.

    Args:
        body: called with one integer per name.
        **sizes: the smallest and the largest value of each, both included.

    Raises:
        AssertionError: the body's own, with the smallest sizes at which it failed. Its other errors pass through.
    """
    failed: list[str] = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        # The same sizes in every run and no database on disk: a check must not pass and fail by chance.
        derandomize=True,
        database=None,
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(**{name: st.integers(*bounds) for name, bounds in sizes.items()})
    def run(**drawn: int) -> None:
        try:
            body(**drawn)
        except AssertionError:
            failed.append(", ".join(f"{name}={size}" for name, size in drawn.items()))
            raise

    try:
        with storing_elsewhere():
            run()
    except AssertionError as error:
        # Hypothesis runs the smallest failing example last.
        raise AssertionError(f"with {failed[-1]}: {error}") from error


@contextmanager
def storing_elsewhere() -> Iterator[None]:
    """Keep what Hypothesis stores, even without a database, out of the working directory."""
    before = configuration.storage_directory(intent_to_write=False).path
    with tempfile.TemporaryDirectory() as folder:
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)
