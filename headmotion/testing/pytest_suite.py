"""The checks as a class of tests: derive from it and set one attribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from unittest import SkipTest

from ..core.interfaces.specs import ComponentSpec, ControlSpec, PhaseSpec
from .kit import LEVELS, VERSION, Check, checks_of
from .runner import SpecLike, make_subject, require_known_checks, require_spec, run_check


class ComponentTests:
    """Base of test classes for pytest, with a test for each check of the kind of ``spec``.

    A plugin derives from it and sets one attribute::

        class TestMine(ComponentTests):
            spec = MySpec()

    The other attributes are the options of `run_checks`.
    """

    spec: ClassVar[ComponentSpec | PhaseSpec | ControlSpec]
    representation: ClassVar[SpecLike] = "landmarks68"
    pipeline: ClassVar[Mapping[str, SpecLike]] = {}
    expected_failures: ClassVar[Mapping[str, str]] = {}
    level: ClassVar[int] = max(LEVELS)
    kit: ClassVar[int] = VERSION

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # Checked when the class is defined, so that a misspelled name cannot be overlooked.
        require_spec(getattr(cls, "spec", None), f"spec of {cls.__name__}")
        require_known_checks(cls.spec.kind, cls.expected_failures)
        for check in checks_of(cls.spec.kind, cls.level, cls.kit).values():
            # One method per check, so that pytest reports and selects them one by one.
            setattr(cls, f"test_{check.name.replace('-', '_')}", _make_test(check))


def _make_test(check: Check) -> Callable[[ComponentTests], None]:
    def test(self: ComponentTests) -> None:
        subject = make_subject(self.spec.kind, self.spec, self.representation, pipeline=self.pipeline)
        result = run_check(check, subject, check.name in self.expected_failures)
        if result.status == "not-applicable":
            # unittest's error, so that the kit does not depend on pytest.
            raise SkipTest(result.detail)
        explanation = result.explanation | {"found": f"{result.status}: {result.detail}"}
        assert result.conforms, "\n".join(text for text in explanation.values() if text)

    test.__doc__ = check.promise
    return test
