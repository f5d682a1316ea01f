"""The detector of `blobs` as an installed plugin, which worker processes find, too."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def installed(fake_plugins: Any) -> None:
    """See `blobs.BlobsSpec`."""
    fake_plugins.install("headmotion-blobs", "from blobs import headmotion_specs\n", name="blobs")
