"""Parts for pictures and speech, written as a plugin author would; the published systems have larger ones.

A renderer that draws from the speech, discriminators of pictures, a classifier, an audio encoder with weights, and
losses that learn or use what was learned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

import headmotion as hm

EDGE = 32
"""Edge of the pictures (px)."""


def frames_of(features: Tensor, frames: int) -> Tensor:
    """Return the mean feature of each of the last ``frames`` frames, ``[B, T, C]``; four steps each."""
    return features.unflatten(1, (-1, 4)).mean(2)[:, -frames:]


def look(size: int) -> nn.Sequential:
    """A network from pictures ``[N, 3, H, W]`` to numbers ``[N, size]``."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 4, 4),
        nn.BatchNorm2d(8),
        nn.LeakyReLU(0.2),
        nn.AdaptiveAvgPool2d(8),
        nn.Flatten(),
        nn.Linear(512, size),
    )


class TalkerSpec(hm.RendererSpec):
    """Draws from pose and speech, frame after frame."""

    type: Literal["cinema/talker"] = "cinema/talker"

    def build(self, context: hm.BuildContext) -> hm.Renderer:
        return Talker(self, context)


class Talker(hm.Renderer):
    needs_image = True
    needs = frozenset({"motion", "audio"})
    training_picture_size = (EDGE, EDGE)

    def __init__(self, spec: hm.Spec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation
        size = context.representation.points * context.representation.dims
        self.pose, self.sound = nn.Linear(size, 16), nn.Linear(context.audio_channels, 16)
        self.paint = nn.Sequential(
            nn.Dropout(0.1), nn.Linear(32, 4 * 8 * 8), nn.Unflatten(1, (4, 8, 8)), nn.Upsample(scale_factor=4)
        )

    def pictures(self, identity: Tensor, pose: Tensor, motion: Tensor, audio: Tensor | None = None) -> Tensor:
        assert audio is not None
        speech = self.sound(frames_of(audio, motion.shape[1]))
        both = torch.cat([self.pose((motion - pose[:, None]).flatten(2)), speech], dim=-1).relu()
        painted = torch.sigmoid(self.paint(both.flatten(0, 1))).unflatten(0, motion.shape[:2])
        return (1 - painted[:, :, :1]) * identity[:, None] + painted[:, :, :1] * painted[:, :, 1:]

    @torch.no_grad()
    def frames(
        self,
        motion: Iterable[hm.Motion],
        image: Any = None,
        landmarks: Any = None,
        audio: Iterable[Tensor] | None = None,
    ) -> Iterator[Any]:
        stream = hm.PictureStream(self, self.representation, motion, image, landmarks, audio)
        for window in stream.windows():
            yield from stream.to_frames(self.pictures(stream.identity, stream.pose, window.motion, window.audio))


class LandmarkDiscriminatorSpec(hm.DiscriminatorSpec):
    """Scores pictures, and finds the landmarks in them, as that of ATVGnet does."""

    type: Literal["cinema/landmarks"] = "cinema/landmarks"

    def build(self, context: hm.BuildContext) -> hm.Discriminator:
        return LandmarkDiscriminator(self, context)


class LandmarkDiscriminator(hm.Discriminator):
    needs = frozenset({"frames"})

    def __init__(self, spec: hm.Spec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        size = context.representation.points * context.representation.dims
        self.look, self.still = look(16), nn.Linear(size, 16)
        self.memory = nn.LSTM(32, 16, batch_first=True)
        self.score, self.find = nn.Linear(16, 1), nn.Linear(16, size)

    def encode(self, sample: hm.Sample) -> Tensor:
        assert sample.frames is not None and sample.identity_pose is not None
        pictures = self.look(sample.frames.flatten(0, 1)).unflatten(0, sample.frames.shape[:2])
        still = self.still(sample.identity_pose.flatten(1))[:, None].expand_as(pictures)
        states: Tensor = self.memory(torch.cat([still, pictures], dim=-1))[0]
        return states

    def forward(self, sample: hm.Sample) -> Mapping[str, Tensor]:
        return {"picture": self.score(self.encode(sample)).mean((1, 2))}

    def predictions(self, sample: hm.Sample) -> Mapping[str, Tensor]:
        assert sample.identity_pose is not None and sample.picture_motion is not None
        found = sample.identity_pose.flatten(1)[:, None] + torch.tanh(self.find(self.encode(sample)))
        return {"landmarks": (found - sample.picture_motion.flatten(2)).square().mean()}


class ClassifierSpec(hm.DiscriminatorSpec):
    """Tells labels from pictures."""

    type: Literal["cinema/classifier"] = "cinema/classifier"

    def build(self, context: hm.BuildContext) -> hm.Discriminator:
        return Classifier(self, context)


class Classifier(hm.Discriminator):
    needs = frozenset({"frames", "labels"})

    def __init__(self, spec: hm.Spec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        self.look = look(len(context.label_names))

    def forward(self, sample: hm.Sample) -> Mapping[str, Tensor]:
        return {}

    def predictions(self, sample: hm.Sample) -> Mapping[str, Tensor]:
        assert sample.frames is not None and sample.labels is not None
        logits = self.look(sample.frames.flatten(0, 1))
        return {"units": functional.binary_cross_entropy_with_logits(logits, sample.labels.flatten(0, 1))}


class UnitsLossSpec(hm.LossSpec):
    """A classifier, which an earlier phase trained, finds the recorded labels in the drawn pictures."""

    type: Literal["cinema/units"] = "cinema/units"
    classifier: str = "classifier"
    """Name under which an earlier phase hands on the classifier."""

    def build(self, context: hm.BuildContext) -> hm.Loss:
        return UnitsLoss(self)


class UnitsLoss(hm.Loss):
    needs = frozenset({"frames", "labels"})

    def __init__(self, spec: UnitsLossSpec) -> None:
        super().__init__(spec)
        self.uses, self.given = (spec.classifier,), list[Classifier]()

    def use_parts(self, parts: Mapping[str, Any]) -> None:
        self.given = [parts[self.uses[0]]]

    def forward(self, real: hm.Sample, generated: hm.Sample, step: int) -> Mapping[str, Tensor]:
        (classifier,) = self.given
        assert not classifier.training and not any(p.requires_grad for p in classifier.parameters())
        return {"units": 0.1 * classifier.predictions(generated)["units"]}


class InformationSpec(hm.LossSpec):
    """Mutual information of pictures and sound, estimated on recorded pairs only (AMIE)."""

    type: Literal["cinema/information"] = "cinema/information"

    def build(self, context: hm.BuildContext) -> hm.Loss:
        return Information(self, context)


class Information(hm.Loss):
    needs = frozenset({"frames", "audio"})

    def __init__(self, spec: hm.Spec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        self.look, self.listen = look(16), nn.Linear(context.audio_channels, 16)
        self.join = nn.Sequential(nn.LeakyReLU(0.2), nn.Linear(32, 1))

    def information(self, sample: hm.Sample, step: int) -> Tensor:
        assert sample.frames is not None
        pictures = self.look(sample.frames.flatten(0, 1)).unflatten(0, sample.frames.shape[:2])
        speech = self.listen(frames_of(sample.audio, sample.frames.shape[1]))
        other = torch.randperm(speech.shape[1], generator=torch.Generator().manual_seed(step))
        joint, marginal = (self.join(torch.cat([pictures, sound], -1)) for sound in (speech, speech[:, other]))
        return -functional.softplus(-joint).mean() - functional.softplus(marginal).mean()

    def forward(self, real: hm.Sample, generated: hm.Sample, step: int) -> Mapping[str, Tensor]:
        return {"information": -0.1 * self.information(generated, step)}

    def objective(self, real: hm.Sample, generated: hm.Sample, step: int) -> Mapping[str, Tensor]:
        return {"information": -self.information(real, step)}


class LabelEncoderSpec(hm.AudioEncoderSpec):
    """Features that are learned from labels, over log mel energies."""

    type: Literal["cinema/label-encoder"] = "cinema/label-encoder"

    def build(self, context: hm.BuildContext) -> hm.AudioEncoder:
        return LabelEncoder(self, context)


class LabelEncoder(hm.AudioEncoder):
    look_back = look_ahead = None

    def __init__(self, spec: hm.Spec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        self.mel = hm.resolve_spec("audio_encoder", "log-mel").build(context)
        self.sample_rate, self.hop, self.channels = self.mel.sample_rate, self.mel.hop, 12
        self.memory = nn.LSTM(self.mel.channels, 8, batch_first=True, bidirectional=True)
        self.last = nn.Sequential(nn.Dropout(0.5), nn.Linear(16, 12), nn.BatchNorm1d(12))

    def forward(self, wave: Tensor, steps: int | None = None) -> Tensor:
        states = self.memory(self.mel(wave, steps))[0]
        features: Tensor = self.last(states.flatten(0, 1)).unflatten(0, states.shape[:2])
        return features


class PresenceSpec(hm.LossSpec):
    """Cross-entropy of predicted labels, which are logits."""

    type: Literal["cinema/presence"] = "cinema/presence"

    def build(self, context: hm.BuildContext) -> hm.Loss:
        return Presence(self)


class Presence(hm.Loss):
    needs = frozenset({"labels"})

    def forward(self, real: hm.Sample, generated: hm.Sample, step: int) -> Mapping[str, Tensor]:
        assert real.labels is not None and generated.labels is not None
        return {"presence": functional.binary_cross_entropy_with_logits(generated.labels, real.labels)}


@hm.hookimpl
def headmotion_specs() -> Iterable[type[hm.Spec]]:
    """Return all parts."""
    return [
        TalkerSpec,
        LandmarkDiscriminatorSpec,
        ClassifierSpec,
        UnitsLossSpec,
        InformationSpec,
        LabelEncoderSpec,
        PresenceSpec,
    ]
