"""The exported step gives the pipeline's frames, in torch for many settings and in ONNX Runtime for whole clips."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

import headmotion as hm
from headmotion.core.interfaces.generator import Generator
from headmotion.export import write_onnx, write_start
from headmotion.export.onnx_initial_state import initial_state
from headmotion.export.streaming_graph import StreamingGraph

ASSETS = Path(hm.__file__).parent / "assets"
EXAMPLE = Path(__file__).parents[2] / "examples" / "onnx_stream.py"
NARROW = {
    "type": "ms-sync",
    "hidden_size": 16,
    "pose_size": 8,
    "audio_size": 8,
    "audio_widths": (8, 8, 8),
    "branch_size": 8,
    "expansion": 2,
}
RATE = 16_000


def narrow(generator: dict[str, Any] | None = None, **parts: Any) -> hm.Pipeline:
    spec = hm.PipelineSpec.model_validate({"generator": NARROW | (generator or {}), **parts})
    return hm.build(spec, seed=1, device="cpu")


def noise(seconds: float, seed: int = 0) -> np.ndarray[Any, Any]:
    return 0.2 * np.random.default_rng(seed).standard_normal(round(seconds * RATE)).astype(np.float32)


def unit_frames(pipe: hm.Pipeline, motion: hm.Motion) -> torch.Tensor:
    assert motion.frame is not None
    return pipe.representation.normalize(motion.values, motion.frame)


@torch.no_grad()
def stepped(pipe: hm.Pipeline, wave: np.ndarray[Any, Any], seed: int, frames: int = 8) -> torch.Tensor:
    """Frames of the unit frame by `StreamingGraph`, whose state must keep its shapes."""
    step, total = StreamingGraph(pipe, frames), hm.Audio(wave, RATE).frames(pipe.spec.fps)
    reference = pipe.reference(None)
    state = step.init_state(pipe.representation.normalize(reference.poses, reference.frame), seed)
    shapes = {name: (value.shape, value.dtype) for name, value in state.items()}
    remaining = torch.cat([torch.from_numpy(wave), torch.zeros(20 * step.samples)])
    parts: list[torch.Tensor] = []
    while sum(map(len, parts)) < total:
        chunk, remaining = remaining[: step.samples], remaining[step.samples :]
        end = torch.tensor([total if len(remaining) <= 20 * step.samples else -1])
        motion, count, state = step(chunk, end, state)
        assert {name: (value.shape, value.dtype) for name, value in state.items()} == shapes
        parts.append(motion[: int(count)])
    return torch.cat(parts)


@pytest.mark.parametrize(
    ("changes", "frames"),
    [
        ({}, 8),
        ({"interpolation": "causal"}, 8),
        ({"interpolation": "causal", "level_kernel": 5, "level_lookahead": (2, 1, 0), "standardize": True}, 8),
        ({"interpolation": "causal", "anchor": 0.2, "initial_state": "zeros"}, 16),
        ({"levels": 1, "merge": "sigmoid", "lstm_input": "pose-and-audio"}, 5),
        ({"levels": 2, "level_kernel": 2, "level_lookahead": (0,)}, 2),
    ],
)
@pytest.mark.parametrize("seconds", [0.01, 0.32, 1.6, 2.07])
def test_chunks_give_the_frames_of_generate(changes: dict[str, Any], frames: int, seconds: float) -> None:
    pipe, wave = narrow(changes), noise(seconds)
    expected = pipe.generate((wave, RATE), seed=5)
    torch.testing.assert_close(stepped(pipe, wave, 5, frames), unit_frames(pipe, expected), atol=1e-5, rtol=1e-6)


@pytest.mark.parametrize(
    "parts",
    [
        {"representation": {"type": "keypoints", "points": 4, "jacobians": True}},
        {"audio_encoder": {"type": "mfcc", "window": 1000, "n_fft": 1024, "n_mfcc": 13}},
        {"audio_encoder": {"type": "log-mel", "window": 160, "hop": 160}},
        {"steps_per_frame": 2, "audio_encoder": {"type": "log-mel", "hop": 320}},
        {"steps_per_frame": 1, "audio_encoder": {"type": "log-mel", "hop": 640, "window": 800, "n_fft": 1024}},
        {"fps": 50, "steps_per_frame": 4, "audio_encoder": {"type": "log-mel", "hop": 80}},
        {"steps_per_frame": 2, "audio_encoder": "whisper"},
        {"steps_per_frame": 2, "audio_encoder": {"type": "whisper", "layers": 1, "look_ahead_ms": 32.5}},
    ],
)
def test_other_parts_step_as_well(parts: dict[str, Any]) -> None:
    pipe, wave = narrow({"interpolation": "causal"}, **parts), noise(1.0)
    expected = pipe.generate((wave, RATE), seed=2)
    torch.testing.assert_close(stepped(pipe, wave, 2), unit_frames(pipe, expected), atol=1e-5, rtol=0)


def test_the_start_takes_frames_to_the_references_units(tmp_path: Path) -> None:
    pipe = narrow(representation={"type": "keypoints", "points": 4, "jacobians": True})
    pose = 100 * np.random.default_rng(0).random((4, 6))
    start = initial_state(StreamingGraph(pipe, 8), pipe, pose, 0)
    resolved = pipe.reference(pose)
    unit = torch.rand(7, 4, 6)
    converted = unit.numpy() * start["scale"] + start["offset"]
    np.testing.assert_allclose(converted, pipe.representation.denormalize(unit, resolved.frame), atol=1e-4)
    path = write_start(pipe, tmp_path / "start.npz", pose, 0)
    with np.load(path) as stored:
        assert {name: stored[name].tobytes() for name in stored} == {n: a.tobytes() for n, a in start.items()}


class Plain(Generator):
    """A generator with no more abilities than it must have."""

    def forward(self, *inputs: Any) -> Any: ...


@pytest.mark.parametrize(
    ("changes", "frames", "named"),
    [({"interpolation": "align-corners"}, 8, "align-corners"), ({"levels": 5}, 8, "multiple of 16 frames")],
)
def test_what_cannot_be_cut_is_refused(changes: dict[str, Any], frames: int, named: str) -> None:
    with pytest.raises(hm.HeadmotionError, match=named):
        StreamingGraph(narrow(changes), frames)


def test_an_encoder_that_cannot_stream_is_refused() -> None:
    pipe = narrow(steps_per_frame=2, audio_encoder={"type": "whisper", "layers": 1, "look_ahead_ms": None})
    with pytest.raises(hm.HeadmotionError, match="audio encoder whisper: expected SupportsAudioStreaming"):
        StreamingGraph(pipe, 8)


def test_a_generator_without_the_ability_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    pipe = narrow()
    pipe.generator = Plain(pipe.generator.spec)
    with pytest.raises(hm.HeadmotionError, match="SupportsFixedShapes"):
        write_onnx(pipe, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_names_say_what_is_written(tmp_path: Path) -> None:
    with pytest.raises(hm.HeadmotionError, match=r"\.onnx"):
        write_onnx(narrow(), tmp_path / "model.pt")
    with pytest.raises(hm.HeadmotionError, match=r"\.npz"):
        write_start(narrow(), tmp_path / "model.bin")


@pytest.fixture(scope="module", params=["ms-sync", "causal-flow"])
def exported(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A bundled model in a folder of its name, by the installed command, from the bundled portrait's pose."""
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    folder = tmp_path_factory.mktemp("onnx") / request.param
    folder.mkdir()
    pose = ASSETS / "portrait_landmarks.npz"
    command = [sys.executable, "-W", "error", "-m", "headmotion", "export", request.param, "--reference", pose]
    done = subprocess.run([*command, "--seed", "3", "-o", "model.onnx"], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "model.onnx\n", "")
    assert sorted(path.name for path in folder.iterdir()) == ["model.npz", "model.onnx"]
    return folder / "model.onnx"


def spoken(path: Path, samples: int) -> Path:
    wave = hm.Audio.load(ASSETS / "speech.flac").read(RATE)[:samples]
    soundfile.write(path, wave, RATE, subtype="FLOAT")
    return path


def without_torch(*arguments: Any) -> subprocess.CompletedProcess[str]:
    """Run the example where neither torch nor headmotion can be imported."""
    program = (
        "import sys, runpy\nsys.modules['torch'] = sys.modules['headmotion'] = None\nsys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    command = [sys.executable, "-W", "error", "-c", program, EXAMPLE, *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("samples", [150, 5120, 40_961, 10 * RATE])
def test_onnx_runtime_alone_gives_the_motion_of_the_pipeline(exported: Path, tmp_path: Path, samples: int) -> None:
    speech = spoken(tmp_path / "speech.wav", samples)
    assert without_torch(exported, speech, tmp_path / "talk.npz").returncode == 0
    assert_alike(tmp_path / "talk.npz", exported, speech, 1e-4)


def test_the_example_resamples_the_bundled_speech(exported: Path, tmp_path: Path) -> None:
    speech = ASSETS / "speech.flac"
    assert soundfile.info(speech).samplerate == 22_050
    assert without_torch(exported, speech, tmp_path / "talk.npz").returncode == 0
    assert_alike(tmp_path / "talk.npz", exported, speech, 1e-4)
    soundfile.write(tmp_path / "stereo.wav", np.zeros((100, 2)), 22_050)
    refused = without_torch(exported, tmp_path / "stereo.wav", tmp_path / "talk.npz")
    assert refused.returncode == 1 and "mono speech is needed, not 2 channels: ffmpeg -i IN -ac 1" in refused.stderr


def assert_alike(path: Path, exported: Path, speech: Path, tolerance: float) -> None:
    """Compare a file with the motion of the pipeline; the tolerance is in sides of the unit frame."""
    actual = hm.Motion.load(path)
    expected = hm.load(exported.parent.name, device="cpu").generate(speech, ASSETS / "portrait_landmarks.npz", seed=3)
    assert expected.frame is not None and actual.values.shape == expected.values.shape
    assert (actual.values - expected.values).abs().max() < tolerance * expected.frame.side
    assert (actual.fps, actual.meta()) == (expected.fps, expected.meta())


def test_another_reference_needs_another_start_only(exported: Path, tmp_path: Path) -> None:
    import onnxruntime

    from headmotion.export.onnx_run import run_onnx

    pipe, wave = hm.load(exported.parent.name, device="cpu"), noise(1.3)
    write_start(pipe, tmp_path / "other.npz", seed=9)
    with np.load(tmp_path / "other.npz") as stored:
        start = {name: stored[name] for name in stored}
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    expected = pipe.generate((wave, RATE), seed=9)
    np.testing.assert_allclose(run_onnx(session, start, wave, len(expected)), expected.values, atol=1e-4)


def test_the_file_says_what_it_is_and_not_where_it_was_made(exported: Path) -> None:
    import onnx

    model = onnx.load(exported)
    onnx.checker.check_model(model, full_check=True)
    about = {entry.key: entry.value for entry in model.metadata_props}
    assert about["sample_rate"] == "16000" and about["fps"] == "25" and "synthetic" in about
    assert str(Path(hm.__file__).parent).encode() not in exported.read_bytes()


def test_int8_files_of_bundled_models_are_small_and_move_lips_alike(
    exported: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    import onnxruntime

    from headmotion.export.onnx_int8 import quantize_int8
    from headmotion.export.onnx_run import run_onnx

    small = tmp_path / "small.onnx"
    small.write_bytes(exported.read_bytes())
    quantize_int8(small)
    assert capfd.readouterr() == ("", "") and not caplog.records
    speech = hm.Audio.load(ASSETS / "speech.flac")
    with np.load(exported.with_suffix(".npz")) as stored:
        start = {name: stored[name] for name in stored}
    frames = []
    for path in (exported, small):
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        frames.append(run_onnx(session, start, speech.read(RATE), speech.frames(25)))
    openings = [np.linalg.norm(values[:, 62] - values[:, 66], axis=1) for values in frames]
    assert small.stat().st_size < {"ms-sync": 0.5, "causal-flow": 0.3}[exported.parent.name] * exported.stat().st_size
    assert 1e-5 < np.abs(frames[1] - frames[0]).max() < 5e-3
    assert np.corrcoef(openings)[0, 1] > 0.999


def test_weights_before_a_logarithm_stay_as_they_are(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
    from onnx import helper, numpy_helper

    from headmotion.export.onnx_int8 import quantize_int8

    rng, path = np.random.default_rng(0), tmp_path / "model.onnx"
    weights = {name: rng.random((64, 64), np.float32) for name in ("filters", "product", "transposed")}
    weights["transposed"] *= np.geomspace(1e-6, 1e6, 64, dtype=np.float32)[:, None]
    nodes = [
        helper.make_node("MatMul", ["x", "filters"], ["power"]),
        helper.make_node("Log", ["power"], ["log"]),
        helper.make_node("MatMul", ["log", "product"], ["hidden"]),
        helper.make_node("Transpose", ["transposed"], ["turned"]),
        helper.make_node("MatMul", ["hidden", "turned"], ["y"]),
    ]
    x, y = (helper.make_tensor_value_info(name, 1, [2, 64]) for name in "xy")
    initializers = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    model = helper.make_model(helper.make_graph(nodes, "g", [x], [y], initializers))
    model.opset_import[0].version, model.ir_version = 20, 9
    onnx.save(model, path)
    quantize_int8(path)
    small = onnx.load(path)
    onnx.checker.check_model(small, full_check=True)
    types = {tensor.name: tensor.data_type for tensor in small.graph.initializer}
    assert types == {"filters": 1} | {
        f"{name}_{k}": v for name in ("product", "transposed") for k, v in INTEGERS.items()
    }
    wave = {"x": rng.random((2, 64), np.float32)}
    expected = np.log(wave["x"] @ weights["filters"]) @ weights["product"] @ weights["transposed"].T
    session = pytest.importorskip("onnxruntime").InferenceSession(path, providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, wave)[0], expected, rtol=0.01)


INTEGERS = {"int8": 3, "scales": 1}
"""Types of what takes a weight's place, as ONNX numbers them."""


def test_a_step_that_differs_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    pipe = narrow({"levels": 1, "initial_state": "zeros"}, representation={"type": "keypoints", "points": 2})
    # As if an operator meant something else to the exporter.
    monkeypatch.setattr(StreamingGraph, "init_state", shifted(StreamingGraph.init_state))
    with pytest.raises(hm.HeadmotionError, match="a difference of"):
        write_onnx(pipe, tmp_path / "model.onnx", frames=2)
    assert not list(tmp_path.iterdir())


def test_int8_says_how_far_it_is_from_the_pipeline(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    from headmotion.export.onnx_run import run_onnx

    pipe = narrow({"levels": 1, "branch_size": 64, "initial_state": "zeros", "anchor": 0.2})
    sizes, frames = {}, {}
    speech = hm.Audio.load(ASSETS / "speech.flac")
    for precision in ("32", "int8"):
        path = write_onnx(pipe, tmp_path / f"{precision}.onnx", frames=2, precision=precision)
        with np.load(path.with_suffix(".npz")) as stored:
            start = {name: stored[name] for name in stored}
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        frames[precision] = run_onnx(session, start, speech.read(RATE), speech.frames(25))
        sizes[precision] = path.stat().st_size
    difference = np.abs(frames["int8"] - frames["32"]).max()
    (warning,) = (record.getMessage() for record in caplog.records if record.name == "headmotion")
    assert float(warning.split("up to ")[1].split()[0]) == pytest.approx(difference, rel=0.05, abs=2e-5)
    assert 1e-5 < difference < 0.05 * np.ptp(frames["32"]) and sizes["int8"] < 0.9 * sizes["32"]


def test_int8_leaves_the_root_logger_of_a_program_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    monkeypatch.setattr(logging.root, "handlers", [])
    pipe = narrow({"levels": 1, "branch_size": 64, "initial_state": "zeros", "anchor": 0.2})
    write_onnx(pipe, tmp_path / "model.onnx", frames=2, precision="int8")
    assert logging.root.handlers == []


def test_what_has_nothing_to_make_smaller_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    pipe = narrow({"levels": 1, "initial_state": "zeros"}, representation={"type": "keypoints", "points": 2})
    with pytest.raises(hm.HeadmotionError, match="int8"):
        write_onnx(pipe, tmp_path / "model.onnx", frames=1, precision="int8")
    assert not list(tmp_path.iterdir())


def shifted(original: Any) -> Any:
    def init_state(self: StreamingGraph, reference: torch.Tensor, seed: int) -> dict[str, torch.Tensor]:
        state: dict[str, torch.Tensor] = original(self, reference, seed)
        return state | {"pose": state["pose"] + 0.001}

    return init_state
