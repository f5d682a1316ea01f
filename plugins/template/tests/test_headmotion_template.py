"""The conformance checks. Add tests of the plugin's own features below."""

from headmotion_template.specs import WindowGeneratorSpec

from headmotion.core.plugins import registry
from headmotion.testing import ComponentTests


def test_plugin_is_found() -> None:
    record = next(record for record in registry().records if record.name == "template")
    assert record.status == "ok", record.error
    assert record.types == ("generator:template/window",)


class TestConforms(ComponentTests):
    spec = WindowGeneratorSpec()
