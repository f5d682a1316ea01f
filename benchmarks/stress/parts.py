"""Campaign of parts: one method of a plugin's part returns, or raises, what its interface does not promise."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from importlib.resources import files as resources
from pathlib import Path
from random import Random
from string import Template
from typing import Any

from headmotion.scaffold import PARTS

from . import good_files
from .case import Call, Finding, Result, summary
from .files import judged
from .plugin_package import install, with_plugins

GARBAGE = [
    *["None", "3", "'text'", "[]", "{}", "{'x': None}", "{1: 2}", "object()", "torch.zeros(())", "torch.zeros(0)"],
    *[
        "torch.zeros(2, 3)",
        "torch.ones(1, 2, 3, 4, 5)",
        "{'x': torch.zeros(3)}",
        "{'x': torch.tensor(1)}",
        "float('nan')",
    ],
    *["_changed(result, lambda x: x * float('nan'))", "_changed(result, lambda x: x[:, :-1])", "(result, result)"],
    *["_changed(result, lambda x: torch.cat([x, x], 1))", "_changed(result, lambda x: x.double())", "iter([])"],
    *[
        "_changed(result, lambda x: x.to('meta'))",
        "_changed(result, lambda x: x.long())",
        "_changed(result, lambda x: x[0])",
    ],
    *[
        "_changed(result, lambda x: x.to(torch.complex64))",
        "_changed(result, lambda x: x * 1e38)",
        "_fail(RuntimeError('no'))",
    ],
    *[
        "_fail(SystemExit(0))",
        "_fail(KeyError())",
        "_fail(BaseException('x'))",
        "_fail(MemoryError())",
        "_fail(StopIteration())",
    ],
]
METHODS = {
    "representation": ["neutral", "frame_of", "normalize", "denormalize", "flip", "to_points2d"],
    "audio_encoder": ["forward", "step", "init_state"],
    "syncer": ["embed_audio", "embed_motion"],
    "generator": ["forward", "step", "init_state"],
    "discriminator": ["forward"],
    "renderer": ["frames"],
    "loss": ["forward"],
    "metric": ["observe", "figures"],
    "phase": ["step", "result", "start"],
    "detector": ["detect"],
    "control": ["start", "lookahead_ms", "__call__"],
}
"""Methods that may be replaced, where the part has them."""
ANIMATE = ["animate", "speech.wav", "--image", "face.png", "-q", "-o", "made/talk.mp4"]


@dataclass(frozen=True)
class PartsCampaign:
    """A plugin's part of every kind, with one wrong method: one line that names the part, or success.

    Args:
        trees: good inputs, as `trees.make` leaves them.
    """

    trees: Path
    name: str = "parts"
    title: str = "parts of plugins"

    def run(self, rng: Random, folder: Path) -> Result:
        """Train, or animate, evaluate or detect, with one such part."""
        for setup in ("recipe.yaml", "face.png", "motion.npz", "motions"):
            shutil.copytree(self.trees / setup, folder / "here", dirs_exist_ok=True)
        kind = rng.choice(list(PARTS))
        garbage, method = rng.choice(GARBAGE), rng.choice([*METHODS[kind], "build"])
        install(folder / "site", "bad", _package(kind, method, garbage))
        recipe = _recipe(kind, rng)
        (folder / "here" / "recipe.yaml").write_text(json.dumps(recipe))
        words = _words(kind, rng)
        one = Call(tuple(words), (0, 2), "made", keeps_progress=True, run=with_plugins(folder / "site"))
        variant = f"{kind}: {method} gives {garbage} in {words[0]}"
        findings, outcome = judged(one, folder, variant)
        named = "bad" in outcome.err or kind.replace("_", " ") in outcome.err
        if outcome.status == 2 and not named:
            findings.append(Finding("part not named", outcome.err.strip()[-300:], one.arguments, variant))
        return Result(variant, tuple(findings), **summary([outcome]))


def _package(kind: str, method: str, garbage: str) -> dict[str, str]:
    """Return the scaffold's package of a kind with one method that is wrong."""
    part = PARTS[kind]
    names = {"name": "bad", "module": "headmotion_bad", "kind": kind, "type": part.type, "spec": part.spec}
    folder = resources("headmotion.scaffold") / "templates" / kind
    texts = {
        file: Template((folder / file).read_text("utf-8")).safe_substitute(names)
        for file in ("__init__.py", "specs.py", f"{kind}.py")
    }
    wrong = _WRONG.format(garbage=garbage)
    if method == "build":
        texts["specs.py"] += f"{wrong}\n_spoil({part.spec}, 'build')\n"
    else:
        texts[f"{kind}.py"] += f"{wrong}\n{_SPOIL_ALL.format(method=method)}"
    return texts


_WRONG = """

def _changed(value, change):
    import torch
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, dict):
        return {{key: _changed(item, change) for key, item in value.items()}}
    if isinstance(value, tuple):
        return tuple(_changed(item, change) for item in value)
    return value


def _fail(error):
    raise error


def _spoil(cls, name):
    whole = vars(cls).get(name)
    if not callable(whole):
        return

    def wrong(*arguments, **options):
        import torch
        result = whole(*arguments, **options)
        return {garbage}

    setattr(cls, name, wrong)
"""


_SPOIL_ALL = """
for _value in list(globals().values()):
    if isinstance(_value, type) and _value.__module__ == __name__:
        _spoil(_value, {method!r})
"""


def _recipe(kind: str, rng: Random) -> dict[str, Any]:
    """Return the smallest recipe, with the plugin's part in its place."""
    recipe: Any = good_files.recipe()
    part = f"bad/{PARTS[kind].type}"
    if kind in ("generator", "audio_encoder", "renderer"):
        recipe["pipeline"][kind] = part
    elif kind == "syncer":
        recipe["phases"]["syncers"]["syncer"] = part
    elif kind == "discriminator":
        recipe["phases"]["generator"]["discriminator"] = part
    elif kind == "loss":
        recipe["phases"]["generator"]["losses"] = [part]
        recipe["phases"].pop("syncers")
    elif kind == "phase":
        recipe["phases"] = {"only": {"type": part, "steps": 1}}
    recipe["preview_every"] = rng.choice([0, 1])
    return dict(recipe)


def _words(kind: str, rng: Random) -> list[str]:
    part = f"bad/{PARTS[kind].type}"
    if kind == "metric":
        return [
            *[
                "evaluate",
                "motions",
                "--data",
                "corpus",
                "-o",
                "made",
                "--split",
                "train",
                "--baseline",
                "none",
                "-q",
                "--metric",
            ],
            part,
        ]
    if kind == "control":
        return ["animate", "speech.wav", "--model", "model.safetensors", "-q", "-o", "made/talk.npz", "--control", part]
    if kind == "detector":
        return [*ANIMATE, "--model", "model.safetensors", "--detector", part]
    if kind == "renderer" and rng.random() < 0.6:
        return [*ANIMATE, "--model", "model.safetensors", "--landmarks", "pose.npz", "--renderer", part]
    if kind == "representation":
        return ["export", "motion.npz", "-o", "made/talk.csv", "--to", part]
    return ["train", "recipe.yaml", "--data", "corpus", "-o", "made", "-q"]
