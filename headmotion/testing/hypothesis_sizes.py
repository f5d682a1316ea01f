"""Checks over many sizes, drawn by Hypothesis: the same each time, and the smallest that fails is named."""

from __future__ import annotations

from collections.abc import Callable

from ..core.lazy import require_packages

require_packages(["hypothesis"], "headmotion[testing]", "headmotion.testing")

from hypothesis import HealthCheck, Verbosity, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

EXAMPLES = 8
"""Sizes that are tried; more find little in shapes, and a kit that takes minutes is not run."""


def over_sizes(body: Callable[..., None], **sizes: tuple[int, int]) -> None:
    """Call ``body`` with sizes drawn from each range, both ends included.

    Raises:
        AssertionError: the body's own; the smallest sizes at which it failed are named. Its other errors pass.
    """
    failed: list[str] = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(**{name: st.integers(*bounds) for name, bounds in sizes.items()})
    def drawn(**given: int) -> None:
        try:
            body(**given)
        except AssertionError:
            failed.append(", ".join(f"{name}={size}" for name, size in given.items()))
            raise

    try:
        drawn()
    except AssertionError as error:
        raise AssertionError(f"with {failed[-1]}: {error}") from error
