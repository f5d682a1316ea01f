"""The audio encoder `whisper`: a second implementation, streams of any division, receptive field, hand-overs, files."""

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

import headmotion as hm
from headmotion.audio_encoders.whisper.encoder import REACH, STEP, Whisper
from headmotion.audio_encoders.whisper.recent_keys import RecentKeys
from headmotion.audio_encoders.whisper.specs import WhisperSpec
from headmotion.audio_encoders.whisper.streaming import StreamingWhisper, WhisperState
from headmotion.core.interfaces.specs import BuildContext, resolve_spec
from headmotion.testing import check_component

CONTEXT = BuildContext(resolve_spec("representation", "landmarks68").build(), 0, steps_per_frame=2)
TOLERANCE = 1e-4
"""Largest difference of features, whose largest values are about 4."""


def encoder(**fields: Any) -> Whisper:
    return WhisperSpec(**fields).build(CONTEXT)


def streaming(**fields: Any) -> StreamingWhisper:
    built = encoder(**fields)
    assert isinstance(built, StreamingWhisper)
    return built


def noise(seconds: float, batch: int = 1) -> Tensor:
    samples = round(16_000 * seconds)
    level = torch.linspace(0, 5 * seconds, samples).sin().abs()
    return 0.2 * level * torch.randn(batch, samples, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def default() -> StreamingWhisper:
    return streaming()


def reference(wave: Tensor, layers: int, back: int | None, ahead: tuple[int, ...] | None) -> Tensor:
    """Return features ``[A, C]`` of a wave ``[S]``: Whisper by its equations, step by step and head by head."""
    weights = {name: value.double() for name, value in load_file(WhisperSpec().bundled_weights()["tiny.en"]).items()}

    def norm(x: Tensor, name: str) -> Tensor:
        return functional.layer_norm(x, (384,), weights[f"{name}.weight"], weights[f"{name}.bias"])

    def linear(x: Tensor, name: str) -> Tensor:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    steps = len(wave) // STEP
    # Silence follows the end, and zeros in place of frames come before the start.
    mel = encoder().log_mel(functional.pad(wave, (200, 200 + 320))[None])[0, : 2 * steps + 2].double().T
    x = functional.gelu(functional.conv1d(mel, weights["conv1.weight"], weights["conv1.bias"], padding=1))
    x = functional.gelu(functional.conv1d(x, weights["conv2.weight"], weights["conv2.bias"], padding=1, stride=2))
    x = x.T[:steps]
    rates = 10_000 ** (-torch.arange(192, dtype=torch.float64) / 191)
    angles = torch.arange(steps)[:, None] * rates
    x = x + torch.cat([angles.sin(), angles.cos()], 1)
    for layer in range(layers):
        q, k, v = linear(norm(x, f"blocks.{layer}.attention.norm"), f"blocks.{layer}.attention.qkv").split(384, 1)
        attended = torch.zeros_like(x)
        for step in range(steps):
            first = 0 if back is None else max(0, step - back)
            stop = steps if ahead is None else min(steps, step + ahead[layer] + 1)
            for head in range(0, 384, 64):
                part = slice(head, head + 64)
                scores = k[first:stop, part] @ q[step, part] / 8
                attended[step, part] = scores.softmax(0) @ v[first:stop, part]
        x = x + linear(attended, f"blocks.{layer}.attention.out")
        hidden = functional.gelu(linear(norm(x, f"blocks.{layer}.mlp.norm"), f"blocks.{layer}.mlp.0"))
        x = x + linear(hidden, f"blocks.{layer}.mlp.1")
    return x


@pytest.mark.parametrize(
    ("fields", "back", "ahead"),
    [
        ({"look_ahead_ms": None, "look_back_ms": None}, None, None),
        ({}, 75, (2, 2)),
        ({"look_ahead_ms": 152.5, "look_back_ms": 100}, 5, (3, 3)),
        ({"layers": 1, "look_ahead_ms": 32.5, "look_back_ms": None}, None, (0,)),
    ],
    ids=str,
)
def test_it_computes_what_whispers_equations_say(fields: dict[str, Any], back: int, ahead: tuple[int, ...]) -> None:
    wave = noise(1.7)
    built = encoder(**fields)
    # Where attention is limited, steps see the silence after the end as well.
    seen = wave[0] if ahead is None else functional.pad(wave[0], (0, 8 * STEP))
    expected = reference(seen, built.spec.layers, back, ahead)[:85]
    assert (built(wave)[0] - expected).abs().max() < TOLERANCE


@pytest.mark.parametrize(
    "sizes",
    [(640,), (*(1,) * 330, 9000), (16_000,), (333, 0, 5000, 17, 1280)],
    ids=["frame", "one sample", "second", "mixed"],
)
def test_samples_in_any_division_give_the_steps_of_the_whole_wave(
    default: StreamingWhisper, sizes: tuple[int, ...]
) -> None:
    wave = noise(2.5, batch=2)
    expected = default(wave)
    remaining = torch.cat([wave, torch.zeros(2, default.look_ahead)], 1)
    state, outputs, turn, received = default.init_state(2), [], 0, 0
    while remaining.shape[1]:
        size = sizes[turn % len(sizes)]
        turn += 1
        features, state = default.step(remaining[:, :size], state)
        received += min(size, remaining.shape[1])
        remaining = remaining[:, size:]
        outputs.append(features)
        count = sum(part.shape[1] for part in outputs)
        assert count == max(0, (received - default.look_ahead) // STEP + 1), "a step comes as soon as it can"
    assert (torch.cat(outputs, 1)[:, : expected.shape[1]] - expected).abs().max() < TOLERANCE


@pytest.mark.parametrize("fields", [{}, {"layers": 1, "look_ahead_ms": 40, "look_back_ms": 60}], ids=str)
def test_steps_depend_on_the_samples_that_it_states_and_on_no_others(fields: dict[str, Any]) -> None:
    built = streaming(**fields)
    back, ahead = built.spec.layers * built.spec.back_steps, sum(built.spec.ahead_steps)
    assert (built.look_back, built.look_ahead) == (STEP * back + REACH, STEP * ahead + REACH)
    assert built.look_ahead / 16 <= built.spec.look_ahead_ms < built.look_ahead / 16 + 20
    step = back + 5
    wave = noise(0.02 * (step + ahead + 10))
    first, stop = STEP * step - built.look_back, STEP * step + built.look_ahead
    expected = built(wave)[:, step]

    def with_noise(start: int, end: int) -> Tensor:
        changed = wave.clone()
        changed[:, start:end] = 0.5 * torch.randn(end - start, generator=torch.Generator().manual_seed(1))
        return built(changed)[:, step]

    outside = wave.clone()
    outside[:, :first], outside[:, stop:] = 0.9, -0.9
    assert (built(outside)[:, step] - expected).abs().max() < 1e-5
    # The last and the first samples inside do matter (the very first has the weight 0 in the window of its frame).
    assert (with_noise(stop - 160, stop) - expected).abs().max() > 1e-4
    assert (with_noise(first, first + 320) - expected).abs().max() > 1e-7


def test_positions_are_handed_over_at_fixed_steps(default: StreamingWhisper) -> None:
    # Window 1 begins at step 750 (15 s) and owns steps from 900 (18 s) on.
    wave = noise(21)
    whole, from_window_1 = default(wave), default(wave[:, 750 * STEP :])
    # What lies before the wave's start is seen by its first step only, which is out of reach two steps later.
    assert (whole[:, 902:] - from_window_1[:, 152:]).abs().max() < TOLERANCE
    assert (whole[:, 880:900] - from_window_1[:, 130:150]).abs().max() > 0.01
    state, outputs = default.init_state(), []
    for chunk in torch.cat([wave, torch.zeros(1, default.look_ahead)], 1).split(7777, 1):
        features, state = default.step(chunk, state)
        outputs.append(features)
    assert (torch.cat(outputs, 1)[:, : whole.shape[1]] - whole).abs().max() < TOLERANCE


def test_streams_at_different_positions_are_advanced_in_one_batch(default: StreamingWhisper) -> None:
    waves = [noise(seconds, batch=4)[k : k + 1] for k, seconds in enumerate((0.5, 16, 18.2, 3))]
    states = [default.init_state() for _ in waves]
    for k, wave in enumerate(waves[1:3], 1):
        _, states[k] = default.step(wave, states[k])
    _, states[3] = default.step(waves[3][:, :100], states[3])
    chunk = noise(2)
    for samples in (640, 16_000, 10_000):
        single = [default.step(chunk[:, :samples], state) for state in states]
        together = default.step_streams([chunk[:, :samples]] * 4, states)
        for (expected, state), (features, state_together) in zip(single, together, strict=True):
            torch.testing.assert_close(features, expected, atol=2e-5, rtol=0)
            assert [t.shape for t in tensors(state_together)] == [t.shape for t in tensors(state)]
        states = [state for _, state in together]
    assert isinstance(default, hm.SupportsAudioPooling)


def test_two_continuations_of_one_state_do_not_disturb_each_other(default: StreamingWhisper) -> None:
    _, state = default.step(noise(3), default.init_state())
    left, right = noise(2, batch=2).split(1)
    expected = default.step(right, state)[0]
    branch = state
    for piece in left.split(640, 1):
        _, branch = default.step(piece, branch)
    assert torch.equal(default.step(right, state)[0], expected)


def test_an_hour_takes_no_more_memory_and_repeats_every_thirty_seconds(default: StreamingWhisper) -> None:
    state = default.init_state()
    for chunk in noise(21).split(16_000, 1):
        _, state = default.step(chunk, state)
    # Windows of positions repeat every 30 seconds.
    windows = tuple(window._replace(window=window.window + 240) for window in state[0].windows)
    later: WhisperState = (state[0]._replace(first=state[0].first + 750 * 240, windows=windows),)
    sizes = [memory(state)]
    for chunk in noise(15).split(16_000, 1):
        features, state = default.step(chunk, state)
        features_later, later = default.step(chunk, later)
        assert torch.equal(features, features_later)
        sizes.append(memory(state))
    assert later[0].first == 36 * 50 - 1 + 750 * 240
    assert max(sizes) < 2.5e6 and sizes[-1] == sizes[0], "near a hand-over there are two windows"


def tensors(state: Any) -> list[Tensor]:
    """Return all tensors of a state."""
    if isinstance(state, RecentKeys):
        return [state.steps]
    if isinstance(state, int):
        return []
    return [state] if isinstance(state, Tensor) else [tensor for part in state for tensor in tensors(part)]


def memory(state: Any) -> int:
    """Return the bytes that a state keeps from being freed."""
    storages = [tensor.untyped_storage() for tensor in tensors(state)]
    return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


def test_a_whole_clip_longer_than_the_positions_is_encoded_in_overlapping_windows() -> None:
    built = encoder(layers=1, look_ahead_ms=None)
    assert not isinstance(built, hm.SupportsAudioStreaming) and built.look_ahead is None
    wave = noise(40)
    features = built(wave)
    assert features.shape == (1, 2000, 384) and features.isfinite().all()
    # The window from 15 s on owns the steps from 22.5 s on.
    assert (built(wave[:, 750 * STEP :])[:, 380:] - features[:, 1130:]).abs().max() < TOLERANCE


def test_waves_of_a_batch_are_independent_and_nothing_is_trained(default: StreamingWhisper) -> None:
    wave = noise(1, batch=40).requires_grad_()
    features = default(wave)
    assert not features.requires_grad and not list(default.parameters()) and not default.state_dict()
    assert (features[17] - default(wave[17:18])[0]).abs().max() < 1e-5
    # More steps than there are samples are those of silence.
    longer = default(wave[:2], 80)
    assert longer.shape == (2, 80, 384)
    assert (longer - default(functional.pad(wave[:2], (0, 30 * STEP)))).abs().max() < 1e-5
    assert default(wave[:2], 0).shape == (2, 0, 384) and default(wave[:1, :100]).shape == (1, 0, 384)
    with pytest.raises(hm.AudioError, match=r"whisper encoder: expected a wave \[B, S\]"):
        default(wave[0])


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"layers": 5}, "at most the 4 layers of tiny"),
        ({"look_ahead_ms": 20}, "32.5"),
        ({"look_back_ms": 8000}, "over 15 s at most"),
        ({"size": "enormous"}, "size"),
    ],
)
def test_a_spec_that_cannot_be_is_one_error(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(hm.SpecError, match=named):
        WhisperSpec(**fields)


def test_another_rate_of_steps_is_refused() -> None:
    with pytest.raises(hm.SpecError, match="set steps_per_frame to 2"):
        WhisperSpec().build(BuildContext(CONTEXT.representation, 0, steps_per_frame=4))
    assert WhisperSpec().build(BuildContext(CONTEXT.representation, 0, 1, Fraction(50))).hop == 320


def published(seed: int, width: int, layers: int) -> dict[str, Tensor]:
    """Return random weights by the names of Hugging Face's files."""
    rng = torch.Generator().manual_seed(seed)

    def rand(*shape: int) -> Tensor:
        return 0.05 * torch.randn(*shape, generator=rng)

    weights = {"conv1.weight": rand(width, 80, 3), "conv1.bias": rand(width), "conv2.weight": rand(width, width, 3)}
    weights |= {
        "conv2.bias": rand(width),
        "embed_positions.weight": rand(1500, width),
        "layer_norm.weight": rand(width),
    }
    for layer in range(layers):
        shapes: dict[str, tuple[int, ...]] = {
            "self_attn.out_proj": (width, width),
            "fc1": (4 * width, width),
            "fc2": (width, 4 * width),
        }
        shapes |= {f"self_attn.{part}_proj": (width, width) for part in "qkv"}
        shapes |= {"self_attn_layer_norm": (width,), "final_layer_norm": (width,)}
        for name, shape in shapes.items():
            weights[f"layers.{layer}.{name}.weight"] = rand(*shape)
            if not name.endswith("k_proj"):
                weights[f"layers.{layer}.{name}.bias"] = rand(shape[0])
    return {f"model.encoder.{name}": value for name, value in weights.items()} | {
        "model.decoder.layer_norm.bias": rand(9)
    }


def test_files_of_hugging_face_and_of_this_project_hold_the_same(tmp_path: Path) -> None:
    theirs = published(3, 512, 2)
    save_file(theirs, tmp_path / "theirs.safetensors")
    inner = {name.removeprefix("model.encoder."): value for name, value in theirs.items()}
    own = {name: inner[name] for name in inner if name.startswith("conv")}
    for layer in range(2):
        place, target = f"layers.{layer}", f"blocks.{layer}"
        three = [inner[f"{place}.self_attn.{part}_proj.weight"] for part in "qkv"]
        biases = [inner[f"{place}.self_attn.q_proj.bias"], torch.zeros(512), inner[f"{place}.self_attn.v_proj.bias"]]
        own |= {f"{target}.attention.qkv.weight": torch.cat(three), f"{target}.attention.qkv.bias": torch.cat(biases)}
        for kind in ("weight", "bias"):
            own |= {
                f"{target}.attention.norm.{kind}": inner[f"{place}.self_attn_layer_norm.{kind}"],
                f"{target}.attention.out.{kind}": inner[f"{place}.self_attn.out_proj.{kind}"],
                f"{target}.mlp.norm.{kind}": inner[f"{place}.final_layer_norm.{kind}"],
                f"{target}.mlp.0.{kind}": inner[f"{place}.fc1.{kind}"],
                f"{target}.mlp.1.{kind}": inner[f"{place}.fc2.{kind}"],
            }
    save_file(own, tmp_path / "own.safetensors")
    built = [encoder(size="base", weights=str(tmp_path / f"{name}.safetensors")) for name in ("theirs", "own")]
    wave = noise(0.5)
    assert built[0].channels == 512 and torch.equal(built[0](wave), built[1](wave))
    digest = hashlib.sha256((tmp_path / "own.safetensors").read_bytes()).hexdigest()
    assert built[1].spec.weights_sha256 == digest
    with pytest.raises(hm.CheckpointError, match="tensors by their published names"):
        encoder(size="base", layers=3, weights=str(tmp_path / "theirs.safetensors"))
    with pytest.raises(hm.CheckpointError, match="tensors by their published names"):
        encoder(weights=str(tmp_path / "theirs.safetensors"))
    with pytest.raises(hm.CheckpointError, match="SHA-256"):
        encoder(weights_sha256="0" * 64)


@pytest.mark.parametrize(
    "fields", [{"weights_in_checkpoint": True}, {"layers": 1, "look_ahead_ms": None, "look_back_ms": None}], ids=str
)
def test_it_conforms(fields: dict[str, Any]) -> None:
    check_component(WhisperSpec(**fields))
