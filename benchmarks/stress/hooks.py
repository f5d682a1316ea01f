"""Campaign of hooks: a plugin whose module or hook does what none should."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from random import Random

from .case import Call, Finding, Result, summary
from .files import judged
from .plugin_package import install, with_plugins

BAD = [
    *["raise RuntimeError('a\\nb\\x1b[31m')", "raise SystemExit(0)", "raise KeyboardInterrupt", "raise Odd()"],
    *["raise BaseException('x' * 10**6)", "print('noise'); import os; os.write(1, b'more')", "return None", "return 3"],
    *["return [3]", "return [None]", "return {}", "return {'x': 1}", "return {1: 2}", "return {'bad/x': 'absent'}"],
    *["return [object]", "return Odd()", "return iter(int, 1) if False else [Odd()]", "import absent", "1 / 0"],
    *["import warnings; warnings.warn('odd')", "import logging; logging.getLogger().warning('odd')", "return 'text'"],
    *[
        "import sys; sys.stdout.close()",
        "import torch; torch.manual_seed(3)",
        "import sys; sys.setrecursionlimit(300)",
        "import signal; signal.alarm(1)",
        "import warnings; warnings.simplefilter('error')",
        "import locale; locale.setlocale(locale.LC_ALL, 'POSIX')",
        "import os; os.chdir('/')",
        "return [[]]",
    ],
    *[
        "import gc; gc.disable()",
        "import threading; threading.Thread().start()",
    ],
]
"""Bodies of functions."""
HOOKS = {
    "headmotion_specs": "",
    "headmotion_models": "",
    "headmotion_recipes": "",
    "headmotion_converters": "",
    "headmotion_motion_readers": "",
    "headmotion_motion_writers": "",
    "headmotion_licenses": "",
    "headmotion_migrate": "spec, version",
    "headmotion_training_event": "event",
}
COMMANDS = {
    "plugins": "plugins",
    "schema": "schema",
    "licenses": "licenses",
    "inspect": "inspect model.safetensors",
    "animate": "animate speech.wav --model model.safetensors -q -o made/talk.npz",
    "export": "export motion.npz -o made/talk.csv",
    "train": "train recipe.yaml --data corpus -o made -q",
}
PARSED = {"schema", "inspect"}
"""Commands whose output is JSON."""


@dataclass(frozen=True)
class HooksCampaign:
    """Plugins that misbehave while they are loaded, or in a hook: every command goes on without them.

    Args:
        trees: good inputs, as `trees.make` leaves them.
    """

    trees: Path
    name: str = "hooks"
    title: str = "hooks of plugins"

    def run(self, rng: Random, folder: Path) -> Result:
        """Run one command with one such plugin installed."""
        for setup in ("recipe.yaml", "pose.npz", "motion.npz"):
            shutil.copytree(self.trees / setup, folder / "here", dirs_exist_ok=True)
        where, body, command = rng.choice(["import", *HOOKS]), rng.choice(BAD), rng.choice(list(COMMANDS))
        install(folder / "site", "bad", {"__init__.py": _module(where, body)})
        words = COMMANDS[command].split()
        one = Call(tuple(words), (0,), "made", run=with_plugins(folder / "site"))
        variant = f"{where}: {body} in {command}"
        findings, outcome = judged(one, folder, variant)
        if command in PARSED and outcome.status == 0:
            try:
                json.loads(outcome.out)
            except ValueError as error:
                findings.append(Finding("output", f"{error}: {outcome.out[:100]}", one.arguments, variant))
        return Result(variant, tuple(findings), **summary([outcome]))


def _module(where: str, body: str) -> str:
    odd = "class Odd(Exception):\n    def __str__(self): raise RuntimeError('no text')\n    __repr__ = __str__\n\n"
    lines = ["from headmotion import hookimpl", "", odd]
    if where == "import":
        lines += [f"def start():\n    {body}\n", "start()"]
    else:
        lines += [f"@hookimpl\ndef {where}({HOOKS[where]}):\n    {body}"]
    return "\n".join(lines) + "\n"
