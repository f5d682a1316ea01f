from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headmotion import SpecError
from headmotion.core.interfaces.specs import BuildContext
from headmotion.ms_sync.audio_pyramid import AudioPyramid
from headmotion.ms_sync.generator import MSSyncGenerator
from headmotion.ms_sync.specs import MSSyncGeneratorSpec

NARROW = {
    "hidden_size": 16,
    "pose_size": 8,
    "audio_size": 8,
    "audio_widths": (8, 8, 8),
    "branch_size": 8,
    "expansion": 2,
}


def context(points: int = 68, dims: int = 2, channels: int = 26, steps: int = 4) -> BuildContext:
    return BuildContext(SimpleNamespace(points=points, dims=dims), channels, steps)  # type: ignore[arg-type]


def narrow(points: int = 5, dims: int = 2, steps: int = 4, **changes: object) -> MSSyncGenerator:
    torch.manual_seed(0)
    return MSSyncGeneratorSpec.model_validate(NARROW | changes).build(context(points, dims, steps=steps)).eval()


def parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("changes", "millions"),
    [({"preset": "paper-code"}, 71.0), ({"preset": "paper"}, 30.3), ({"pose_size": 128, "audio_size": 128}, 18.1)],
)
def test_parameter_counts_are_those_of_the_published_widths(changes: dict[str, object], millions: float) -> None:
    with torch.device("meta"):
        generator = MSSyncGeneratorSpec.model_validate(changes).build(context())
    assert round(parameters(generator) / 1e6, 1) == millions


def test_the_trunk_of_the_authors_widths_holds_57_million_parameters() -> None:
    with torch.device("meta"):
        generator = MSSyncGeneratorSpec.model_validate({"preset": "paper-code"}).build(context())
    assert round(parameters(generator.branches.trunk) / 1e6, 1) == 57.0


def test_small_fits_in_eight_megabytes() -> None:
    with torch.device("meta"):
        generator = MSSyncGeneratorSpec.model_validate({"preset": "small"}).build(context())
    assert parameters(generator) * 4 < 8e6


@pytest.mark.parametrize("interpolation", ["linear", "causal", "align-corners"])
def test_172_audio_steps_give_43_22_11_and_6_vectors(interpolation: str) -> None:
    pyramid = AudioPyramid(MSSyncGeneratorSpec.model_validate(NARROW | {"interpolation": interpolation}), 26)
    audio = torch.randn(2, 172, 26)
    assert [level.shape for level in pyramid.levels(audio)] == [(2, 8, n) for n in (43, 22, 11, 6)]
    assert pyramid(audio).shape == (43, 4, 2, 8)


def test_masks_sum_to_one_over_branches_for_each_point() -> None:
    generator = narrow()
    inputs = torch.randn(4, 3, 16 + 8 + 8)
    velocities, masks = generator.branches.components(inputs)
    assert velocities.shape == (4, 3, 5, 2) and masks.shape == (4, 3, 5)
    torch.testing.assert_close(masks.sum(0), torch.ones(3, 5))
    assert narrow(merge="sigmoid").branches.components(inputs)[1].sum(0).max() > 1.01


def test_zero_leaves_keep_the_pose() -> None:
    generator = narrow()
    for parameter in generator.branches.leaf[-1].parameters():
        torch.nn.init.zeros_(parameter)
    reference = torch.rand(2, 1, 5, 2)
    motion = generator(reference, torch.randn(2, 4 * 9, 26))
    assert torch.equal(motion, reference.expand(-1, 9, -1, -1))


@pytest.mark.parametrize(
    ("changes", "lookahead"),
    [
        ({"interpolation": "linear"}, 29),
        ({"interpolation": "linear", "steps": 2}, 30),
        ({"interpolation": "causal", "level_kernel": 3, "level_lookahead": (0, 0, 0), "steps": 1}, 4),
        ({"interpolation": "causal", "level_kernel": 5, "level_lookahead": (2, 1, 0)}, 5),
        ({"interpolation": "causal", "level_kernel": 3, "level_lookahead": (0, 0, 0)}, 1),
    ],
)
def test_audio_changes_nothing_before_the_stated_lookahead(changes: dict[str, object], lookahead: int) -> None:
    generator = narrow(**changes).double()  # single precision would swallow the little that comes from so far
    assert generator.lookahead == lookahead
    steps = generator.audio.steps_per_frame
    reference, audio = torch.rand(1, 1, 5, 2).double(), torch.randn(1, steps * 80, 26).double()
    first_touched = []
    for frame in range(40, 56):
        changed = audio.clone()
        changed[:, steps * frame : steps * (frame + 1)] += 3
        with torch.no_grad():
            difference = (generator(reference, audio) - generator(reference, changed)).abs().amax((0, 2, 3))
        first_touched.append(frame - int(difference.nonzero()[0]))
    assert max(first_touched) == lookahead


@given(
    changes=st.sampled_from(
        [
            {"interpolation": "linear"},
            {"interpolation": "causal", "level_lookahead": (2, 1, 0), "level_kernel": 5, "anchor": 0.05},
            {"interpolation": "align-corners"},
            {"lstm_input": "pose-and-audio", "levels": 1},
        ]
    ),
    sizes=st.lists(st.integers(0, 12), min_size=1, max_size=8),
    frames=st.integers(1, 3),
    steps=st.sampled_from([1, 2, 4]),
)
@settings(max_examples=30)
def test_streaming_equals_offline(changes: dict[str, object], sizes: list[int], frames: int, steps: int) -> None:
    # Poses of random weights wander far off, where single precision has fewer decimals than the comparison.
    generator = narrow(steps=steps, **changes).double()
    reference, audio = torch.rand(2, frames, 5, 2).double(), torch.randn(2, steps * (sum(sizes) + 1), 26).double()
    with torch.no_grad():
        offline = generator(reference, audio, seed=[4, 9])
        state, chunks, start = generator.init_state(reference, seed=[4, 9]), [], 0
        for size in [*sizes, 1]:
            chunk, state = generator.step(audio[:, steps * start : steps * (start + size)], state)
            start += size
            chunks.append(chunk)
            if generator.lookahead is not None:
                assert sum(c.shape[1] for c in chunks) >= start - generator.lookahead
        chunks.append(generator.step(audio[:, :0], state, last=True)[0])
    torch.testing.assert_close(torch.cat(chunks, 1), offline, atol=1e-9, rtol=0)


def test_noise_is_keyed_by_sample_and_can_be_switched_off() -> None:
    generator = narrow()
    reference, audio = torch.rand(3, 1, 5, 2), torch.randn(3, 40, 26)
    together = generator(reference, audio, seed=7)
    single = torch.cat([generator(reference[b : b + 1], audio[b : b + 1], seed=7 + b) for b in range(3)])
    torch.testing.assert_close(together, single, atol=1e-5, rtol=0)
    assert not torch.allclose(together, generator(reference, audio, seed=8), atol=1e-4)
    without_noise = narrow(initial_state="zeros")
    assert torch.equal(without_noise(reference, audio, seed=1), without_noise(reference, audio, seed=2))


def test_an_anchor_bounds_drift() -> None:
    reference, audio = torch.rand(1, 1, 5, 2), torch.randn(1, 4, 26).repeat(1, 600, 1)
    free, anchored = narrow(anchor=0.0), narrow(anchor=0.1)
    for generator in (free, anchored):
        torch.nn.init.constant_(generator.branches.leaf[-1].bias, 0.02)
        torch.nn.init.zeros_(generator.branches.leaf[-1].weight)
    with torch.no_grad():
        assert (free(reference, audio)[:, -1] - reference).abs().max() > 10
        torch.testing.assert_close(
            (anchored(reference, audio)[:, -1] - reference).max(), torch.tensor(0.2), atol=1e-3, rtol=0
        )


def test_audio_reaches_later_frames_through_an_lstm_that_reads_it() -> None:
    """With branches that ignore audio it only comes through the LSTM; without its weights there, nothing changes."""
    pose_only, with_audio = (narrow(levels=1, lstm_input=reads) for reads in ("pose", "pose-and-audio"))
    width, size = pose_only.lstm.input_size, with_audio.lstm.input_size
    assert (size, parameters(with_audio) - parameters(pose_only)) == (width + 8, 4 * 16 * 8)
    reference, audio = torch.rand(1, 3, 5, 2), torch.randn(1, 4 * 30, 26)
    changed = audio.clone()
    changed[:, :40] += 3
    with torch.no_grad():
        for generator in (pose_only, with_audio):
            # The audio is the last part of what a branch reads, by its skip and by its norm.
            generator.branches.trunk[0].skip[0].weight[:, -8:] = 0
            generator.branches.trunk[0].scale[..., -8:] = 0
            generator.branches.trunk[0].offset[..., -8:] = 0
        assert torch.equal(pose_only(reference, audio), pose_only(reference, changed))
        assert not torch.allclose(with_audio(reference, audio), with_audio(reference, changed), atol=1e-4)
        same = {name: value for name, value in pose_only.state_dict().items() if name != "lstm.weight_ih"}
        with_audio.load_state_dict(same, strict=False)
        with_audio.lstm.weight_ih[:] = torch.nn.functional.pad(pose_only.lstm.weight_ih, (0, 8))
        torch.testing.assert_close(with_audio(reference, audio), pose_only(reference, audio), atol=1e-6, rtol=0)


def test_steps_per_frame_that_the_strides_cannot_give_are_refused() -> None:
    for steps in (3, 5, 8):
        with pytest.raises(SpecError, match=f"expected 1, 2 or 4 audio steps per frame, got {steps}"):
            narrow(steps=steps)


def test_any_representation_and_level_count() -> None:
    motion = narrow(points=7, dims=3, levels=2)(torch.rand(1, 4, 7, 3), torch.randn(1, 20, 26))
    assert motion.shape == (1, 5, 7, 3)


def test_presets_are_defaults_that_other_fields_change() -> None:
    spec = MSSyncGeneratorSpec.model_validate({"preset": "small", "hidden_size": 99})
    assert (spec.hidden_size, spec.interpolation) == (99, "causal")
    assert MSSyncGeneratorSpec.model_validate(spec.model_dump(mode="json")) == spec
    with pytest.raises(SpecError, match="paper-code"):
        MSSyncGeneratorSpec.model_validate({"preset": "smal"})
    with pytest.raises(SpecError, match="3 numbers"):
        MSSyncGeneratorSpec(level_lookahead=(1, 2))
