"""Campaign of options: every command with unusual values, and with odd file names."""

from __future__ import annotations

import json
import os
import shutil
import signal
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

import click

from headmotion import cli
from headmotion.cli.main import COMMANDS

from .case import Call, Result, summary
from .documents import STRANGE
from .files import judged

REFUSED = {
    "demo": ["-o", "face.png"],
    "check": ["absent"],
}
"""Commands that take long if they begin, with what ends them before that, whatever else is given."""
LIVE = {
    "serve": ["--port", "0", "--model", "small=model.safetensors"],
    "studio": ["--no-browser", "--port", "0", "--model", "small=model.safetensors"],
    "mic": ["--vmc", "127.0.0.1:9", "--input", "speech.wav"],
}
"""Commands that go on until Ctrl-C, with what they need; it comes after some seconds."""
INTERRUPT_S = 4.0
OUTPUT_OPTIONS = {"-o", "--output", "--phonemes", "--report", "--state"}
"""Options whose value is written."""
SEVERAL_FORMATS = {"animate", "say", "detect", "export", "schema", "compare"}
"""Commands whose output's suffix says what it is."""
OTHER_OUTPUTS = {"phonemes", "report"}
"""Options that name a further file to be written."""
NUMBERS = ["nan", "inf", "-inf", "1e308", "-1", "0", "1", "2", "0.5", "1e-300", "9" * 400, "0x10", "", " ", "1,2", "²"]
NAMES = [
    *["speech.wav", "model.safetensors", "pose.npz", "motion.npz", "face.png", "corpus", "report", "recipe.yaml"],
    *[".", "/", "/dev/null", "/dev/zero", "/dev/stdin", "absent", "absent/x.npz", "-", "--", "~", "\udcff", "é" * 120],
    *[
        "a\x1b[31m.wav",
        "two\nlines.mp4",
        "*.wav",
        "[",
        "http://localhost:9/x.mp4",
        "file:speech.wav",
        "a" * 300,
        "\u202egnp",
    ],
]
SPECS = [
    "skeleton",
    "portrait",
    "lmd",
    "av-sync",
    "none",
    "none.x",
    "ms-sync",
    "{}",
    "[]",
    '{"type": 3}',
    '{"type"' * 9,
]
HOSTS = ["127.0.0.1", "0.0.0.0", "::1", "256.1.1.1", "", "127.0.0.1:9", "[::1]:9", "127.0.0.1:99999", ":", "9", "a b:1"]
"""Addresses that no name server is asked for."""
GOOD_VALUES = {
    "host": HOSTS,
    "vmc": HOSTS,
    "live_link": HOSTS,
    "port": ["0", "65536", "-1", "x"],
    "browser": ["--no-browser"],
    "limits": ["sessions=1", "session_s=nan", "connections=999999999", "files=-1", "x=1", "ahead_s=1e308"],
    "control": ["blink", '{"type": "smooth", "window_ms": 80}', '{"type": "saccade"}', '{"type": "smooth"}', "limit"],
    "weights": ["jawOpen=+0.2", "AU26=-0.1", "jawOpen=nan", "=1"],
    "look_at": ["15,-5", "1e300,0"],
    "style": ["motion.npz", "motion.json", "calm", "face.png"],
    "model": ["model.safetensors", "causal-flow", "blendshapes"],
    "models": ["model.safetensors", "a=model.safetensors", "a=a=b", "ms-sync"],
    "representation": ["blendshapes", "mesh478", "landmarks68", "keypoints"],
    "renderer": ["skeleton", "portrait", '{"type": "skeleton", "size": 64}', '{"type": "portrait", "fps": 3}'],
    "runtime": ["runtime"],
    "detector": ["face-mesh", "mediapipe", "face-alignment"],
    "fps": ["30000/1001", "12.5", "1001"],
    "voice": ["de", "fr+f3", "cmn"],
    "token_file": ["recipe.yaml", "token"],
    "origins": ["https://example.org", "null"],
}
"""Values by name of the parameter that reach further than those by chance."""
CLOSED = {"host", "vmc", "live_link"}
"""Parameters that get no other values."""
OUTPUTS = [
    f"made/talk.{suffix}" for suffix in ("mp4", "webm", "gif", "npz", "json", "csv", "glb", "vtt", "onnx", "html", "")
]


@dataclass(frozen=True)
class OptionsCampaign:
    """Every option of every command, with values by chance.

    Args:
        trees: good inputs, as `trees.make` leaves them.
    """

    trees: Path
    name: str = "options"
    title: str = "options and arguments"

    def run(self, rng: Random, folder: Path) -> Result:
        """Run one command with some options."""
        here = folder / "here"
        for setup in ("face.png", "motion.npz", "motion.json", "recipe.yaml", "pose.npz", "report", "web"):
            shutil.copytree(self.trees / setup, here, dirs_exist_ok=True)
        command = rng.choice(COMMANDS)
        words = _words(command, rng)
        arguments = (command.name or "", *words)
        is_live = command.name in LIVE
        one = Call(
            arguments,
            (0, 1, 2, 130) if is_live else (0, 1, 2),
            "made",
            keeps_progress=True,
            run=_until_interrupted if is_live else None,
            further_outputs=_named_outputs(arguments),
            is_local=is_live,
        )
        findings, outcome = judged(one, folder, command.name or "")
        return Result(command.name or "", tuple(findings), **summary([outcome]))


def _words(command: click.Command, rng: Random) -> list[str]:
    """Return arguments and some options of a command, most of them good."""
    if isinstance(command, click.Group):
        name = rng.choice(sorted(command.commands))
        return [name, *_words(command.commands[name], rng)]
    words = (
        list(LIVE.get(command.name or "", [])) if rng.random() < 0.9 else ["--no-browser"] * (command.name == "studio")
    )
    words += REFUSED.get(command.name or "", [])
    for parameter in command.params:
        name = parameter.name or ""
        if command.name in REFUSED and (isinstance(parameter, click.Argument) or name == "output"):
            continue
        if isinstance(parameter, click.Argument):
            words += [_good(name, command, rng) if rng.random() < 0.7 else _value(rng)]
        elif "output" in name or name in ("data", "landmarks"):
            if rng.random() < 0.9:
                words += [parameter.opts[-1], _good(name, command, rng) if rng.random() < 0.8 else _value(rng)]
        elif name in OTHER_OUTPUTS:
            words += [parameter.opts[-1], f"made/{name}.csv"] if rng.random() < 0.2 else []
        elif rng.random() < 0.15 and name != "browser":
            flag = isinstance(parameter, click.Option) and parameter.is_flag
            words += [parameter.opts[-1]] if flag else [parameter.opts[-1], _value(rng, parameter)]
    return [word.replace("\0", "") for word in words]


def _until_interrupted() -> None:
    """Run the command line, and press Ctrl-C after some seconds."""
    signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, INTERRUPT_S)
    cli.main()


def _named_outputs(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return what the values of output options name, and the folder that `plugins new` takes by default."""
    named = [value for option, value in pairwise(words) if option in OUTPUT_OPTIONS]
    new = [f"headmotion-{name}" for before, name in pairwise(words) if before == "new"]
    return tuple(name for name in (*named, *new) if not name.startswith("/"))


def _good(name: str, command: click.Command, rng: Random) -> str:
    """Return a value that fits, or is at least of the right kind."""
    if name in ("data", "corpus") or (name == "videos"):
        return "corpus"
    if "output" in name:
        return rng.choice(OUTPUTS) if command.name in SEVERAL_FORMATS else "made"
    known = {
        "audio": ["speech.wav"],
        "landmarks": ["pose.npz"],
        "recipe": ["recipe.yaml", "smoke"],
        "source": ["face.png"] if command.name == "detect" else ["motion.npz", "model.safetensors"],
        "subject": ["motions", "model.safetensors"],
        "reports": ["report"],
        "text": ["Hello there."],
        "file": ["motion.npz", "model.safetensors", "recipe.yaml"],
        "path": ["motion.npz", "model.safetensors"],
        "name": ["new", "ms-sync"],
    }
    return rng.choice(known.get(name, NAMES))


def _value(rng: Random, parameter: click.Parameter | None = None) -> str:
    if parameter is not None and isinstance(parameter.type, click.Choice) and rng.random() < 0.8:
        return str(rng.choice(list(parameter.type.choices)))
    if parameter is not None and parameter.name in GOOD_VALUES and (rng.random() < 0.6 or parameter.name in CLOSED):
        return rng.choice(GOOD_VALUES[parameter.name])
    value = rng.choice([*NUMBERS, *NAMES, *SPECS, *STRANGE])
    text = value if isinstance(value, str) else json.dumps(value)
    # As a command line would pass it: without zeros, surrogates as the bytes they stand for.
    return text.encode("utf-8", "replace").decode() if any("\ud800" <= c < "\udc80" for c in text) else text[:10_000]
