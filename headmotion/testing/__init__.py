"""The conformance kit: named checks of what each kind of part promises, for plugin authors and for headmotion itself.

In a plugin's own tests, with or without pytest::

    from headmotion.testing import check_generator

    def test_conforms():
        check_generator("my-plugin/my-generator", expected_failures={"name-of-check": "why it may fail"})

A check is a function; its docstring is the promise, and its name with hyphens is the name of the check.
"""

from . import motion_checks as motion_checks  # the three modules of checks fill CHECKS
from . import part_checks as part_checks
from . import spec_checks as spec_checks
from .runner import CHECKS as CHECKS
from .runner import CheckResult as CheckResult
from .runner import Subject as Subject
from .runner import assert_conforms as assert_conforms
from .runner import check_audio_encoder as check_audio_encoder
from .runner import check_discriminator as check_discriminator
from .runner import check_generator as check_generator
from .runner import check_plugin as check_plugin
from .runner import check_renderer as check_renderer
from .runner import check_representation as check_representation
from .runner import check_syncer as check_syncer
from .runner import run_checks as run_checks
