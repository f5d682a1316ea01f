"""A talk as one HTML file without links: picture, motion, sound and the modules that draw them."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping
from importlib.resources import files
from string import Template
from typing import Any

import soundfile  # type: ignore[import-untyped]

from ..core.motion import Motion
from ..media.audio import Audio
from .page_files import page_files
from .takes import motion_packet

ENTRY = "talk.js"
TEMPLATE = "talk.html"
SOUND_RATE = 24_000
"""Rate of the sound in the file (Hz), as FLAC of 16 bits, which all browsers play."""
IMPORT = re.compile(r'(\bfrom\s+|^import\s+)"\./([\w.]+)"', re.MULTILINE)
PREFIX = "headmotion/"


def talk_page(face: Mapping[str, Any], motion: Motion, speech: Audio) -> str:
    """Return the HTML of a talk.

    Args:
        face: the face as `Face.packet` describes it, with its ``landmarks``.
        motion: what it does.
        speech: what it says.
    """
    moved = {name: value for name, value in motion_packet(motion).items() if name != "weights"}
    talk = {"face": face, "motion": moved, "sound": _sound(speech)}
    imports = {PREFIX + name: _as_url(content) for name, content in _modules(ENTRY).items()}
    template = Template((files("headmotion.studio") / TEMPLATE).read_text("utf-8"))
    return template.substitute(talk=_as_script(talk), modules=_as_script({"imports": imports}))


def _modules(entry: str) -> dict[str, str]:
    """Return a module and all that it imports, by name; they import each other by names of the import map."""
    modules: dict[str, str] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name not in modules:
            text = page_files()[name][0].decode()
            modules[name] = IMPORT.sub(rf'\1"{PREFIX}\2"', text)
            waiting += [match[2] for match in IMPORT.finditer(text)]
    return modules


def _as_url(text: str) -> str:
    return "data:text/javascript;base64," + base64.b64encode(text.encode()).decode()


def _as_script(value: Any) -> str:
    # A script would end at "</"; JSON may write it so.
    return json.dumps(value).replace("</", "<\\/")


def _sound(speech: Audio) -> str:
    content = io.BytesIO()
    soundfile.write(content, speech.read(SOUND_RATE), SOUND_RATE, format="FLAC", subtype="PCM_16")
    return "data:audio/flac;base64," + base64.b64encode(content.getvalue()).decode()
