"""The generator: its sizes, dynamic attention, where it follows the head, and that a stream equals the whole."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from headmotion_amie.alignment import HeadAlignment, carry_along, cut_out
from headmotion_amie.dynamic_attention import DynamicAttention
from headmotion_amie.generator import Decoder, ImageEncoder
from headmotion_amie.specs import DynamicAttentionSpec, FrameDiscriminatorSpec, GeneratorSpec, StillSpec
from headmotion_amie.speech import SpeechEncoder
from torch import nn

import headmotion as hm

FACE = hm.resolve_spec("representation", "landmarks68").build()
CONTEXT = hm.BuildContext(FACE, 13, picture_size=(32, 32))
TINY = {"preset": "small", "size": 32, "identity_widths": (4, 8, 8), "image_widths": (4, 4, 4)}


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def tiny(**fields: object) -> hm.Renderer:
    torch.manual_seed(0)
    return GeneratorSpec.model_validate(TINY | fields).build(CONTEXT).eval()


def poses(frames: int, seed: int = 0) -> torch.Tensor:
    return FACE.neutral() + 0.01 * torch.randn(2, frames, 68, 2, generator=torch.Generator().manual_seed(seed))


def speech(frames: int) -> torch.Tensor:
    return torch.randn(2, 4 * (frames + 4), 13, generator=torch.Generator().manual_seed(5))


def test_the_paper_preset_has_the_named_widths() -> None:
    spec = GeneratorSpec(preset="paper")
    with torch.device("meta"):
        identity = ImageEncoder(spec.identity_widths, spec.size, spec.identity_size)
        still = identity(torch.empty(2, 3, 256, 256))
        assert still.vector.shape == (2, 512) and [m.shape[-1] for m in still.maps] == [128, 64, 32, 16, 8, 4]
        # 20 x 13 features, as in the paper: 5 frames of 40 ms.
        speech_vectors = SpeechEncoder(spec.speech_widths, spec.speech_size, CONTEXT, "test")(torch.empty(2, 4 * 7, 13))
        assert speech_vectors.shape == (2, 3, 256)
        fused = torch.empty(2, spec.identity_size + spec.image_size + spec.speech_size)
        assert fused.shape[1] == 1024
        drawn = Decoder(1024, spec.identity_widths, spec.size, 3)(fused, still.maps)
        assert drawn.shape == (2, 3, 256, 256)
    convolutions = [(3, 64), (64, 128), (128, 256), (256, 512), (512, 512), (512, 512)]
    expected = sum(16 * a * b + b + 2 * b for a, b in convolutions) + 512 * 16 * 512 + 512
    assert count(identity) == expected


def test_the_small_generator_is_below_three_megabytes() -> None:
    assert 4 * count(GeneratorSpec(preset="small").build(hm.BuildContext(FACE, 13))) < 3e6


def test_sizes_that_cannot_be_halved_are_one_line() -> None:
    with pytest.raises(hm.SpecError, match=r"a size that can be halved 3 times \(identity_widths\)"):
        GeneratorSpec.model_validate(TINY | {"size": 36})
    with pytest.raises(hm.SpecError, match="9 audio channels or more, got 5 channels"):
        GeneratorSpec.model_validate(TINY).build(hm.BuildContext(FACE, 5))
    with pytest.raises(hm.ImageError, match="pictures of 16 pixels or more, for 4 halvings, got 8 x 8"):
        FrameDiscriminatorSpec(preset="small").build(hm.BuildContext(FACE, 13, picture_size=(8, 8)))
    with pytest.raises(hm.ImageError, match=r"RGB pictures \[B, 3, 32, 32\]"):
        tiny().pictures(torch.zeros(2, 1, 32, 32), poses(1)[:, 0], poses(1), speech(1))


def test_the_rate_falls_in_equal_parts_and_is_kept() -> None:
    block = DynamicAttention(DynamicAttentionSpec(), 32)
    rates = []
    for step in range(8):
        block.set_progress(step, 8)
        rates.append(round(float(block.rate), 3))
    assert rates == [0.8, 0.8, 0.6, 0.6, 0.4, 0.4, 0.2, 0.2]
    assert "rate" in block.state_dict()
    block.set_progress(0, 4)
    assert float(block.rate) == pytest.approx(0.2)
    with pytest.raises(hm.SpecError, match=r"rates that do not rise, got 0\.2, 0\.8; put the largest first"):
        DynamicAttentionSpec(rates=(0.2, 0.8))


@torch.no_grad()
def test_attention_darkens_the_lips_and_only_them() -> None:
    frame, lips = torch.full((1, 3, 32, 32), 0.5), torch.tensor([[[0.25, 0.5], [0.75, 0.75]]])

    def attend(**fields: object) -> torch.Tensor:
        block = DynamicAttention(DynamicAttentionSpec(margin=0, **fields), 32).eval()
        mask = block.rectangle(lips)
        refined = block.next_mask(mask, mask, frame)
        assert float((refined * (1 - mask)).abs().max()) == 0.0
        return block(frame, mask)[0, 0]

    inside, outside = (20, 16), (4, 4)
    lips_dark, rest_dark = attend(at_inference=True), attend(at_inference=True, mode="attenuate_rest")
    assert lips_dark[inside].item() == pytest.approx(0.4) and lips_dark[outside].item() == pytest.approx(0.5)
    assert rest_dark[inside].item() == pytest.approx(0.5) and rest_dark[outside].item() == pytest.approx(0.4)
    assert torch.equal(attend(), frame[0, 0])


@torch.no_grad()
def test_what_is_drawn_can_be_colors_or_changes() -> None:
    still, motion = torch.rand(2, 3, 32, 32), poses(1)
    drawn = {
        draws: tiny(draws=draws, follows_head=False).pictures(still, motion[:, 0], motion, speech(1))
        for draws in ("pictures", "blended", "changes")
    }
    differences = {draws: float((outputs["frames"][:, 0] - still).abs().mean()) for draws, outputs in drawn.items()}
    # Changes begin near the still picture, which colors know nothing of.
    assert differences["changes"] < 0.02 < 0.1 < differences["pictures"]
    assert float(drawn["pictures"]["paint"].min()) == float(drawn["changes"]["paint"].min()) == 1
    assert 0 < float(drawn["blended"]["paint"].min()) < float(drawn["blended"]["paint"].max()) < 1


@torch.no_grad()
def test_frames_follow_the_head_and_not_the_lips() -> None:
    network, still, pose = tiny(), torch.rand(2, 3, 32, 32), poses(1)[:, 0]
    first = network.pictures(still, pose, pose[:, None].expand(-1, 3, -1, -1), speech(3))["frames"]
    moved_lips = pose[:, None].repeat(1, 3, 1, 1)
    moved_lips[:, :, 48:] += 0.05
    torch.testing.assert_close(network.pictures(still, pose, moved_lips, speech(3))["frames"], first)
    shifted = network.pictures(still, pose, pose[:, None].expand(-1, 3, -1, -1) + 0.25, speech(3))["frames"]
    torch.testing.assert_close(shifted[..., 8:, 8:], first[..., :-8, :-8], atol=1e-4, rtol=0)
    fixed = tiny(follows_head=False).pictures(still, pose, poses(3), speech(3))["frames"]
    torch.testing.assert_close(fixed, first, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_square_moves_with_the_head() -> None:
    alignment, pose = HeadAlignment(FACE, "test"), poses(1)[:, 0]
    picture = torch.rand(2, 1, 3, 64, 64)
    center, side = alignment.lips_square(pose, 0.8)
    still = alignment.fit(pose, pose[:, None])
    before = cut_out(picture, still, center, side, 16)
    rotation = torch.tensor([[0.98, 0.199], [-0.199, 0.98]])
    moved = alignment.fit(pose, ((pose - 0.5) @ rotation + 0.52)[:, None])
    after = cut_out(carry_along(picture, moved), moved, center, side, 16)
    assert before.shape == (2, 1, 3, 16, 16)
    # Carried along and cut out again, up to the blur of two interpolations.
    assert float((after - before).abs().mean()) < 0.12 < float((before.flip(-1) - before).abs().mean())


@torch.no_grad()
@pytest.mark.parametrize("split", [(1, 5), (3, 3)])
def test_a_state_continues_a_sequence(split: tuple[int, int]) -> None:
    network, still, motion, audio = tiny(), torch.rand(2, 3, 32, 32), poses(6), speech(6)
    whole, _ = network.draw(still, motion[:, 0], motion, audio)
    cut = split[0]
    first, state = network.draw(still, motion[:, 0], motion[:, :cut], audio[:, : 4 * (cut + 4)])
    second, _ = network.draw(still, motion[:, 0], motion[:, cut:], audio[:, 4 * cut :], state)
    joined = torch.cat([first["frames"], second["frames"]], dim=1)
    torch.testing.assert_close(joined, whole["frames"])


@torch.no_grad()
def test_the_speech_and_the_frame_before_matter() -> None:
    network, still, motion, audio = tiny(), torch.rand(2, 3, 32, 32), poses(4), speech(4)
    frames = network.pictures(still, motion[:, 0], motion, audio)["frames"]
    late = audio.clone()
    late[:, -4:] += 5.0
    changed = (network.pictures(still, motion[:, 0], motion, late)["frames"] - frames).abs().amax((0, 2, 3, 4))
    # Only the last frame depends on the last step of speech.
    assert changed[:3].max() < 1e-6 < changed[3]
    early = audio.clone()
    early[:, :4] += 5.0
    changed = (network.pictures(still, motion[:, 0], motion, early)["frames"] - frames).abs().amax((0, 2, 3, 4))
    # The first frame depends on the first step, and the second frame on the first.
    assert changed[1] > 1e-6


@pytest.fixture
def talk() -> Callable[[int], tuple[np.ndarray, int]]:
    def generate_speech(frames: int) -> tuple[np.ndarray, int]:
        times = np.arange(640 * frames) / 16_000
        return (0.3 * np.sin(900 * times) * np.sin(11 * times)).astype(np.float32), 16_000

    return generate_speech


def test_a_pipeline_draws_from_speech_and_streams(talk: Callable[[int], tuple[np.ndarray, int]]) -> None:
    torch.manual_seed(0)
    encoder = {"type": "mfcc", "n_mfcc": 13, "lifter": 22}
    renderer = GeneratorSpec.model_validate(TINY).model_dump(mode="json")
    pipe = hm.build({"audio_encoder": encoder, "generator": "amie/still", "renderer": renderer}, device="cpu")
    pose = (0.4 * (FACE.neutral() - 0.5) * 96 + 48).numpy()
    picture = np.random.default_rng(0).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    motion = pipe.generate(talk(8), reference=pose)
    assert motion.values.shape == (8, 68, 2) and float((motion.values - torch.from_numpy(pose)).abs().max()) < 1e-3
    whole = np.stack(list(pipe.iter_frames([motion], picture, pose, audio=talk(8))))
    parts = np.stack(list(pipe.iter_frames([motion[:3], motion[3:4], motion[4:]], picture, pose, audio=talk(8))))
    assert whole.shape == (8, 32, 32, 3) and np.array_equal(whole, parts)
    with pytest.raises(hm.HeadmotionError, match=r"amie/generator.*give audio="):
        list(pipe.iter_frames([motion], picture, pose))


def test_still_holds_the_reference() -> None:
    generator = StillSpec().build(CONTEXT)
    reference = poses(3)
    assert torch.equal(generator(reference, torch.zeros(2, 20, 13)), reference[:, -1:].expand(-1, 5, -1, -1))
