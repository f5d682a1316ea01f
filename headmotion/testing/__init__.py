"""The conformance kit: named checks, in three levels, of what each kind of part promises, for plugins and headmotion.

In a plugin's own tests::

    from headmotion.testing import ComponentTests, check_component

    class TestMine(ComponentTests):  # with pytest: one test per check
        spec = MySpec()
        expected_failures = {"name-of-check": "reason"}

    check_component(MySpec())  # anywhere: an AssertionError that names every broken promise

The tests of a package that is not installed need a line in ``conftest.py``, see `plugin_fixture`.

Checks over many sizes use Hypothesis, which comes with ``pip install 'headmotion[testing]'``.
"""

from . import checks as checks  # fills CHECKS
from .build_context import Subject as Subject
from .drawn_faces import write_drawn_faces as write_drawn_faces
from .installed_plugin import installed_plugin as installed_plugin
from .installed_plugin import plugin_fixture as plugin_fixture
from .kit import CHECKS as CHECKS
from .kit import LEVELS as LEVELS
from .kit import VERSION as VERSION
from .kit import Check as Check
from .kit import checks_of as checks_of
from .plugin import check_plugin as check_plugin
from .plugin import report as report
from .pytest_suite import ComponentTests as ComponentTests
from .runner import CheckResult as CheckResult
from .runner import check_audio_encoder as check_audio_encoder
from .runner import check_component as check_component
from .runner import check_control as check_control
from .runner import check_detector as check_detector
from .runner import check_discriminator as check_discriminator
from .runner import check_generator as check_generator
from .runner import check_loss as check_loss
from .runner import check_metric as check_metric
from .runner import check_phase as check_phase
from .runner import check_renderer as check_renderer
from .runner import check_representation as check_representation
from .runner import check_syncer as check_syncer
from .runner import run_checks as run_checks
