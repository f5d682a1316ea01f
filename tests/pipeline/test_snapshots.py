"""Snapshots: a session continues from a file to the same bits, and a file that does not fit is one line."""

from __future__ import annotations

import dataclasses
import itertools
import json
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

import headmotion as hm
from headmotion import controls
from headmotion.pipeline.state_codec import StateReader, StateWriter

SMALL = {"type": "ms-sync", "preset": "small", "hidden_size": 32, "pose_size": 16, "branch_size": 16}


@pytest.fixture(scope="module")
def pipe() -> hm.Pipeline:
    return hm.build({"generator": SMALL}, device="cpu")


def speech(seconds: float, rate: int = 16_000) -> np.ndarray:
    envelope = np.repeat(np.random.default_rng(1).random(round(seconds * 5) + 1) > 0.4, rate // 5)
    noise = np.random.default_rng(0).normal(0, 0.1, round(seconds * rate)).astype(np.float32)
    return noise * envelope[: len(noise)].astype(np.float32)


def face(pipe: hm.Pipeline) -> np.ndarray:
    return (pipe.representation.neutral() * 300 + 40).numpy()


CONTROLS = [controls.smooth(80), controls.scale_lips(1.2), controls.close_silence(), controls.scale_head(0.5)]
CONTROLS += [controls.limit(), controls.blink(40, seed=3)]


@pytest.mark.parametrize(
    ("rate", "options"),
    [
        (16_000, {}),
        (44_100, {"seed": 4, "fps": "30000/1001", "controls": CONTROLS}),
        (8_000, {"fps": 60, "controls": [controls.hold_pose()]}),
    ],
)
def test_a_restored_session_continues_to_the_same_bits(
    pipe: hm.Pipeline, rate: int, options: Any, tmp_path: Path
) -> None:
    wave, rng = speech(2.2, rate), np.random.default_rng(2)
    bounds = [0, *sorted(rng.integers(0, len(wave), 14)), len(wave)]
    parts = [wave[start:stop] for start, stop in itertools.pairwise(bounds)]
    uninterrupted = pipe.stream(face(pipe), rate, **options)
    interrupted = pipe.stream(face(pipe), rate, **options)
    for k, part in enumerate(parts):
        # Through a file between any two pushes, in another pipeline with the same weights now and then.
        interrupted.snapshot(tmp_path / "a.safetensors")
        interrupted = pipe.restore(tmp_path / "a.safetensors")
        expected, motion = uninterrupted.push(part), interrupted.push(part)
        assert torch.equal(motion.values, expected.values) and motion.fps == expected.fps, k
    last = uninterrupted.flush()
    assert torch.equal(interrupted.flush().values, last.values) and last.meta()["provenance"]["seed"] == options.get(
        "seed", 0
    )


def test_a_snapshot_is_continued_by_another_process(pipe: hm.Pipeline, tmp_path: Path) -> None:
    wave = speech(1.5, 22_050)
    session = pipe.stream(face(pipe), 22_050, controls=CONTROLS)
    session.push(wave[:20_000])
    session.snapshot(tmp_path / "session.safetensors")
    pipe.save(tmp_path / "model.safetensors")
    np.save(tmp_path / "rest.npy", wave[20_000:])
    code = (
        "import headmotion as hm, numpy as np\n"
        "session = hm.load('model.safetensors', 'cpu').restore('session.safetensors')\n"
        "motions = [session.push(np.load('rest.npy')), session.flush()]\n"
        "np.save('frames.npy', hm.Motion.concatenate(motions).values.numpy())\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    rest = hm.Motion.concatenate([session.push(wave[20_000:]), session.flush()])
    assert np.array_equal(np.load(tmp_path / "frames.npy"), rest.values.numpy())


def test_the_resampler_of_a_long_session_needs_little_replay(pipe: hm.Pipeline, tmp_path: Path) -> None:
    from headmotion.media.audio import Resampler

    wave = np.random.default_rng(0).normal(0, 0.1, 48_000 * 64).astype(np.float32)
    whole, parts = Resampler(48_000), []
    expected = np.concatenate([whole.push(wave), whole.flush()])
    resampler = Resampler(48_000)
    for start in range(0, len(wave), 100_003):
        parts.append(resampler.push(wave[start : start + 100_003]))
        state = resampler.get_state()
        assert len(state["recent"]) <= 48_000 and state["received"] - 48_000 * state["begin"] <= 31 * 48_000
        resampler = Resampler(48_000)
        resampler.set_state(state)
    assert np.array_equal(np.concatenate([*parts, resampler.flush()]), expected)


class Pair(NamedTuple):
    first: Tensor
    second: int


@dataclasses.dataclass(frozen=True, slots=True)
class Nested:
    value: Any
    inner: Nested | None = None


@dataclasses.dataclass
class Loud:
    value: int

    def __post_init__(self) -> None:
        raise AssertionError("nothing runs on load")


def through_json(value: Any) -> Any:
    writer = StateWriter(torch.device("cpu"))
    tree = json.loads(json.dumps(writer.encode(value, "a test")))
    return StateReader(writer.tensors, torch.device("cpu")).decode(tree)


def test_states_of_any_structure_come_back_equal() -> None:
    transposed = torch.rand(3, 4).T
    value = {
        "a": (None, True, 3, 2.5, float("inf"), "x", [Fraction(1, 3), {4: {5}}]),
        7: Nested(transposed, Nested(Pair(torch.arange(3), 1))),
        ("b",): deque([1.0, 2.0], maxlen=3),
        "numpy": (np.float32(1.5), np.arange(4)[::2]),
        "repeated": torch.ones(1, 3).expand(2, 3),
    }
    back = through_json(value)
    assert back["a"] == value["a"] and back["b",] == value["b",] and back["b",].maxlen == 3
    assert isinstance(back[7].inner.value, Pair) and torch.equal(back[7].inner.value.first, torch.arange(3))
    assert torch.equal(back[7].value, transposed) and back[7].value.stride() == transposed.stride()
    assert type(back["numpy"][0]) is np.float32 and back["numpy"][1].tolist() == [0, 2]
    assert torch.equal(back["repeated"], torch.ones(2, 3)) and back["repeated"].stride() == (0, 1)
    random = torch.Generator().manual_seed(5)
    torch.rand(3, generator=random)
    repeated = through_json(random)
    assert torch.equal(torch.rand(3, generator=repeated), torch.rand(3, generator=random))


def test_reading_runs_no_code_of_a_class_and_imports_nothing() -> None:
    loud = object.__new__(Loud)
    loud.value = 3
    assert through_json(loud).value == 3
    reader = StateReader({}, torch.device("cpu"))
    for name in ("antigravity:Nothing", "os:system", "builtins:dict", f"{__name__}:Pair.count"):
        with pytest.raises(ValueError, match="no class"):
            reader.decode({"object": name, "fields": {}})
    assert "antigravity" not in sys.modules


class Opaque:
    """A state that nobody can store."""


@dataclasses.dataclass(frozen=True)
class Counter(controls.Control):
    """A control without a state that can be stored."""

    def start(self, context: controls.ControlContext) -> controls.StreamingEdit:
        return lambda frames, speech, last: frames

    def lookahead_ms(self, frames_ms: float = 0.0) -> float:
        return frames_ms


@pytest.mark.parametrize(
    ("options", "named"),
    [({"controls": [lambda motion: motion]}, "control <lambda>"), ({"controls": [Counter()]}, "control Counter")],
)
def test_a_control_that_cannot_be_stored_is_named(pipe: hm.Pipeline, options: Any, named: str, tmp_path: Path) -> None:
    session = pipe.stream(face(pipe), **options)
    session.push(speech(0.3))
    with pytest.raises(hm.CheckpointError, match=named) as raised:
        session.snapshot(tmp_path / "a.safetensors")
    assert "\n" not in str(raised.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("attribute", "named"), [("_state", "snapshot of generator ms-sync"), ("_speaker", "audio encoder log-mel")]
)
def test_a_part_whose_state_cannot_be_stored_is_named(
    pipe: hm.Pipeline, attribute: str, named: str, tmp_path: Path
) -> None:
    session: Any = pipe.stream()
    session.push(speech(0.3))
    if attribute == "_state":
        session._state = {"cache": Opaque()}
    else:
        session._speaker._state = Opaque()
    with pytest.raises(hm.CheckpointError, match=f"{named}: expected tensors.*got a test_snapshots:Opaque"):
        session.snapshot(tmp_path / "a.safetensors")


def test_a_snapshot_of_another_pipeline_is_refused(pipe: hm.Pipeline, tmp_path: Path) -> None:
    session = pipe.stream()
    count = len(session.push(speech(0.3)))
    path = session.snapshot(tmp_path / "a.safetensors")
    others = {
        "another set of weights": hm.build({"generator": SMALL}, seed=1, device="cpu"),
        "another spec of generator": hm.build({"generator": SMALL | {"anchor": 0.37}}, device="cpu"),
        "another spec of representation": hm.build(
            {"generator": SMALL, "representation": {"type": "landmarks68", "dims": 3}}, device="cpu"
        ),
    }
    for named, other in others.items():
        with pytest.raises(hm.CheckpointError, match=named) as raised:
            other.restore(path)
        assert "\n" not in str(raised.value)
    # Another renderer draws the same motion.
    assert len(hm.build({"generator": SMALL, "renderer": "portrait"}, device="cpu").restore(path).flush()) == 8 - count


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: b"\x00" * 8 + data[8:],
        lambda data: data[:-5] + bytes([data[-5] ^ 1]) + data[-4:],
        lambda data: data.replace(b'\\"native', b'\\"nativ_') if b"native" in data else data[:100],
        lambda data: data.replace(b'\\"seed\\": 0', b'\\"seed\\": 1'),
        lambda data: b"no safetensors at all",
    ],
)
def test_a_damaged_snapshot_is_one_line(pipe: hm.Pipeline, damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    session = pipe.stream()
    session.push(speech(0.3))
    path = session.snapshot(tmp_path / "a.safetensors")
    content = path.read_bytes()
    assert damage(content) != content
    path.write_bytes(damage(content))
    with pytest.raises(hm.CheckpointError, match=r"snapshot: expected a whole .safetensors file") as raised:
        pipe.restore(path)
    assert "\n" not in str(raised.value)


def test_other_names_and_ended_sessions_are_refused(pipe: hm.Pipeline, tmp_path: Path) -> None:
    session = pipe.stream()
    session.push(speech(0.3))
    with pytest.raises(hm.CheckpointError, match=r"\.safetensors"):
        session.snapshot(tmp_path / "a.pt")
    session.flush()
    with pytest.raises(hm.HeadmotionError, match="open session"):
        session.snapshot(tmp_path / "a.safetensors")
    with pytest.raises(hm.CheckpointError, match="an existing file"):
        pipe.restore(tmp_path / "missing.safetensors")
    with pytest.raises(hm.CheckpointError, match="a session wrote"):
        pipe.restore(pipe.save(tmp_path / "model.safetensors"))


def test_a_generator_that_needs_the_whole_clip_can_be_continued(tmp_path: Path) -> None:
    pipe = hm.build({"generator": SMALL | {"interpolation": "align-corners"}}, device="cpu")
    session, other = pipe.stream(), pipe.stream()
    for part in np.array_split(speech(1.0), 9):
        session.push(part)
        other.push(part)
        other = pipe.restore(other.snapshot(tmp_path / "a.safetensors"))
    assert torch.equal(session.flush().values, other.flush().values)


@dataclasses.dataclass(frozen=True)
class Position:
    """The state of `Walk`: values of several types."""

    pose: Tensor
    seen: tuple[int, ...]
    notes: dict[str, Any]
    random: torch.Generator


class Walk(hm.Generator):
    """A pose that walks at random; a style scales the steps, the listener shifts them, and it knows its deviation."""

    context_frames, lookahead = 1, 0

    def __init__(self, spec: hm.Spec, size: float = 1e-3) -> None:
        super().__init__(spec)
        self.size = size

    def styled(self, style: float) -> hm.Generator:
        return Walk(self.spec, style)

    def forward(self, reference: Tensor, audio: Tensor, seed: Any = 0) -> Tensor:
        return self.step(audio, self.init_state(reference, seed), True)[0]

    def init_state(self, reference: Tensor, seed: Any = 0) -> Position:
        return Position(reference[:, -1], (), {"listener": None}, torch.Generator().manual_seed(seed))

    def push_listener(self, audio: Tensor, state: Position) -> Position:
        return dataclasses.replace(state, notes={"listener": audio.mean()})

    def step(self, audio: Tensor, state: Position, last: bool = False) -> tuple[Tensor, Position]:
        frames, pose = audio.shape[1] // 4, state.pose
        random = torch.Generator()
        random.set_state(state.random.get_state())
        steps = self.size * torch.randn(frames, *pose.shape, generator=random)
        if state.notes["listener"] is not None:
            steps = steps + 1e-4 * state.notes["listener"]
        motion = (pose + steps.cumsum(0)).transpose(0, 1)
        moved = motion[:, -1] if frames else pose
        return motion, Position(moved, (*state.seen[-2:], frames), state.notes | {"steps": steps}, random)

    def deviation(self, state: Position) -> Tensor:
        return state.notes["steps"].abs().transpose(0, 1)


class WholeClip(hm.Generator):
    """A generator that cannot stream."""

    context_frames = 1

    def forward(self, reference: Tensor, audio: Tensor, seed: Any = 0) -> Tensor:
        loud = audio.unflatten(1, (-1, 4)).mean((2, 3))
        return reference[:, -1:] + 0.01 * (loud - loud.mean(1, keepdim=True))[..., None, None]


@pytest.mark.parametrize(
    ("generator", "options", "dialogue"),
    [(Walk, {}, False), (Walk, {"style": 0.01, "seed": 4}, True), (WholeClip, {"fps": 30}, False)],
)
def test_generators_of_plugins_continue_with_their_own_states(
    generator: Any, options: Any, dialogue: bool, tmp_path: Path
) -> None:
    pipe = hm.build({"generator": SMALL}, device="cpu")
    pipe.generator = generator(pipe.generator.spec)
    session, other, pool = pipe.stream(**options), pipe.stream(**options), pipe.pool()
    member, motions = pool.open(**options), []
    for part in np.array_split(speech(1.2), 11):
        pushed = (part, part[::-1].copy()) if dialogue else (part,)
        other = pipe.restore(other.snapshot(tmp_path / "other.safetensors"))
        expected, motion = session.push(*pushed), other.push(*pushed)
        member.push(*pushed)
        motions += [pool.step().get(member, motion[:0])]
        assert torch.equal(motion.values, expected.values) and torch.equal(motions[-1].values, expected.values)
        if generator is Walk:
            assert len(other.deviation) == len(motion)
            assert torch.equal(other.deviation, session.deviation)
    member.flush()
    last = session.flush()
    assert torch.equal(other.flush().values, last.values) and torch.equal(pool.step()[member].values, last.values)


def test_a_file_that_was_made_by_hand_is_one_line(pipe: hm.Pipeline, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    from headmotion.pipeline import snapshot

    session = pipe.stream()
    session.push(speech(0.3))
    path = session.snapshot(tmp_path / "a.safetensors")
    content, _ = snapshot._read(path)
    tensors = load_file(path)
    for change in (
        {"format": None},
        {"pipeline": None},
        {"controls": [{"object": "headmotion.controls.blink:Blink", "fields": {"rate": 3}}]},
        {"arguments": content["arguments"] | {"fps": {"fraction": "1/0"}}},
        {"arguments": content["arguments"] | {"sample_rate": -5}},
        {"arguments": content["arguments"] | {"rate": 5}},
        {"state": {}},
        {
            "state": content["state"]
            | {"frames": {"tensor": "0", "shape": [1], "stride": [1 << 62], "on_device": False}}
        },
        {"state": content["state"] | {"frames": {"no kind": 3}}},
    ):
        changed = content | change
        text = json.dumps(changed | {"sha256": snapshot._digest(changed, tensors)})
        save_file(tensors, path, {snapshot.KEY: text})
        with pytest.raises(hm.HeadmotionError) as raised:
            pipe.restore(path)
        assert "\n" not in str(raised.value), change
