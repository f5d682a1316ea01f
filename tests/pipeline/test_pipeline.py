import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import headmotion as hm
from headmotion.core.interfaces.renderer import Renderer
from headmotion.media.image import read_picture
from headmotion.renderers.specs import SkeletonSpec

SMALL = {"type": "ms-sync", "preset": "small", "hidden_size": 32, "pose_size": 16, "branch_size": 16}


@pytest.fixture(scope="module")
def pipe() -> hm.Pipeline:
    return hm.build(hm.PipelineSpec(generator=SMALL), device="cpu")  # type: ignore[arg-type]


def speech(seconds: float, rate: int = 16_000, channels: int = 1) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 0.1, (round(seconds * rate), channels)).astype(np.float32)
    return noise[:, 0] if channels == 1 else noise


def unit(pipe: hm.Pipeline, motion: hm.Motion) -> torch.Tensor:
    assert motion.frame is not None
    return pipe.representation.normalize(motion.values, motion.frame)


def face(pipe: hm.Pipeline) -> np.ndarray:
    return (pipe.representation.neutral() * 300 + 40).numpy()


def test_motion_comes_back_in_the_pixels_of_the_reference(pipe: hm.Pipeline) -> None:
    reference = face(pipe)
    motion = pipe.generate((speech(1.0), 16_000), reference=reference)
    assert motion.values.shape == (25, 68, 2) and motion.values.dtype == torch.float32
    assert motion.fps == Fraction(25) and motion.units == "px"
    torch.testing.assert_close(motion.reference, torch.from_numpy(reference))
    moved = pipe.generate((speech(1.0), 16_000), reference=2 * reference + 100)
    torch.testing.assert_close(moved.values, 2 * motion.values + 100, atol=0.05, rtol=0)


def test_every_form_of_a_reference_means_the_same(pipe: hm.Pipeline, tmp_path: Path) -> None:
    reference = face(pipe)
    np.savez(tmp_path / "face.npz", landmarks=np.concatenate([reference, np.zeros((68, 1))], 1))
    audio = (speech(0.4), 16_000)
    expected = pipe.generate(audio, reference).values
    forms = [tmp_path / "face.npz", str(tmp_path / "face.npz"), torch.from_numpy(reference), reference[None]]
    for form in forms:
        torch.testing.assert_close(pipe.generate(audio, form).values, expected)
    motion = hm.Motion(torch.from_numpy(reference[None]), Fraction(25))
    torch.testing.assert_close(pipe.generate(audio, motion).values, expected)
    assert pipe.generate(audio).units == "unit"


@pytest.mark.parametrize(
    ("reference", "complaint"),
    [
        (np.zeros((67, 2)), "68, 2"),
        (np.full((68, 2), np.nan), "finite"),
        (np.zeros((68, 2)), "landmarks68"),
        (np.eye(68, 2, dtype=bool), "poses of real numbers, got true and false instead of numbers"),
        (torch.eye(68, 2, dtype=torch.complex64), "poses of real numbers, got values of type torch.complex64"),
        (np.full((68, 2), "x"), "poses of real numbers, got text instead of numbers"),
        ("missing.npz", "existing file"),
        ("face.png", "existing file"),
    ],
)
def test_a_bad_reference_is_one_clear_error(pipe: hm.Pipeline, reference: object, complaint: str) -> None:
    with pytest.raises(hm.HeadmotionError, match=complaint) as caught:
        pipe.generate((speech(0.2), 16_000), reference)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"landmarks": np.zeros((5, 2))}, r"reference .*bad.npz: expected poses \[68, 2\]"),
        ({"landmarks": np.full((68, 2), np.nan)}, "reference .*bad.npz: expected finite numbers"),
        ({"points": np.zeros((68, 2))}, r"bad.npz \(without that array\); np.savez\('face.npz', landmarks=points\)"),
        ({"landmarks": np.full((68, 2), None)}, "objects instead of numbers in landmarks.npy"),
    ],
)
def test_a_bad_landmarks_file_is_named(pipe: hm.Pipeline, tmp_path: Path, arrays: Any, complaint: str) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(hm.MotionError, match=complaint):
        pipe.reference(tmp_path / "bad.npz")
    with pytest.raises(hm.MotionError, match=r"\(Is a directory\)|\(Permission denied\)"):
        pipe.reference(tmp_path)


@pytest.mark.parametrize(("seconds", "frames"), [(0.03, 1), (0.001, 1), (1.0, 25), (1.019, 25), (1.021, 26), (0.5, 13)])
def test_frames_cover_the_audio(pipe: hm.Pipeline, seconds: float, frames: int) -> None:
    assert len(pipe.generate((speech(seconds), 16_000), face(pipe))) == frames


@pytest.mark.parametrize("fps", [Fraction(24), 29.97, "60000/1001", 12.5, 60])
def test_output_at_any_rate_follows_the_time_stamps(pipe: hm.Pipeline, fps: object) -> None:
    audio = hm.Audio(speech(2.3), 16_000)
    native, motion = pipe.generate(audio, face(pipe)), pipe.generate(audio, face(pipe), fps=fps)  # type: ignore[arg-type]
    assert len(motion) == audio.frames(fps)  # type: ignore[arg-type]
    stamps = np.array([float(t) for t in motion.timestamps()])
    known = np.array([float(t) for t in native.timestamps()])
    for point, axis in ((0, 0), (57, 1)):
        expected = np.interp(stamps, known, native.values[:, point, axis].numpy())
        np.testing.assert_allclose(motion.values[:, point, axis].numpy(), expected, atol=1e-3)


@given(
    cuts=st.lists(st.integers(0, 9000), min_size=0, max_size=6),
    rate=st.sampled_from([8000, 16_000, 22_050, 48_000]),
    fps=st.sampled_from([None, 30, "30000/1001"]),
)
@settings(max_examples=25)
def test_a_stream_gives_the_frames_of_generate_for_any_chunks(
    pipe: hm.Pipeline, cuts: list[int], rate: int, fps: object
) -> None:
    wave = speech(1.1, rate, channels=2)
    whole = pipe.generate((wave, rate), face(pipe), seed=3, fps=fps)  # type: ignore[arg-type]
    session = pipe.stream(face(pipe), sample_rate=rate, seed=3, fps=fps)  # type: ignore[arg-type]
    bounds = [0, *sorted(min(cut, len(wave)) for cut in cuts), len(wave)]
    parts = [session.push(wave[a:b]) for a, b in itertools.pairwise(bounds)]
    streamed = hm.Motion.concatenate([*parts, session.flush()])
    assert len(streamed) == len(whole)
    assert (unit(pipe, streamed) - unit(pipe, whole)).abs().max() < 1e-5


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000])
def test_frames_come_out_within_the_stated_lookahead(pipe: hm.Pipeline, rate: int) -> None:
    stated = pipe.lookahead_ms(rate)
    assert stated is not None and stated <= 400
    session, wave, out, late = pipe.stream(sample_rate=rate), speech(2.0, rate), 0, 0.0
    step = rate // 100
    for start in range(0, len(wave), step):
        out += len(session.push(wave[start : start + step]))
        received_ms = 1000 * (start + step) / rate
        late = max(late, received_ms - 1000 * out / 25)
    assert late <= stated + 10


def test_small_states_the_lookahead_that_its_spec_promises(pipe: hm.Pipeline) -> None:
    assert pipe.lookahead_ms(16_000) == 280.0
    doc = type(pipe.spec.generator).__doc__ or ""
    assert "look-ahead of 280 ms at 16 kHz" in " ".join(doc.split())


def test_a_session_holds_no_more_after_a_minute_than_after_five_seconds(pipe: hm.Pipeline) -> None:
    def held(value: object, visited: set[int]) -> int:
        if id(value) in visited or isinstance(value, torch.nn.Module):
            return 0
        visited.add(id(value))
        if isinstance(value, torch.Tensor | np.ndarray):
            return int(np.prod(value.shape))
        if isinstance(value, list | tuple | set):
            return sum(held(item, visited) for item in value)
        if isinstance(value, dict):
            return sum(held(item, visited) for item in value.values())
        return held(vars(value), visited) if hasattr(value, "__dict__") else 0

    session, second = pipe.stream(sample_rate=48_000, fps=30), speech(1.0, 48_000)
    for _ in range(5):
        session.push(second)
    early = held(session, set())
    for _ in range(55):
        session.push(second)
    assert 1000 < held(session, set()) < 1.5 * early


def test_iter_motion_is_the_motion_of_generate(pipe: hm.Pipeline) -> None:
    audio = (speech(3.3), 16_000)
    parts = list(pipe.iter_motion(audio, face(pipe), seed=2, fps=30))
    assert len(parts) > 2
    whole = pipe.generate(audio, face(pipe), seed=2, fps=30)
    assert torch.equal(hm.Motion.concatenate(parts).values, whole.values)


def test_a_session_ends_once(pipe: hm.Pipeline) -> None:
    session = pipe.stream()
    with pytest.raises(hm.AudioError, match="0 samples"):
        session.flush()
    session.push(speech(0.2))
    session.flush()
    with pytest.raises(hm.HeadmotionError, match="open session"):
        session.push(speech(0.2))


def test_the_seed_is_the_only_randomness(pipe: hm.Pipeline) -> None:
    audio = (speech(0.6), 16_000)
    first, repeated, other = (pipe.generate(audio, face(pipe), seed=s).values for s in (1, 1, 2))
    assert torch.equal(first, repeated) and not torch.equal(first, other)
    built = [hm.build(hm.PipelineSpec(generator=SMALL), seed=5, device="cpu") for _ in range(2)]  # type: ignore[arg-type]
    for a, b in zip(built[0].parameters(), built[1].parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_saved_pipeline_generates_the_same(pipe: hm.Pipeline, tmp_path: Path) -> None:
    path = pipe.save(tmp_path / "model.safetensors", step=7, card={"name": "mine"})
    loaded = hm.load(path, device="cpu")
    assert loaded.spec == pipe.spec and loaded.card["name"] == "mine"
    audio = (speech(0.6), 16_000)
    assert torch.equal(loaded.generate(audio, face(pipe)).values, pipe.generate(audio, face(pipe)).values)
    with pytest.raises(hm.CheckpointError, match="ms-sinc"):
        hm.load("ms-sinc")


def test_controls_are_applied_in_order(pipe: hm.Pipeline) -> None:
    def plus(motion: hm.Motion) -> hm.Motion:
        return hm.Motion(motion.values + 1, motion.fps)

    def double(motion: hm.Motion) -> hm.Motion:
        return hm.Motion(motion.values * 2, motion.fps)

    audio = (speech(0.4), 16_000)
    plain = pipe.generate(audio, face(pipe)).values
    torch.testing.assert_close(pipe.generate(audio, face(pipe), controls=[plus, double]).values, 2 * (plain + 1))


@pytest.mark.parametrize(
    "representation",
    ["landmarks68", {"type": "landmarks68", "dims": 3}, {"type": "keypoints", "points": 10, "jacobians": True}],
)
def test_another_representation_is_another_spec(representation: object, tmp_path: Path) -> None:
    pipe = hm.build({"representation": representation, "generator": SMALL}, device="cpu")
    points, dims = pipe.representation.points, pipe.representation.dims
    reference = torch.rand(points, dims) * 100
    assert pipe.generate((speech(0.4), 16_000), reference).values.shape == (10, points, dims)


def test_an_encoder_that_does_not_fit_the_frame_rate_is_refused() -> None:
    with pytest.raises(hm.SpecError):
        hm.build({"fps": 30, "generator": SMALL})


@pytest.mark.parametrize(("steps", "hop"), [(1, 640), (2, 320), (4, 160)])
def test_frames_cover_the_audio_at_any_steps_per_frame(steps: int, hop: int) -> None:
    encoder = {"type": "log-mel", "hop": hop, "window": 800, "n_fft": 1024}
    pipe = hm.build({"steps_per_frame": steps, "audio_encoder": encoder, "generator": SMALL}, device="cpu")
    motion = pipe.generate((speech(2.0), 16_000), face(pipe))
    moved = motion.values.diff(dim=0).abs().amax((1, 2))
    assert len(motion) == 50 and (moved > 0).all(), "no frame is held"
    session = pipe.stream(face(pipe))
    streamed = hm.Motion.concatenate([session.push(speech(2.0)), session.flush()])
    assert (unit(pipe, streamed) - unit(pipe, motion)).abs().max() < 1e-5


@pytest.mark.parametrize("fps", [None, 30])
def test_a_generator_that_counts_frames_wrongly_is_refused(
    pipe: hm.Pipeline, monkeypatch: pytest.MonkeyPatch, fps: int | None
) -> None:
    step = pipe.generator.step
    monkeypatch.setattr(pipe.generator, "step", lambda *inputs: (step(*inputs)[0][:, ::2], step(*inputs)[1]))
    with pytest.raises(hm.HeadmotionError, match=r"^generator ms-sync: expected 25 frames for 100 audio steps, got "):
        pipe.generate((speech(1.0), 16_000), face(pipe), fps=fps)


class Still(Renderer):
    """Shows the picture that it is given."""

    needs_image = True

    def frames(self, motion, image=None, landmarks=None, audio=None):  # type: ignore[no-untyped-def]
        """One picture per frame."""
        assert image is not None
        for part in motion:
            yield from [image] * len(part)


@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.parametrize("as_file", [False, True])
def test_a_renderer_gets_transparency_only_if_it_keeps_it(
    pipe: hm.Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keeps: bool, as_file: bool
) -> None:
    monkeypatch.setattr(Still, "keeps_alpha", keeps)
    monkeypatch.setitem(pipe._modules, "renderer", Still(SkeletonSpec()))
    picture = np.full((20, 20, 4), (200, 100, 0, 0), np.uint8)
    path = tmp_path / "keyed.png"
    Image.fromarray(picture).save(path)
    motion = hm.Motion(torch.zeros(2, 68, 2), Fraction(25))
    made = pipe.render(motion, tmp_path / "frames", image=path if as_file else picture)
    frame = read_picture(made / "000001.png", alpha=True)
    assert np.array_equal(frame, picture if keeps else np.full((20, 20, 3), 255, np.uint8))


def test_a_large_picture_file_is_read_smaller_and_its_pose_follows(pipe: hm.Pipeline, tmp_path: Path) -> None:
    assets = Path(hm.__file__).parent / "assets"
    large = Image.open(assets / "portrait.png").convert("RGB").resize((1024, 1024), Image.Resampling.BICUBIC)
    large.save(tmp_path / "large.png")
    pose = (pipe.reference(assets / "portrait_landmarks.npz").poses[-1:] + 0.5) * 2 - 0.5
    moved = pose + torch.tensor([[[0.0, 0.0]], [[8.0, -6.0]]])
    motion = hm.Motion(moved, Fraction(25), frame=pipe.representation.frame_of(pose), reference=pose[0])
    drawn = {"type": "portrait", "size": 256}
    for landmarks in (None, pose.numpy()):
        frames = []
        for name, image in (("file", tmp_path / "large.png"), ("array", np.asarray(large))):
            made = pipe.render(motion, tmp_path / f"{name} {landmarks is None}", image, None, landmarks, drawn)
            frames.append(read_picture(made / "000001.png").astype(int))
        still = np.asarray(large.resize((256, 256), Image.Resampling.BOX)).astype(int)
        assert np.abs(frames[0] - frames[1]).mean() < 0.2 < 1 < np.abs(frames[0] - still).mean()
