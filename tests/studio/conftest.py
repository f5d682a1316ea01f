"""A studio with a bundled model, and a browser that hears the bundled speech as its microphone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

import headmotion as hm
from headmotion.serving import Server
from headmotion.studio import studio_server

ASSETS = Path(hm.__file__).parent / "assets"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MICROPHONE_RATE = 48_000
# Software rendering, because machines of tests have no graphics card.
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--mute-audio"]
FAKE_MICROPHONE = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]


@pytest.fixture(scope="session")
def studio() -> Iterator[Server]:
    model = hm.load("ms-sync", device="cpu")
    with studio_server({"ms-sync": model}, port=0) as server:
        yield server


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Chromium under Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no chromium (Debian's package chromium)")
    speech, rate = soundfile.read(ASSETS / "speech.flac", dtype="float32")
    recording = tmp_path_factory.mktemp("microphone") / "speech.wav"
    soundfile.write(recording, soxr.resample(np.asarray(speech), rate, MICROPHONE_RATE), MICROPHONE_RATE)
    arguments = [*ARGUMENTS, *FAKE_MICROPHONE, f"--use-file-for-fake-audio-capture={recording}"]
    with playwright.sync_playwright() as engine:
        chromium = engine.chromium.launch(executable_path=CHROMIUM, args=arguments, timeout=120_000)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def open_page(browser: Any) -> Callable[[], AbstractContextManager[Any]]:
    """Open pages whose errors fail the test."""

    @contextmanager
    def opened() -> Iterator[Any]:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        page.close()
        assert not errors

    return opened


@pytest.fixture
def page(open_page: Callable[[], AbstractContextManager[Any]]) -> Iterator[Any]:
    with open_page() as opened:
        yield opened
