"""Methods: ways to make the pictures of a clip from its first picture, its speech, and its recorded motion."""

from __future__ import annotations

import functools
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

import headmotion as hm
from headmotion.core.checkpoint import read_header
from headmotion.core.interfaces.renderer import Picture
from headmotion.pipeline.loading import model_path

from .recording import Frames, Recording

TRUE, STILL, OWN = "true", "still", "own"
"""Motions that are drawn: the recorded one, none at all, or that of the model's own generator."""
FACE = {"type": "landmarks68"}


class Method(ABC):
    """A row of the tables."""

    name: str
    identity: Mapping[str, str]
    """Everything that its pictures depend on besides the clip, so that they are not made again."""

    @abstractmethod
    def draw(self, recording: Recording) -> Frames:
        """Return a picture per frame of the recording."""

    def maps(self, recording: Recording) -> Mapping[str, Picture]:
        """Return further pictures of `Recording.shown_frame` by name, such as an attention map."""
        return {}


class StillPicture(Method):
    """The first picture in every frame."""

    name, identity = "still picture", {"method": "still"}

    def draw(self, recording: Recording) -> Frames:
        return np.repeat(recording.image[None], len(recording.poses), axis=0)


class Warp(Method):
    """The recorded motion, drawn by headmotion's renderer ``portrait``, which has no weights."""

    name, identity = "warp of the true motion", {"method": "portrait", "version": hm.__version__}

    def draw(self, recording: Recording) -> Frames:
        representation = hm.resolve_spec("representation", FACE).build()
        spec = {"type": "portrait", "size": recording.frames.shape[-1]}
        renderer = hm.resolve_spec("renderer", spec).build(hm.BuildContext(representation, 26))
        return np.stack(list(renderer.frames([recording.motion], recording.image, recording.poses[0].numpy())))


class Recorded(Method):
    """The recorded pictures themselves: what the metrics give without any error of drawing."""

    name, identity = "recorded", {"method": "recorded"}

    def draw(self, recording: Recording) -> Frames:
        return recording.frames.permute(0, 2, 3, 1).contiguous().numpy()


@dataclass(frozen=True)
class Drawn(Method):
    """A motion, drawn by the renderer of a model."""

    name: str
    model: str
    """Name of a bundled model, or a checkpoint."""
    source: str
    """`TRUE`, `STILL`, `OWN`, or the model whose generator makes the motion."""

    @property
    def generator(self) -> str | None:
        """The model that generates the motion; None for a motion that is not generated."""
        return None if self.source in (TRUE, STILL) else self.model if self.source == OWN else self.source

    @property
    def identity(self) -> Mapping[str, str]:  # type: ignore[override]
        source = self.source if self.generator is None else digest(self.generator)
        return {"model": digest(self.model), "motion": source}

    @torch.no_grad()
    def draw(self, recording: Recording) -> Frames:
        frames = load(self.model).iter_frames([self._motion(recording)], recording.image, audio=recording.speech)
        return np.stack(list(frames))

    @torch.no_grad()
    def maps(self, recording: Recording) -> Mapping[str, Picture]:
        pipe = load(self.model)
        renderer = pipe.renderer
        if self.source != TRUE or "audio" in renderer.needs or not isinstance(renderer, hm.SupportsTraining):
            return {}
        motion = self._motion(recording)
        stream = hm.PictureStream(renderer, pipe.representation, [motion], recording.image, motion.reference)
        outputs = renderer.pictures(stream.identity, stream.pose, next(iter(stream.windows())).motion)
        if not isinstance(outputs, Mapping):
            return {}
        layers = {name: values[0, recording.shown_frame] for name, values in outputs.items() if name != "frames"}
        size = recording.frames.shape[-2:]
        return {name.replace("_", " "): _picture(layer) for name, layer in layers.items() if layer.shape[-2:] == size}

    def _motion(self, recording: Recording) -> hm.Motion:
        """Return the motion to draw, in the representation of the model."""
        representation = load(self.model).representation
        if self.source == TRUE:
            motion = recording.motion
        elif self.source == STILL:
            values = recording.poses[:1].expand(recording.poses.shape)
            motion = replace(recording.motion, values=values)
        else:
            motion = generated(self.generator or self.model, recording)
        return converted(motion, representation)


def generated(model: str, recording: Recording) -> hm.Motion:
    """Return what a model's generator makes of the speech, from the first pose on."""
    pipe = load(model)
    motion = pipe.generate(recording.speech, reference=converted(recording.motion[:1], pipe.representation))
    if len(motion) != len(recording.poses):
        got = f"{len(motion)} for {recording.name}"
        raise hm.MotionError(f"model {model}", f"{len(recording.poses)} frames, as recorded", got)
    return motion


def converted(motion: hm.Motion, representation: hm.Representation) -> hm.Motion:
    """Return a motion in the representation of a model."""
    same = (motion.representation.get("type"), motion.values.shape[2]) == (representation.name, representation.dims)
    return motion if same else motion.to(representation)


def parse_method(text: str) -> Drawn:
    """Read ``NAME=MODEL[:MOTION]``.

    Raises:
        HeadmotionError: it is not of this form.
    """
    match = re.fullmatch(r"([^=]+)=(.+?)(?::([^:\\][^:]*))?", text)
    if match is None:
        expected = f"NAME=MODEL or NAME=MODEL:MOTION, with MOTION {TRUE}, {STILL}, {OWN} or a model"
        raise hm.HeadmotionError("--method", expected, repr(text))
    name, model, source = match.groups()
    return Drawn(name.strip(), model, source or TRUE)


def _picture(layer: torch.Tensor) -> Picture:
    """Return a layer ``[1 or 3, H, W]``, 0..1, as a picture."""
    levels = (255 * layer).round().expand(3, -1, -1).permute(1, 2, 0)
    return levels.to(torch.uint8).contiguous().numpy()


@functools.cache
def load(model: str) -> hm.Pipeline:
    """Load a model once."""
    return hm.load(model, device="cpu")


@functools.cache
def digest(model: str) -> str:
    """Return the SHA-256 of a model's weights and spec."""
    return read_header(model_path(model)).sha256
