"""A renderer with an attention map that a loss reads (ATVGnet), and a rate that falls while it is trained (AMIE)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

import headmotion as hm

EDGE = 64
"""Edge of the pictures (px)."""


class AttentiveSpec(hm.RendererSpec):
    """Paints where an attention map says so."""

    type: Literal["gaze/attentive"] = "gaze/attentive"

    def build(self, context: hm.BuildContext) -> hm.Renderer:
        return Attentive(self, context)


class Veil(nn.Module):
    """A factor that falls from 0.8 to 0.2 in four blocks of steps, and stays at the last."""

    rate: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("rate", torch.tensor(0.8))

    def set_progress(self, step: int, steps: int) -> None:
        self.rate.fill_(0.8 - 0.2 * (4 * step // steps))

    def forward(self, pictures: Tensor) -> Tensor:
        return self.rate * pictures


class Attentive(hm.Renderer):
    needs_image = True
    training_picture_size = (EDGE, EDGE)

    def __init__(self, spec: hm.Spec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation
        self.layers = nn.Linear(context.representation.points * context.representation.dims, 4 * 8 * 8)
        self.enlarge, self.veil = nn.Upsample(scale_factor=8), Veil()

    def pictures(
        self, identity: Tensor, pose: Tensor, motion: Tensor, audio: Tensor | None = None
    ) -> Mapping[str, Tensor]:
        layers = self.layers(10 * (motion - pose[:, None]).flatten(2)).flatten(0, 1).unflatten(1, (4, 8, 8))
        painted = torch.sigmoid(self.enlarge(layers)).unflatten(0, motion.shape[:2])
        attention, colors = painted[:, :, :1], painted[:, :, 1:]
        frames = (1 - attention) * self.veil(identity)[:, None] + attention * colors
        return {"frames": frames, "attention": attention, "colors": colors}

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
            yield from stream.to_frames(self.pictures(stream.identity, stream.pose, window.motion))


class DynamicPixelsSpec(hm.LossSpec):
    """The distance of pixels, weighted by attention without its gradient, plus 1/2 (ATVGnet, eq. 7)."""

    type: Literal["gaze/dynamic-pixels"] = "gaze/dynamic-pixels"
    map: str = "attention"

    def build(self, context: hm.BuildContext) -> hm.Loss:
        return DynamicPixels(self)


class DynamicPixels(hm.Loss):
    needs = frozenset({"frames"})

    def __init__(self, spec: DynamicPixelsSpec) -> None:
        super().__init__(spec)
        self.map, self.progress = spec.map, list[tuple[int, int]]()

    def set_progress(self, step: int, steps: int) -> None:
        self.progress.append((step, steps))

    def forward(self, real: hm.Sample, generated: hm.Sample, step: int) -> Mapping[str, Tensor]:
        assert generated.frames is not None and real.frames is not None
        weight = generated.outputs[self.map].detach() + 0.5
        return {"dynamic_pixels": (weight * (generated.frames - real.frames).abs()).mean()}


class ShownSpec(hm.DiscriminatorSpec):
    """Scores the pictures, and reads attention where there is one."""

    type: Literal["gaze/shown"] = "gaze/shown"

    def build(self, context: hm.BuildContext) -> hm.Discriminator:
        return Shown(self)


class Shown(hm.Discriminator):
    needs = frozenset({"frames"})

    def __init__(self, spec: hm.Spec) -> None:
        super().__init__(spec)
        self.score = nn.Linear(3, 1)

    def forward(self, sample: hm.Sample) -> Mapping[str, Tensor]:
        assert sample.frames is not None
        attention = sample.outputs.get("attention", torch.ones(1))
        return {"picture": self.score((attention * sample.frames).mean((1, 3, 4)))[:, 0]}

    def predictions(self, sample: hm.Sample) -> Mapping[str, Tensor]:
        assert sample.frames is not None
        return {"brightness": (self.score.weight.sum() - sample.frames.mean()).square()}


class LookSpec(hm.DiscriminatorSpec):
    """Finds the mean color of pictures."""

    type: Literal["gaze/look"] = "gaze/look"
    size: int = 3

    def build(self, context: hm.BuildContext) -> hm.Discriminator:
        return Look(self)


class Look(hm.Discriminator):
    needs = frozenset({"frames"})

    def __init__(self, spec: LookSpec) -> None:
        super().__init__(spec)
        self.color = nn.Linear(spec.size, spec.size)

    def forward(self, sample: hm.Sample) -> Mapping[str, Tensor]:
        return {}

    def predictions(self, sample: hm.Sample) -> Mapping[str, Tensor]:
        assert sample.frames is not None
        colors = sample.frames.mean((-1, -2))
        return {"color": (self.color(colors) - colors).square().mean()}


class GuidedSpec(AttentiveSpec):
    """A renderer with a copy of a network that an earlier phase trained."""

    type: Literal["gaze/guided"] = "gaze/guided"  # type: ignore[assignment]
    look: hm.SpecField[hm.DiscriminatorSpec] = LookSpec()
    uses_look: str = "look"

    def build(self, context: hm.BuildContext) -> hm.Renderer:
        return Guided(self, context)


class Guided(Attentive):
    def __init__(self, spec: GuidedSpec, context: hm.BuildContext) -> None:
        super().__init__(spec, context)
        self.look, self.uses = spec.look.build(context), (spec.uses_look,)
        hm.freeze(self.look)

    def use_parts(self, parts: Mapping[str, Any]) -> None:
        self.look.load_state_dict(parts[self.uses[0]].state_dict())

    def pictures(
        self, identity: Tensor, pose: Tensor, motion: Tensor, audio: Tensor | None = None
    ) -> Mapping[str, Tensor]:
        still = self.look.color(identity.mean((-1, -2)))[:, :, None, None]
        return super().pictures((identity + 0.1 * still).clamp(0, 1), pose, motion)


@hm.hookimpl
def headmotion_specs() -> Iterable[type[hm.Spec]]:
    """Return all parts."""
    return [AttentiveSpec, DynamicPixelsSpec, ShownSpec, LookSpec, GuidedSpec]
