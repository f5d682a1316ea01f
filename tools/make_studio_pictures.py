"""Make the pictures of docs/studio.md: the studio in the browser, in its views.

    python tools/make_studio_pictures.py docs/images [VIEW ...]

Needs the package playwright and Debian's chromium.
"""

from __future__ import annotations

import shutil
import sys
import time
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

import headmotion as hm
from headmotion.cli.studio import default_models
from headmotion.studio import studio_server

ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--mute-audio"]
QUALITY = 78
SHOW = """() => {
  const { curves, motion } = studio.slot;
  studio.player.seek((curves.mouth.indexOf(Math.max(...curves.mouth)) + 0.5) / motion.fps); // the mouth is widest open
  document.body.classList.add("talked");
}"""
QUIET = "document.getElementById('status').textContent = ''"
"""Seconds that this machine took are not part of the picture."""
COMPARE = (
    "studio.copyToOther(); studio.compare(true);"
    "studio.controls.set(s = {...studio.slot.settings, lips: 1.6, head: 1.8}); "
)
VIEWS: dict[str, dict[str, Any]] = {
    "studio": {"size": (1400, 880), "scheme": "dark", "scripts": []},
    "studio-light": {
        "size": (1400, 880),
        "scheme": "light",
        "scripts": [f"var s; {COMPARE} studio.changeSettings(s); document.getElementById('mesh').checked = true"],
    },
    "studio-phone": {"size": (390, 844), "scheme": "dark", "scripts": []},
}


def main(folder: str, *names: str) -> None:
    """Write a picture per view, or only the named ones."""
    models = {name: hm.load(name, device="cpu") for name in default_models()}
    with (
        studio_server(models, port=0) as server,
        sync_playwright() as engine,
    ):
        browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS, timeout=120_000)
        for name in names or VIEWS:
            content = _shot(browser, server.address, **VIEWS[name])
            path = Path(folder) / f"{name}.jpg"
            Image.open(BytesIO(content)).convert("RGB").save(path, quality=QUALITY, optimize=True)
            print(path, path.stat().st_size, "bytes", flush=True)
        browser.close()


def _shot(browser: Any, address: str, size: tuple[int, int], scheme: str, scripts: list[str]) -> bytes:
    viewport = {"width": size[0], "height": size[1]}
    page = browser.new_page(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    page.set_default_timeout(300_000)
    page.on("pageerror", lambda error: print("error of the page:", error, file=sys.stderr))
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    _wait(page, "studio.slot.confidence && studio.stage.head")
    for script in [SHOW, *scripts]:
        page.evaluate(script)
        _wait(page, "!studio.slots.some((slot) => slot.isAsking)")
    page.evaluate(QUIET)
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
