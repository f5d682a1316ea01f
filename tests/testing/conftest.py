"""The parts of `faulty_specs`, as if headmotion offered them."""

import pytest
from faulty_specs import SPECS

from headmotion.core.plugins import registry


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    for name, spec in SPECS.items():
        monkeypatch.setitem(registry().specs, (spec.kind, name), spec)
        monkeypatch.setitem(registry().owners, (spec.kind, name), "losses")
