"""The good inputs: for every reader a folder with what its commands need, made once per campaign."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from random import Random

import numpy as np

import headmotion as hm
from headmotion.data.corpus import open_corpus
from headmotion.data.shard_writer import write_shards
from headmotion.training import train

from . import good_files as good
from . import stored_session
from .case import Call

ANIMATE = "animate speech.wav --model model.safetensors -q -o made/talk.npz"
MOTIONS = ("npz", "json", "csv", "glb", "bvh", "vtt")


@dataclass(frozen=True)
class Setup:
    """Good inputs of some commands, and which of them are damaged."""

    name: str
    targets: tuple[str, ...]
    """Patterns of the files that are damaged."""
    commands: tuple[str, ...]
    """Command lines, of which one is run; ``{motion}`` is a suffix of motion files."""
    make: Callable[[Path], object]
    """Writes the inputs into an empty folder."""
    statuses: tuple[int, ...] = (0, 2)
    keeps_progress: bool = False
    output: str = "made"
    run: Callable[[], None] | None = None

    def calls(self, rng: Random) -> Iterator[Call]:
        """Yield the calls of one case."""
        words = rng.choice(self.commands).format(motion=rng.choice(MOTIONS)).split()
        yield Call(tuple(words), self.statuses, self.output, self.keeps_progress, self.run, is_local=bool(self.run))


def make(folder: Path) -> Path:
    """Write the inputs of all setups that a folder lacks; each appears whole."""
    for name, setup in SETUPS.items():
        if not (folder / name).exists():
            temporary = folder / f"{name}.part"
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            setup.make(temporary)
            temporary.rename(folder / name)
    return folder


def _with(*names: str) -> Callable[[Path], None]:
    """Return a function that writes good files of these names."""

    def write(folder: Path) -> None:
        for name in names:
            good.MAKERS[name](folder / name)

    return write


def _bvh(folder: Path) -> None:
    """The gestures of a skeleton."""
    import torch

    from headmotion.data.synthetic.body import skeleton
    from headmotion.data.synthetic.gestures import gesture_clip
    from headmotion.export import write_motion

    values = torch.from_numpy(gesture_clip(1, 1.0, speaker=0, split="train").landmarks[:4])
    spec = skeleton().model_dump(mode="json")
    write_motion(hm.Motion(values, Fraction(25), representation=spec, reference=values[0]), folder / "motion.bvh")


def _shards(folder: Path) -> None:
    good.corpus(folder / "pairs")
    clips = (entry.read() for entry in open_corpus(folder / "pairs").entries)
    write_shards(folder / "corpus", clips, representation={"type": "landmarks68", "dims": 3})
    shutil.rmtree(folder / "pairs")


def _pairs(folder: Path) -> None:
    good.corpus(folder / "corpus")
    (folder / "recipe.yaml").write_text(json.dumps(good.recipe()))


def _landmark_folder(folder: Path) -> None:
    good.corpus(folder / "corpus")
    (folder / "corpus" / "index.csv").unlink()


def _run(folder: Path) -> None:
    """A training that was stopped after its first phase."""
    _pairs(folder)
    recipe = good.recipe()
    recipe["save_every"] = 1
    (folder / "recipe.yaml").write_text(json.dumps(recipe))
    train(folder / "recipe.yaml", [folder / "corpus"], folder / "run", device="cpu", quiet=True)
    (folder / "run" / "model.safetensors").unlink()


def _syncers(folder: Path) -> None:
    _run(folder)
    (folder / "run" / "syncers.safetensors").rename(folder / "syncers.safetensors")
    shutil.rmtree(folder / "run")


def _video(folder: Path) -> None:
    import av

    good.MAKERS["model.safetensors"](folder / "model.safetensors")
    good.MAKERS["speech.wav"](folder / "speech.wav")
    (folder / "videos").mkdir()
    picture = np.asarray(good.portrait().resize((192, 192)))
    with av.open(str(folder / "videos" / "talk.mp4"), "w") as out:
        pictures, sound = out.add_stream("mpeg4", rate=25), out.add_stream("aac", rate=16_000, layout="mono")
        pictures.width = pictures.height = 192
        for _ in range(30):
            out.mux(pictures.encode(av.VideoFrame.from_ndarray(picture)))
        out.mux(pictures.encode())
        frame = av.AudioFrame.from_ndarray(good.speech(1.2)[None], format="fltp", layout="mono")
        frame.rate = 16_000
        fifo = av.AudioFifo()
        fifo.write(frame)
        for part in fifo.read_many(1024, partial=True):
            out.mux(sound.encode(part))
        out.mux(sound.encode())


def _jobs(folder: Path) -> None:
    _with("speech.wav", "model.safetensors", "pose.npz")(folder)
    rows = ["audio,output,options", 'speech.wav,one.npz,"{""seed"": 1, ""landmarks"": ""pose.npz""}"']
    (folder / "jobs.csv").write_text("\n".join([*rows, "speech.wav,two.npz,seed=2 lips=1.2"]) + "\n")


def _report(folder: Path) -> None:
    """A report and the motions that it is of."""
    from headmotion.evaluation import evaluate

    corpus = good.corpus(folder / "corpus")
    (folder / "motions").mkdir()
    for entry in open_corpus(corpus).entries:
        import torch

        clip = entry.read()
        values = torch.from_numpy(clip.landmarks)
        spec = {"type": "landmarks68", "dims": 3}
        hm.Motion(values, clip.fps, reference=values[0], representation=spec).save(
            folder / "motions" / f"{entry.id}.npz"
        )
    metrics = [{"type": "lmd"}]
    evaluate(folder / "motions", data=corpus, output=folder / "report", split="train", metrics=metrics, baselines=())
    for page in (folder / "report").glob("*.html"):
        page.unlink()


def _snapshot(folder: Path) -> None:
    pipe = good.pipeline()
    pipe.save(folder / "model.safetensors")
    session = pipe.stream(sample_rate=16_000)
    session.push(good.speech(0.3))
    session.snapshot(folder / "session.safetensors")


def _restore() -> None:
    """Continue the session of a snapshot."""

    def restore() -> None:
        session = hm.load("model.safetensors", device="cpu").restore("session.safetensors")
        session.push(good.speech(0.3))
        session.flush()

    _with_errors(restore)


def _with_errors(work: Callable[[], None]) -> None:
    """Do some work as a program would that prints the library's errors."""
    from headmotion.cli.console import print_error

    try:
        work()
    except hm.HeadmotionError as error:
        print_error(str(error))
        sys.exit(2)


def _web(folder: Path) -> None:
    """A model, and files in place of those of ONNX Runtime Web, which are only copied."""
    from headmotion.studio.onnx_page import RUNTIME_FILES

    good.MAKERS["model.safetensors"](folder / "model.safetensors")
    (folder / "runtime").mkdir()
    for name in RUNTIME_FILES:
        (folder / "runtime" / name).write_bytes(b"compiled")


def _protocol(folder: Path) -> None:
    """An ablation of a recipe."""
    (folder / "recipe.yaml").write_text(json.dumps(good.recipe()))
    protocol = {
        "name": "small",
        "recipe": "recipe.yaml",
        "set": ["phases.generator.ema_decay=0.9"],
        "steps": {"syncers": 1, "generator": 2},
        "variants": {"as it is": [], "no sync": ["phases.generator.losses=[{type: reconstruction}]"]},
        "seeds": [0, 1],
        "share_syncers": True,
        "motion": {"distance": {"metric": {"type": "lmd"}, "value": "lmd"}},
        "splits": {"val": 2},
        "leave_out": ["one"],
    }
    (folder / "protocol.yaml").write_text(json.dumps(protocol, indent=1))


def _read_protocol() -> None:
    """Read the protocol and the recipes of all its runs."""
    from benchmarks.ablations.protocol import load_protocol

    def read() -> None:
        protocol = load_protocol("protocol.yaml")
        for variant in protocol.variants:
            protocol.spec_of(variant, protocol.seeds[0])

    _with_errors(read)


def _speech(name: str) -> Setup:
    command = ANIMATE.replace("speech.wav", name)
    return Setup(name, (name,), (command, command.replace(".npz", ".mp4")), _with(name, "model.safetensors"))


def _face(name: str) -> Setup:
    inputs = _with(name, "speech.wav", "model.safetensors", "pose.npz")
    command = f"animate speech.wav --model model.safetensors -q --image {name} -o made/talk"
    found = (f"{command}.npz", f"detect {name} -o made/face.{{motion}}")
    return Setup(name, (name,), (f"{command}.mp4 --landmarks pose.npz", *found), inputs)


def _motion(name: str) -> Setup:
    written = (f"export {name} -o made/talk.{{motion}}", f"export {name} -o made/x.gltf")
    style = f"animate speech.wav --model causal-flow --style {name} -q -o made/talk.npz"

    def make(folder: Path) -> None:
        good.MAKERS["speech.wav"](folder / "speech.wav")
        (_bvh if name.endswith("bvh") else _with(name))(folder)

    return Setup(name, (name,), (f"inspect {name}", *written, style), make)


_MODEL = (
    ANIMATE,
    ANIMATE.replace(".npz", ".mp4"),
    "inspect model.safetensors",
    "evaluate model.safetensors --data absent -o made",
)
SETUPS: dict[str, Setup] = {
    setup.name: setup
    for setup in (
        *(_speech(name) for name in good.MAKERS if name.startswith("speech.")),
        *(_face(name) for name in good.MAKERS if name.startswith("face.")),
        *(_motion(name) for name in ("motion.npz", "motion.json", "motion.csv", "motion.bvh")),
        Setup(
            "pose.npz",
            ("pose.npz",),
            (f"{ANIMATE} --landmarks pose.npz", f"{ANIMATE} --landmarks pose.npz".replace("talk.npz", "talk.mp4")),
            _with("speech.wav", "model.safetensors", "pose.npz"),
        ),
        Setup(
            "detector.task",
            ("detector.task",),
            (
                f"{ANIMATE} --image face.png --detector detector.task",
                "detect face.png --detector detector.task -o made/face.npz",
            ),
            _with("detector.task", "face.png", "speech.wav", "model.safetensors"),
        ),
        Setup("model.safetensors", ("model.safetensors",), _MODEL, _with("speech.wav", "model.safetensors")),
        Setup(
            "recipe.yaml",
            ("recipe.yaml",),
            ("train recipe.yaml --data corpus -o made -q", "train recipe.yaml --data corpus --dry-run"),
            _pairs,
            keeps_progress=True,
        ),
        Setup(
            "pairs",
            ("corpus/*",),
            ("inspect-corpus corpus -q", "prepare corpus -o made -q", "train recipe.yaml --data corpus -o made -q"),
            _pairs,
            statuses=(0, 1, 2),
            keeps_progress=True,
        ),
        Setup(
            "shards",
            ("corpus/corpus.json", "corpus/index.safetensors", "corpus/shards/*"),
            ("inspect-corpus corpus -q", "prepare corpus -o made -q"),
            _shards,
            statuses=(0, 1, 2),
        ),
        Setup("landmarks", ("corpus/*",), ("prepare corpus -o made -q",), _landmark_folder, statuses=(0, 1, 2)),
        Setup(
            "run",
            ("run/*",),
            ("train recipe.yaml --data corpus -o run -q --resume",),
            _run,
            keeps_progress=True,
            output="run",
        ),
        Setup(
            "syncers.safetensors",
            ("syncers.safetensors",),
            (
                "inspect-corpus corpus -q --syncers syncers.safetensors",
                "train recipe.yaml --data corpus -o made -q --syncers syncers.safetensors",
            ),
            _syncers,
            statuses=(0, 1, 2),
            keeps_progress=True,
        ),
        Setup(
            "videos",
            ("videos/*",),
            (
                "prepare videos -o made -q --workers 0 --min-seconds 0.5 --min-face-px 4",
                f"{ANIMATE} --image videos/talk.mp4",
                "animate speech.wav --model causal-flow --style videos/talk.mp4 -q -o made/talk.npz",
                "detect videos/talk.mp4 -o made/face.{motion}",
            ),
            _video,
            statuses=(0, 1, 2),
            keeps_progress=True,
        ),
        Setup(
            "jobs.csv",
            ("jobs.csv",),
            ("animate --jobs jobs.csv -o made --model model.safetensors --workers 0 -q",),
            _jobs,
            statuses=(0, 1, 2),
            keeps_progress=True,
        ),
        Setup(
            "report",
            ("report/*",),
            ("compare report", "compare report report -o made/page.html"),
            _report,
        ),
        Setup(
            "motions",
            ("motions/*", "corpus/*"),
            ("evaluate motions --data corpus -o made --split train --metric lmd --baseline none -q",),
            _report,
        ),
        Setup(
            "web",
            ("runtime/*", "model.safetensors"),
            ("export model.safetensors --web --runtime runtime -o made", "export model.safetensors -o made/step.onnx"),
            _web,
        ),
        Setup("protocol.yaml", ("protocol.yaml", "recipe.yaml"), ("protocol",), _protocol, run=_read_protocol),
        Setup("state", ("state/*",), ("resume",), stored_session.store, run=stored_session.resume, output="state"),
        Setup("session.safetensors", ("session.safetensors",), ("restore",), _snapshot, run=_restore),
    )
}
"""Setups by name."""
