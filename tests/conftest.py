"""What all tests share."""

import os
import struct
from collections.abc import Callable
from importlib.metadata import distributions
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from headmotion.core.plugins import Registry, discover

# librosa compiles with numba on first use and caches the result beside itself. Processes that do so at the same time
# can leave a damaged cache, which crashes every later one, so each worker of pytest has a cache of its own.
os.environ.setdefault(
    "NUMBA_CACHE_DIR",
    str(Path(__file__).parents[1] / ".pytest_cache" / "numba" / os.environ.get("PYTEST_XDIST_WORKER", "main")),
)

settings.register_profile("headmotion", deadline=None)
settings.load_profile("headmotion")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of test material beside the checkout."""
    folder = Path(__file__).parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip(f"test material is not there: {folder}")
    return folder


@pytest.fixture(scope="session")
def rotate_video() -> Callable[[Path], Path]:
    """A function that turns an MP4 video clockwise by a quarter, in its header, as upright phones do."""

    def rotate(path: Path) -> Path:
        content = path.read_bytes()
        matrix = content.index(b"tkhd") + 44
        quarter = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
        path.write_bytes(content[:matrix] + quarter + content[matrix + 36 :])
        return path

    return rotate


class FakePlugins:
    """Distributions written into a temporary folder on the path, as pip would leave them."""

    numbers = count()

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, dist: str, source: str, name: str | None = None, version: str = "1.0") -> None:
        """One distribution with one module and one entry point, called like the distribution less ``headmotion-``."""
        module = f"fake_plugin_{next(self.numbers)}"
        (self.folder / f"{module}.py").write_text(source)
        info = self.folder / f"{dist.replace('-', '_')}-{version}.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n")
        with (info / "entry_points.txt").open("a") as points:
            points.write(f"[headmotion]\n{name or dist.removeprefix('headmotion-')} = {module}\n")

    def registry(self) -> Registry:
        """A registry of these plugins alone, in the order of installation."""
        points = [point for dist in distributions(path=[str(self.folder)]) for point in dist.entry_points]
        return discover(sorted(points, key=lambda point: int(point.value.rpartition("_")[2])))


@pytest.fixture
def fake_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePlugins:
    """See `FakePlugins`; ``HEADMOTION_PLUGINS`` is not set."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delenv("HEADMOTION_PLUGINS", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return FakePlugins(folder)
