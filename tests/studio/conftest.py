"""A studio with a bundled model, and a browser with the bundled speech as its microphone."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from PIL import Image

import headmotion as hm
from headmotion.serving import Server
from headmotion.studio import studio_server

ASSETS = Path(hm.__file__).parent / "assets"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MICROPHONE_RATE = 48_000
# Software rendering, because machines of tests have no graphics card.
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--mute-audio"]
FAKE_DEVICES = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]


def wait_until(page: Any, condition: str, seconds: float = 90) -> None:
    """Wait until a JavaScript condition holds; asked from outside, because the page's policy allows no ``eval``."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        time.sleep(0.05)


@pytest.fixture(scope="session")
def until() -> Callable[..., None]:
    return wait_until


@pytest.fixture(scope="module")
def open_studio(open_page: Any, studio: Server) -> Iterator[Any]:
    """The page with its first take; the tests of a file share it, because a take needs seconds."""
    with open_page() as page:
        page.goto(studio.address)
        page.wait_for_selector("body[data-ready]")
        page.evaluate("studio.stage.setScale(0.5)")  # as on machines without a graphics card, where pixels take long
        wait_until(page, "studio.slot.isSettled")
        yield page


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
    # A webcam in which the bundled face is seen: JPEG pictures, one after the other.
    camera = recording.with_name("face.mjpeg")
    content = BytesIO()
    with Image.open(ASSETS / "portrait.png") as picture:
        picture.convert("RGB").save(content, "JPEG", quality=92)
    camera.write_bytes(5 * content.getvalue())
    captured = [f"--use-file-for-fake-audio-capture={recording}", f"--use-file-for-fake-video-capture={camera}"]
    arguments = [*ARGUMENTS, *FAKE_DEVICES, *captured]
    with playwright.sync_playwright() as engine:
        chromium = engine.chromium.launch(executable_path=CHROMIUM, args=arguments, timeout=120_000)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def open_page(browser: Any) -> Callable[[], AbstractContextManager[Any]]:
    """Open pages whose errors fail the test."""

    @contextmanager
    def opened() -> Iterator[Any]:
        # Without the silent preview, which would draw all the time.
        page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
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
