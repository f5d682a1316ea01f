"""The parts of `faulty_specs`: each fault is one line that somebody might well write."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from headmotion.controls import Control
from headmotion.core.errors import ImageError, MotionError
from headmotion.core.interfaces.audio_encoder import AudioEncoder
from headmotion.core.interfaces.detector import Detection, Detector, box_of
from headmotion.core.interfaces.discriminator import Discriminator
from headmotion.core.interfaces.fixed_shape_stream import FixedShapeStream
from headmotion.core.interfaces.generator import Generator
from headmotion.core.interfaces.loss import Loss
from headmotion.core.interfaces.metric import Metric, MetricValues
from headmotion.core.interfaces.phase import Phase
from headmotion.core.interfaces.renderer import Renderer
from headmotion.core.interfaces.specs import resolve_spec
from headmotion.core.interfaces.syncer import Syncer
from headmotion.renderers.picture_stream import PictureStream
from headmotion.training.settings import OptimizerSpec


class Gen(Generator):
    """Each frame is the reference plus a weighted sum of this and the next frame's audio."""

    def __init__(self, spec, context):
        super().__init__(spec)
        self.fault, self.lookahead, self.context_frames, self.calls = spec.fault, 1, 2, 0
        self.steps = 4 if spec.fault == "four steps" else context.steps_per_frame
        self.weight = nn.Parameter(torch.randn(context.audio_channels))
        if spec.fault == "hidden state":
            self.hidden = torch.randn(1)
        if spec.fault == "lock":
            self.lock = threading.Lock()
        if spec.fault == "unused layer":
            self.unused = nn.Linear(2, 2)

    def forward(self, reference, audio, seed=0):
        motion = self.step(audio, self.init_state(reference, seed), last=True)[0]
        if self.fault == "writes":
            audio -= audio.mean(1, keepdim=True)
        self.calls += self.fault == "counts"
        return motion + 1e-3 * self.calls

    def init_state(self, reference, seed=0):
        base = reference[:, -2:].mean(1) if self.fault != "context" else reference.mean(1)
        seeds = range(seed, seed + len(reference)) if isinstance(seed, int) else seed
        noise = torch.tensor([[[float(number)]] for number in seeds])
        if self.fault == "batch":
            noise = noise[:1].expand_as(noise)
        return base + 1e-3 * noise, torch.zeros(len(reference), 0, len(self.weight))

    def step(self, audio, state, last=False):
        base, tail = state
        frames = torch.cat([tail, audio.unflatten(1, (-1, self.steps)).mean(2) if audio.shape[1] else audio], dim=1)
        if self.fault == "global statistics":
            frames = frames - frames.mean(1, keepdim=True)
        if self.fault == "random":
            base = base + torch.randn(1)
        if self.fault == "python random":
            base = base + random.random()
        if self.fault == "late" and not last:
            return base.new_zeros(len(base), 0, *base.shape[1:]), (base, frames)
        following = torch.cat([frames[:, 1:], frames[:, -1:]], dim=1)
        if self.fault == "looks further":
            following = torch.cat([frames[:, 3:], frames[:, -3:]], dim=1)[:, : frames.shape[1]]
        weight = self.weight.detach() if self.fault == "detached" else self.weight
        drive = ((frames + following) * weight).sum(-1)
        if self.fault == "hidden state":
            drive = drive + self.hidden
        if self.fault == "nan":
            drive = drive * torch.nan
        ready = frames.shape[1] if last else max(0, frames.shape[1] - 1)
        motion = base.unsqueeze(1) + 1e-3 * drive[:, :ready, None, None]
        if self.fault == "state written to":
            base += 1e-3 * ready
        return motion if self.fault != "flat" else motion.flatten(2), (base, frames[:, ready:])


class Able(Gen):
    """Moved by the listener too, and less certain the louder the audio is."""

    def init_state(self, reference, seed=0):
        return *super().init_state(reference, seed), None, None

    def push_listener(self, audio, state):
        louder = audio.unflatten(1, (-1, self.steps)).mean((2, 3))
        if self.fault == "listener per chunk":
            louder = louder - louder.mean(1, keepdim=True)
        listener = louder if state[2] is None else torch.cat([state[2], louder], dim=1)
        return *state[:2], listener, state[3]

    def step(self, audio, state, last=False):
        motion, (base, tail) = super().step(audio, state[:2], last)
        listener = (
            motion.new_zeros(len(motion), motion.shape[1]) if state[2] is None else state[2][:, : motion.shape[1]]
        )
        motion = motion + 1e-3 * listener[..., None, None]
        remainder = None if state[2] is None else state[2][:, motion.shape[1] :]
        return motion, (base, tail, remainder, motion.detach().abs())

    def step_streams(self, audio, states, last):
        if self.fault == "one base for all":
            states = [(states[0][0], *state[1:]) for state in states]
        return [self.step(*arguments) for arguments in zip(audio, states, last, strict=True)]

    def deviation(self, state):
        return -state[3] if self.fault == "negative deviation" else state[3]

    def fixed_shape_stream(self, frames, lag):
        return AbleStream(self, frames, lag)


class AbleStream(FixedShapeStream):
    """The last frame has no next one and takes its own audio twice."""

    def __init__(self, part, frames, lag):
        super().__init__()
        self.part, self.frames, self.delay = part, frames, lag + 1

    def init_state(self, reference, seed=0):
        base = self.part.init_state(reference, seed)[0]
        return {"base": base, "tail": base.new_zeros(1, 1, len(self.part.weight))}

    def forward(self, audio, chunk, end, state):
        frames = torch.cat([state["tail"], audio.unflatten(1, (-1, self.part.steps)).mean(2)], dim=1)
        if self.part.fault == "branches" and int(chunk) < 1:
            chunk = chunk + 0 * 1
            frames = torch.cat([torch.zeros_like(frames[:, :1]), frames[:, 1:]], dim=1)
        number = self.frames * chunk - self.delay + torch.arange(self.frames)
        final = (number + 1 >= end) & (self.part.fault != "reads past the end")
        following = torch.where(final[:, None], frames[:, :-1], frames[:, 1:])
        drive = ((frames[:, :-1] + following) * self.part.weight).sum(-1)
        return state["base"].unsqueeze(1) + 1e-3 * drive[..., None, None], state | {"tail": frames[:, -1:]}


class Whole(Generator):
    """A mean over the whole clip moves all of it."""

    context_frames = 1

    def __init__(self, spec, context):
        super().__init__(spec)
        self.steps = context.steps_per_frame
        if spec.fault == "a file of the folder":
            assert any(Path().iterdir())
        if spec.fault == "double":
            torch.set_default_dtype(torch.float64)
        if spec.fault == "only looks ahead":
            self.lookahead = 0
        if spec.fault == "misspelled":
            self.init_states = self.step = self.forward

    def forward(self, reference, audio, seed=0):
        frames = audio.shape[1] // self.steps
        return (reference[:, -1:] + 1e-3 * audio.mean((1, 2))[:, None, None, None]).expand(-1, frames, -1, -1)


class Enc(AudioEncoder):
    sample_rate, hop, channels, look_back, look_ahead = 16000, 100, 1, 0, 100

    def __init__(self, spec):
        super().__init__(spec)
        self.fault = spec.fault
        if spec.fault == "reach":
            self.look_ahead = 99
        if spec.fault == "promise":
            self.look_ahead = 50
        if spec.fault == "unused layer":
            self.unused = nn.Linear(2, 2)

    def forward(self, wave, steps=None):
        count = wave.shape[1] // 100 if steps is None and self.fault != "no default" else (steps or 0)
        wave = nn.functional.pad(wave, (0, max(0, 100 * count - wave.shape[1])))[:, : 100 * count]
        if self.fault == "peak":
            wave = wave / wave.abs().max().clamp(min=1e-3) if wave.numel() else wave
        if self.fault == "batch":
            wave = wave - wave.mean(0, keepdim=True)
        return wave.reshape(len(wave), count, 100).abs().mean(-1, keepdim=True)

    def init_state(self, batch=1):
        return torch.zeros(batch, 0)

    def step(self, wave, state):
        samples = torch.cat([state if self.fault != "forgets" else state[:, :0], wave], dim=1)
        used = samples.shape[1] // 100 * 100
        if self.fault == "writes its state":
            result = self(samples[:, :used], used // 100), samples[:, used:].clone()
            state.zero_()
            return result
        return self(samples[:, :used], used // 100), samples[:, used:]


class PoolEnc(Enc):
    def step_streams(self, waves, states):
        if self.fault == "one state for all":
            states = [states[0]] * len(states)
        return [self.step(*arguments) for arguments in zip(waves, states, strict=True)]

    def attenuate(self, features, attenuation_db):
        factors = 10 ** (-attenuation_db / (10 if self.fault == "attenuates power" else 20))[:, None, None]
        return features.mul_(factors) if self.fault == "attenuates in place" else features * factors


class ClipEnc(AudioEncoder):
    """Loudness relative to the loudest sample of the clip."""

    sample_rate, hop, channels, look_back, look_ahead = 16000, 160, 1, None, None

    def forward(self, wave, steps=None):
        count = wave.shape[1] // 160 if steps is None else steps
        wave = wave / wave.abs().amax(1, keepdim=True).clamp(min=1e-3) if wave.numel() else wave
        wave = nn.functional.pad(wave, (0, max(0, 160 * count - wave.shape[1])))[:, : 160 * count]
        return wave.reshape(len(wave), count, 160).abs().mean(-1, keepdim=True)


class Sync(Syncer):
    window = 5

    def __init__(self, spec):
        super().__init__(spec)
        self.fault = spec.fault

    def embed_audio(self, audio):
        size = 3 if self.fault == "sizes" else 4
        return audio.mean(1)[:, :size] - (audio.mean() if self.fault == "batch" else 0)

    def embed_motion(self, motion):
        embedded = motion.mean(1).flatten(1)[:, :4]
        return 0 * embedded if self.fault == "gradient" else embedded


class Disc(Discriminator):
    def __init__(self, spec):
        super().__init__(spec)
        self.fault = spec.fault
        if spec.fault == "detached prediction":
            self.predictions = lambda sample: {"size": sample.motion.square().mean()}

    def forward(self, sample):
        motion = sample.motion
        if self.fault == "headless":
            return {}
        score = motion.mean((1, 2, 3))
        if self.fault == "gradient":
            score = 0 * score
        return {"one": score.mean() if self.fault == "scalar" else score}


class Draw(Renderer):
    needs_image = True
    keeps_alpha = True

    def __init__(self, spec):
        super().__init__(spec)
        self.fault = spec.fault

    def frames(self, motion, image=None, landmarks=None, audio=None):
        if image is None and self.fault != "no image":
            raise ImageError("draw", "an image", "none")
        channels = 3 if image is None or self.fault == "drops alpha" else image.shape[2]
        if self.fault == "paints the picture":
            image[:] = 0
        chunks = list(motion) if self.fault == "greedy" else motion
        if self.fault == "never empty":
            first = next(chunks := iter(chunks), None)
            yield np.zeros((8, 8, channels), np.uint8)
            chunks = [] if first is None else [first[1:], *chunks]
        buffer = np.zeros((8, 8, channels), np.uint8)
        for chunk in chunks:
            if self.fault == "moves the motion":
                chunk.values.add_(1)
            for number, frame in enumerate(chunk.values):
                picture = buffer if self.fault == "one buffer" else buffer.copy()
                picture[:] = int(frame.abs().sum()) % 256
                if self.fault == "counts in a chunk":
                    picture[0, 0, 0] = number
                yield picture.astype(float) if self.fault == "float" else picture
                if self.fault == "double":
                    yield picture


class Learn(Renderer):
    """The identity picture, tinted by learned weights of the motion and of the audio of three frames."""

    needs_image = True
    needs = frozenset({"motion", "audio"})
    training_picture_size = (12, 16)

    def __init__(self, spec, context):
        super().__init__(spec)
        self.fault, self.representation, self.steps = spec.fault, context.representation, context.steps_per_frame
        self.weight = nn.Parameter(torch.randn(3))

    def pictures(self, identity, pose, motion, audio=None):
        loudness = audio.unflatten(1, (-1, self.steps)).mean((2, 3))
        around = torch.nn.functional.pad(loudness, (1, 1)).unfold(1, 3, 1).mean(-1)
        drive = (motion - pose[:, None]).mean((2, 3)) + 0.01 * around
        weight = self.weight.detach() if self.fault == "detached" else self.weight
        colors = drive[:, :, None] * weight
        if self.fault == "batch":
            colors = colors - colors.mean(0)
        light = torch.logit(identity, eps=0.01)[:, None] + colors[..., None, None]
        return light if self.fault == "no sigmoid" else light.sigmoid()

    def frames(self, motion, image=None, landmarks=None, audio=None):
        if self.fault == "missing audio as zeros" and audio is None:
            motion = list(motion)
            audio = (torch.zeros(1, self.steps * len(part), 26) for part in motion)
        stream = PictureStream(self, self.representation, motion, image, landmarks, audio)
        ahead = 0 if self.fault == "chunks" else 1
        for window in stream.windows(look_back=1, look_ahead=ahead):
            pictures = self.pictures(stream.identity, stream.pose, window.motion, window.audio)
            if self.fault == "darker":
                pictures = 0.9 * pictures
            yield from stream.to_frames(pictures[:, window.first : window.first + window.count])


def faulty_landmarks(spec):
    """The 68 landmarks with a fault."""
    part = resolve_spec("representation", "landmarks68").build()
    part.spec, part.name = spec, "repr" if spec.fault != "name" else "landmarks68"
    match spec.fault:
        case "index":
            part.edges = ((0, 68),)
        case "mirror":
            part.mirror = (*range(1, 68), 0)
        case "flip":
            part.flip = lambda values: values + 1
        case "not mirrored":
            part.flip = lambda values: values
        case "normalize":
            part.normalize = lambda values, frame: values
        case "frame":
            part.frame_of = lambda values: resolve_spec("representation", "landmarks68").build().frame_of(2 * values)
        case "detached":
            part.to_points2d = lambda values: values[..., :2].detach()
        case "takes anything":
            part.denormalize = lambda values, frame: (values - 0.5) * frame.side + torch.tensor([frame.x, frame.y])
    return part


class Far(Loss):
    """Distance from the real motion."""

    def __init__(self, spec):
        super().__init__(spec)
        self.fault = spec.fault
        if spec.fault == "untrained":
            self.weight = nn.Parameter(torch.ones(()))

    def forward(self, real, generated, step):
        difference = generated.motion - real.motion
        if self.fault == "detached":
            difference = difference.detach()
        if self.fault == "norm":
            return {"far": difference.square().sum((1, 2, 3)).sqrt().mean()}
        if self.fault == "names":
            return {f"far{len(difference)}": difference.square().mean()}
        return {"far": difference.square().mean((1, 2, 3)) if self.fault == "vector" else difference.square().mean()}


class Size(Metric):
    """Mean distance from the real motion."""

    needs = frozenset({"real"})

    def __init__(self, spec):
        super().__init__(spec)
        self.fault = spec.fault
        if spec.fault == "undeclared need":
            self.needs = frozenset()
        if spec.fault == "needless need":
            self.needs = frozenset({"real", "audio"})
        if spec.fault == "unknown need":
            self.needs = frozenset({"real", "speech"})

    @property
    def protocol(self):
        return {"tensor": torch.zeros(1)} if self.fault == "protocol" else {"version": 1}

    def observe(self, clip):
        if clip.real is None and self.fault == "survives without":
            return {"distance": clip.generated.values.abs().mean()}
        if clip.real is None and self.fault != "crashes without":
            raise MotionError("size", "a target" if self.fault == "unnamed need" else "real motion", "none")
        if len(clip.generated) == 1 and self.fault == "crashes on one frame":
            raise ValueError("one frame")
        if len(clip.generated) == 1 and self.fault == "infinite on one frame":
            return {"distance": torch.tensor(torch.inf)}
        distance = (clip.generated.values - clip.real.values).abs().mean()
        return {"distance": distance.item() if self.fault == "numbers" else distance}

    def observe_batch(self, clips):
        return [self.observe(clips[0] if self.fault == "first for all" else clip) for clip in clips]

    def figures(self, observed):
        values = [clip["distance"] for clip in observed]
        if self.fault == "spread of one":
            return MetricValues({"distance": float(torch.stack(values).std(correction=1))})
        return MetricValues({"distance": float(values[0] if self.fault == "order" else sum(values) / len(values))})


class Find(Detector):
    """Two faces in any picture that is not dark."""

    def __init__(self, spec, context):
        super().__init__(spec)
        self.fault, self.neutral = spec.fault, context.representation.neutral()

    label_names = ("size", "place")

    def detect(self, images):
        if self.fault == "a list too few":
            images = images[1:]
        return [self.find(image, len(images)) for image in images]

    def find(self, image, count):
        if image.mean() < 1 or self.fault == "finds nothing":
            return [] if self.fault != "one for dark" else [Detection(torch.zeros(67, 2), (0, 0, 1, 1))]
        poses = [20 * self.neutral, 10 * self.neutral]
        if self.fault == "paints":
            image[:2] = 0
        if self.fault == "batch":
            poses = [pose * count for pose in poses]
        score = 2.0 if self.fault == "very sure" else 0.9
        found = [Detection(pose, box_of(pose), score) for pose in poses]
        if self.fault == "unit frame":
            found = [Detection(self.neutral, detection.box, score) for detection in found]
        return found[::-1] if self.fault == "smallest first" else found

    def labels(self, detections):
        labels = torch.tensor([[one.box[2] - one.box[0], one.box[0]] for one in detections]).reshape(-1, 2)
        return labels[:, :1] if self.fault == "labels" else labels

    def poses_as(self, detections, representation):
        count = len(detections) + (self.fault == "a pose too many")
        return representation.neutral().repeat(count, 1, 1)


class Steps(Phase):
    """A line from one number of the audio to one of the motion."""

    def __init__(self, spec, context):
        self.fault, self.name, self.steps, self.calls = spec.fault, context.name, spec.steps, 0
        self.batches = context.batches(10, spec.steps)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(context.seed)
            self.line = nn.Linear(1, 1)
        self.hidden = nn.Linear(1, 1)
        self.modules = {"line": self.line}
        self.stepper = context.stepper("line", self.line.parameters(), OptimizerSpec(lr=0.1), spec.steps)
        self.optimizers = {"line": self.stepper}

    def start(self):
        pass

    def step(self, number):
        batch = self.batches(number)
        self.calls += self.fault == "counts"
        error = (self.line(batch.audio[:, ::4, :1]) - batch.motion[:, :, 0, :1]).square().mean() + self.calls
        self.stepper.accumulate({"error": error})
        if self.fault == "forgets to apply":
            return {"error": 1.0}
        return self.stepper.apply(number, batch.clips)

    def result(self):
        if self.fault == "nameless":
            return {}
        return {"line": self.hidden if self.fault == "hidden" else self.line}


@dataclass(frozen=True)
class Sway(Control):
    """All points move to the side and back; each frame waits for the next one."""

    fault: str

    def start(self, context):
        return SwayEdit(self.fault)

    def lookahead_ms(self, frames_ms=0.0):
        return frames_ms + 40


class SwayEdit:
    def __init__(self, fault):
        self.fault, self.number, self.held = fault, 0, None

    def __call__(self, frames, speech, last):
        numbers = torch.arange(len(frames)) + (0 if self.fault == "counts in a piece" else self.number)
        self.number += len(frames)
        moved = frames if self.fault == "writes" else frames.clone()
        moved[:, :, 0] += torch.sin(numbers)[:, None]
        ready = moved if self.held is None else torch.cat([self.held, moved])
        if last:
            return torch.cat([ready, ready[-1:]]) if self.fault == "a frame too many" else ready
        wait = 9 if self.fault == "waits longer" else 1
        ready, self.held = ready[:-wait], ready[-wait:]
        return ready

    def get_state(self):
        return self.number, self.held

    def set_state(self, state):
        self.number, self.held = (0, state[1]) if self.fault == "forgets" else state
