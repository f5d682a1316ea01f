"""The kit finds what is broken: each faulty part fails the one check that is about its fault."""

from typing import Literal

import numpy as np
import pytest
import torch
from torch import nn

from headmotion.core.audio_encoder import AudioEncoder
from headmotion.core.discriminator import Discriminator
from headmotion.core.errors import ImageError, PluginError
from headmotion.core.generator import Generator
from headmotion.core.plugins import PluginRecord, registry
from headmotion.core.renderer import Renderer
from headmotion.core.spec import (
    AudioEncoderSpec,
    DiscriminatorSpec,
    GeneratorSpec,
    LossSpec,
    RendererSpec,
    RepresentationSpec,
    SyncerSpec,
    spec_from,
)
from headmotion.core.syncer import Syncer
from headmotion.testing import CHECKS, assert_conforms, check_generator, check_plugin, run_checks


class Gen(Generator):
    """Each frame is the reference moved by this and the next frame's audio, weighted."""

    def __init__(self, spec, context):
        super().__init__(spec)
        self.fault, self.lookahead, self.context_frames = spec.fault, 1, 2
        self.weight = nn.Parameter(torch.randn(context.audio_channels))
        if spec.fault == "hidden state":
            self.hidden = torch.randn(1)

    def forward(self, reference, audio, seed=0):
        return self.step(audio, self.init_state(reference, seed), last=True)[0]

    def init_state(self, reference, seed=0):
        base = reference[:, -2:].mean(1) if self.fault != "context" else reference.mean(1)
        seeds = range(seed, seed + len(reference)) if isinstance(seed, int) else seed
        noise = torch.tensor([[[float(each)]] for each in seeds])
        if self.fault == "batch":
            noise = noise[:1].expand_as(noise)
        return base + 1e-3 * noise, torch.zeros(len(reference), 0, len(self.weight))

    def step(self, audio, state, last=False):
        base, kept = state
        frames = torch.cat([kept, audio.unflatten(1, (-1, 4)).mean(2) if audio.shape[1] else audio], dim=1)
        if self.fault == "global statistics":
            frames = frames - frames.mean(1, keepdim=True)
        if self.fault == "random":
            base = base + torch.randn(1)
        if self.fault == "late" and not last:
            return base.new_zeros(len(base), 0, *base.shape[1:]), (base, frames)
        following = torch.cat([frames[:, 1:], frames[:, -1:]], dim=1)
        if self.fault == "looks further":
            following = torch.cat([frames[:, 3:], frames[:, -3:]], dim=1)[:, : frames.shape[1]]
        drive = ((frames + following) * self.weight.detach()).sum(-1)
        if self.fault == "hidden state":
            drive = drive + self.hidden
        if self.fault == "nan":
            drive = drive * torch.nan
        ready = frames.shape[1] if last else max(0, frames.shape[1] - 1)
        motion = base.unsqueeze(1) + 1e-3 * drive[:, :ready, None, None]
        return motion if self.fault != "flat" else motion.flatten(2), (base, frames[:, ready:])


class GenSpec(GeneratorSpec):
    """A generator."""

    type: Literal["gen"] = "gen"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        return Gen(self, context)


class Enc(AudioEncoder):
    sample_rate, hop, channels, look_back, look_ahead = 16000, 100, 1, 0, 100

    def __init__(self, spec, context):
        super().__init__(spec)
        self.fault = spec.fault
        if spec.fault == "reach":
            self.look_ahead = 99
        if spec.fault == "promise":
            self.look_ahead = 50

    def forward(self, wave, steps=None):
        count = wave.shape[1] // 100 if steps is None and self.fault != "no default" else (steps or 0)
        wave = nn.functional.pad(wave, (0, max(0, 100 * count - wave.shape[1])))[:, : 100 * count]
        if self.fault == "peak":
            wave = wave / wave.abs().max().clamp(min=1e-3) if wave.numel() else wave
        return wave.reshape(len(wave), count, 100).abs().mean(-1, keepdim=True)

    def init_state(self, batch=1):
        return torch.zeros(batch, 0)

    def step(self, wave, state):
        heard = torch.cat([state if self.fault != "forgets" else state[:, :0], wave], dim=1)
        used = heard.shape[1] // 100 * 100
        return self(heard[:, :used], used // 100), heard[:, used:]


class EncSpec(AudioEncoderSpec):
    """An audio encoder."""

    type: Literal["enc"] = "enc"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        return Enc(self, context)


class Sync(Syncer):
    window = 5

    def __init__(self, spec, context):
        super().__init__(spec)
        self.fault = spec.fault

    def embed_audio(self, audio):
        size = 3 if self.fault == "sizes" else 4
        return audio.mean(1)[:, :size] - (audio.mean() if self.fault == "batch" else 0)

    def embed_motion(self, motion):
        embedded = motion.mean(1).flatten(1)[:, :4]
        return embedded.detach() if self.fault == "gradient" else embedded


class SyncSpec(SyncerSpec):
    """A syncer."""

    type: Literal["sync"] = "sync"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        return Sync(self, context)


class Disc(Discriminator):
    def __init__(self, spec, context):
        super().__init__(spec)
        self.fault = spec.fault

    def forward(self, reference, motion):
        if self.fault == "headless":
            return {}
        score = motion.mean((1, 2, 3))
        if self.fault == "gradient":
            score = 0 * score
        return {"one": score.mean() if self.fault == "scalar" else score}


class DiscSpec(DiscriminatorSpec):
    """A discriminator."""

    type: Literal["disc"] = "disc"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        return Disc(self, context)


class Draw(Renderer):
    needs_image = True
    keeps_alpha = True

    def __init__(self, spec, context):
        super().__init__(spec)
        self.fault = spec.fault

    def frames(self, motion, image=None, landmarks=None):
        if image is None and self.fault != "no image":
            raise ImageError("draw", "an image", "none")
        channels = 3 if image is None or self.fault == "drops opacity" else image.shape[2]
        if self.fault == "paints the picture":
            image[:] = 0
        pieces = list(motion) if self.fault == "greedy" else motion
        if self.fault == "never empty":
            first = next(pieces := iter(pieces), None)
            yield np.zeros((8, 8, channels), np.uint8)
            pieces = [] if first is None else [first[1:], *pieces]
        buffer = np.zeros((8, 8, channels), np.uint8)
        for piece in pieces:
            if self.fault == "moves the motion":
                piece.values.add_(1)
            for number, frame in enumerate(piece.values):
                picture = buffer if self.fault == "one buffer" else buffer.copy()
                picture[:] = int(frame.abs().sum()) % 256
                if self.fault == "counts in a piece":
                    picture[0, 0, 0] = number
                yield picture.astype(float) if self.fault == "float" else picture
                if self.fault == "double":
                    yield picture


class DrawSpec(RendererSpec):
    """A renderer."""

    type: Literal["draw"] = "draw"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        return Draw(self, context)


class ReprSpec(RepresentationSpec):
    """The 68 landmarks, spoilt."""

    type: Literal["repr"] = "repr"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context=None):
        part = spec_from("representation", "landmarks68").build()
        part.spec = self
        if self.fault == "index":
            part.edges = ((0, 68),)
        if self.fault == "mirror":
            part.mirror = (*range(1, 68), 0)
        if self.fault == "flip":
            part.flip = lambda values: values + 1
        if self.fault == "normalize":
            part.normalize = lambda values, frame: values
        return part


SPECS = {each.kind: each for each in (GenSpec, EncSpec, SyncSpec, DiscSpec, DrawSpec, ReprSpec)}
FAULTS = [
    ("generator", "context", {"generator-uses-its-context"}),
    ("generator", "batch", {"generator-samples-stand-alone"}),
    ("generator", "global statistics", {"generator-streams-the-whole", "generator-lookahead-is-honest"}),
    ("generator", "looks further", {"generator-streams-the-whole", "generator-lookahead-is-honest"}),
    ("generator", "late", {"generator-lookahead-is-honest"}),
    ("generator", "hidden state", {"state-dict-round-trips"}),
    ("audio_encoder", "no default", {"encoder-keeps-shapes", "encoder-reach-is-honest"}),
    ("audio_encoder", "peak", {"encoder-streams-the-whole", "encoder-reach-is-honest"}),
    ("audio_encoder", "reach", {"encoder-reach-is-honest"}),
    ("audio_encoder", "promise", {"encoder-streams-the-whole", "encoder-reach-is-honest"}),
    ("audio_encoder", "forgets", {"encoder-streams-the-whole"}),
    ("syncer", "sizes", {"syncer-embeds-into-one-space"}),
    ("syncer", "batch", {"syncer-embeds-into-one-space"}),
    ("syncer", "gradient", {"syncer-embeds-into-one-space"}),
    ("discriminator", "scalar", {"discriminator-scores-by-head"}),
    ("discriminator", "gradient", {"discriminator-scores-by-head"}),
    ("renderer", "no image", {"renderer-asks-for-its-image"}),
    ("renderer", "greedy", {"renderer-reads-lazily"}),
    ("renderer", "counts in a piece", {"renderer-draws-every-frame"}),
    ("renderer", "float", {"renderer-draws-every-frame"}),
    ("renderer", "double", {"renderer-draws-every-frame"}),
    ("renderer", "never empty", {"renderer-draws-nothing-of-nothing"}),
    ("renderer", "paints the picture", {"renderer-leaves-what-it-is-given-and-gives"}),
    (
        "renderer",
        "moves the motion",
        {
            "renderer-leaves-what-it-is-given-and-gives",
            "renderer-draws-every-frame",
            "renderer-draws-nothing-of-nothing",
        },
    ),
    ("renderer", "one buffer", {"renderer-leaves-what-it-is-given-and-gives"}),
    ("renderer", "drops opacity", {"renderer-keeps-alpha-if-it-says-so"}),
    ("representation", "index", {"representation-is-consistent"}),
    ("representation", "mirror", {"representation-is-consistent", "representation-maps-both-ways"}),
    ("representation", "flip", {"representation-maps-both-ways"}),
    ("representation", "normalize", {"representation-maps-both-ways"}),
]


def failed(kind, fault):
    return {each.name for each in run_checks(kind, SPECS[kind](fault=fault)) if each.status == "failed"}


@pytest.mark.parametrize("kind", SPECS)
def test_a_sound_part_conforms(kind):
    results = assert_conforms(SPECS[kind]())
    assert [each.name for each in results] == [*CHECKS[""], *CHECKS[kind]]
    assert {each.status for each in results} == {"passed"}


@pytest.mark.parametrize(("kind", "fault", "checks"), FAULTS, ids=[f"{kind}-{fault}" for kind, fault, _ in FAULTS])
def test_each_fault_fails_its_check(kind, fault, checks):
    assert failed(kind, fault) == checks


@pytest.mark.parametrize(
    ("kind", "fault", "check"),
    [
        ("generator", "random", "outcome-repeats"),
        ("generator", "nan", "outcome-repeats"),
        ("generator", "flat", "generator-keeps-shapes"),
        ("discriminator", "headless", "discriminator-scores-by-head"),
    ],
)
def test_faults_that_show_in_many_checks(kind, fault, check):
    assert check in failed(kind, fault)


def test_faults_of_a_spec():
    class Bare(GenSpec):
        size: int = 3

    class Lossy(GenSpec):
        def model_dump_json(self, **options):
            return '{"fault": "batch"}'

    def names(spec):
        return {each.name for each in run_checks("generator", spec) if each.status == "failed"}

    assert names(Bare()) == {"spec-is-documented"}
    assert names(Lossy()) == {"spec-json-round-trips"}


def test_every_check_has_a_fault_that_it_finds():
    found = set().union(*(checks for _, _, checks in FAULTS))
    found |= {"outcome-repeats", "generator-keeps-shapes", "spec-is-documented", "spec-json-round-trips"}
    assert found == {name for checks in CHECKS.values() for name in checks}


def test_expected_failures_are_strict():
    reason = {"generator-samples-stand-alone": "one noise for all"}
    results = {each.name: each for each in assert_conforms(GenSpec(fault="batch"), expected_failures=reason)}
    assert results["generator-samples-stand-alone"].status == "expected-failure"
    with pytest.raises(AssertionError, match="generator-samples-stand-alone: unexpected-pass"):
        check_generator(GenSpec(), expected_failures=reason)
    with pytest.raises(ValueError, match="no such check of a generator: typo; there are spec-is-documented"):
        check_generator(GenSpec(), expected_failures={"typo": "?"})


def test_failure_names_part_check_and_reason():
    with pytest.raises(AssertionError) as caught:
        check_generator(GenSpec(fault="batch"))
    first, *others = str(caught.value).splitlines()
    assert first == "generator 'gen' does not conform"
    assert others[0].startswith("generator-samples-stand-alone: failed. AssertionError: alone: 0.001 apart")


def test_other_representations_and_kinds_without_checks_of_their_own():
    check_generator(GenSpec(), representation={"type": "landmarks68", "dims": 3})

    class Zero(LossSpec):
        """Nothing."""

        type: Literal["zero"] = "zero"

        def build(self, context):
            part = nn.Identity()
            part.spec = self
            return part

    assert [each.name for each in assert_conforms(Zero())] == list(CHECKS[""])


def test_the_global_random_state_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert_conforms(GenSpec())
    assert torch.equal(torch.get_rng_state(), before)


def test_check_plugin(monkeypatch):
    results = check_plugin("representations")
    assert all(each.conforms for outcomes in results.values() for each in outcomes)
    assert {each.status for each in results["representation:landmarks68"]} == {"passed"}
    (joints,) = results["representation:joints"]
    assert (joints.status, joints.detail[:14]) == ("expected-failure", "names, parents")
    with pytest.raises(PluginError, match=r"one of .*representations"):
        check_plugin("nothing")
    broken = PluginRecord("zoo", "headmotion-zoo", "1", "error", "ImportError: no legs")
    monkeypatch.setattr(registry(), "records", [broken])
    with pytest.raises(PluginError, match="expected a loaded plugin, got error; ImportError: no legs"):
        check_plugin("zoo")
