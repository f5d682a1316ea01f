"""Make the pictures of docs/studio.md: the studio in the browser, in its views.

    python tools/make_studio_pictures.py docs/images [VIEW ...]

Needs the package playwright and Debian's chromium. The microphone is the bundled speech.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from PIL import Image
from playwright.sync_api import sync_playwright

import headmotion as hm
from headmotion.cli.studio import default_models
from headmotion.studio import studio_server

ASSETS = Path(hm.__file__).parent / "assets"
MICROPHONE_RATE = 48_000
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--mute-audio"]
FAKE_MICROPHONE = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
SECONDS = 1.24
"""Time of the speech at which it is shown."""
QUALITY = 78
SHOW = f"studio.player.seek({SECONDS}); document.body.classList.add('talked')"
COMPARE = "studio.copyToOther(); studio.controls.set(s = {...studio.slot.settings, lips: 1.6, head: 1.8}); "
VIEWS: dict[str, dict[str, Any]] = {
    "studio": {"size": (1400, 880), "scheme": "dark", "scripts": []},
    "studio-light": {
        "size": (1400, 880),
        "scheme": "light",
        "scripts": [f"var s; {COMPARE} studio.changeSettings(s); document.getElementById('mesh').checked = true"],
    },
    "studio-live": {"size": (1400, 880), "scheme": "dark", "scripts": ["document.getElementById('live').click()"]},
    "studio-phone": {"size": (390, 844), "scheme": "dark", "scripts": []},
}


def main(folder: str, *names: str) -> None:
    """Write a picture per view, or only the named ones."""
    models = {name: hm.load(name, device="cpu") for name in default_models()}
    with (
        tempfile.TemporaryDirectory() as temporary,
        studio_server(models, port=0) as server,
        sync_playwright() as engine,
    ):
        microphone = Path(temporary) / "speech.wav"
        speech, rate = soundfile.read(ASSETS / "speech.flac", dtype="float32")
        soundfile.write(microphone, soxr.resample(np.asarray(speech), rate, MICROPHONE_RATE), MICROPHONE_RATE)
        arguments = [*ARGUMENTS, *FAKE_MICROPHONE, f"--use-file-for-fake-audio-capture={microphone}"]
        browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=arguments, timeout=120_000)
        for name in names or VIEWS:
            content = _shot(browser, server.address, **VIEWS[name])
            path = Path(folder) / f"{name}.jpg"
            Image.open(BytesIO(content)).convert("RGB").save(path, quality=QUALITY, optimize=True)
            print(path, path.stat().st_size, "bytes", flush=True)
        browser.close()


def _shot(browser: Any, address: str, size: tuple[int, int], scheme: str, scripts: list[str]) -> bytes:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page.set_default_timeout(300_000)
    page.on("pageerror", lambda error: print("error of the page:", error, file=sys.stderr))
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    _wait(page, "studio.slot.curves && studio.head")
    for script in [SHOW, *scripts]:
        page.evaluate(script)
        _wait(page, "!studio.slots.some((slot) => slot.isAsking)")
    if "live" in "".join(scripts):
        _wait(page, "studio.live && document.getElementById('delay').textContent.includes('look-ahead')")
        page.wait_for_timeout(4000)
    page.wait_for_timeout(1500)
    content: bytes = page.screenshot(timeout=300_000)
    page.close()
    return content


def _wait(page: Any, condition: str) -> None:
    """Wait until a condition holds; asked from outside, because the page's policy allows no ``eval``."""
    end = time.monotonic() + 300
    while not page.evaluate(condition):
        if time.monotonic() > end:
            raise SystemExit(f"still not: {condition}")
        time.sleep(0.1)


if __name__ == "__main__":
    main(*sys.argv[1:])
