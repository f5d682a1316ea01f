"""The conformance kit: named checks of what each kind of part promises, for plugin authors and for headmotion itself.

In a plugin's own tests, with or without pytest::

    from headmotion.testing import check_generator

    def test_conforms():
        check_generator(MyGeneratorSpec())

Every check is a function in `headmotion.testing.common`, `headmotion.testing.motion_checks` or
`headmotion.testing.part_checks`; its docstring is the promise.
"""

from . import common, motion_checks, part_checks  # noqa: F401  they fill CHECKS
from .runner import (
    CHECKS,
    LEVEL,
    CheckResult,
    Subject,
    assert_conforms,
    check_audio_encoder,
    check_discriminator,
    check_generator,
    check_plugin,
    check_renderer,
    check_representation,
    check_syncer,
    run_checks,
)

__all__ = [
    "CHECKS",
    "LEVEL",
    "CheckResult",
    "Subject",
    "assert_conforms",
    "check_audio_encoder",
    "check_discriminator",
    "check_generator",
    "check_plugin",
    "check_renderer",
    "check_representation",
    "check_syncer",
    "run_checks",
]
