"""The generator of AMIE: each frame from a still picture, the speech around it, and the frame before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

import headmotion as hm

from .alignment import HeadAlignment, carry_along
from .dynamic_attention import DynamicAttention
from .specs import GeneratorSpec
from .speech import CONTEXT, SpeechEncoder

NAME = "renderer amie/generator"
CHANGE = 0.01
"""Bound of the initial weights where changes are drawn, so that training begins near the still picture."""


class Encoded(NamedTuple):
    """Output of an `ImageEncoder`."""

    vector: Tensor
    """``[B, size]``."""
    maps: list[Tensor]
    """The features of each stage, the finest first."""


class State(NamedTuple):
    """A stream of the generator."""

    frame: Tensor
    """The frame that was drawn last, with the head at its position in the still picture, ``[B, 3, n, n]``, 0..1."""
    mask: Tensor
    """The mask of its lips, ``[B, 1, s, s]``."""
    still: Encoded
    """The still picture, encoded."""


class Generator(hm.Renderer):
    """``f_i = G(I, a_i, f_{i-1})``, running freely from ``f_0 = I`` on. Source: the paper, section 3.1.

    Speech moves the lips, and the motion moves the head: frames are drawn with the head at its position in the still
    picture, and then warped to its position in the motion. The paper aligns the faces of its data instead. Gradients go
    through one step of the recurrence.
    """

    needs_image = True
    needs = frozenset({"motion", "audio"})
    audio_context = CONTEXT

    def __init__(self, spec: GeneratorSpec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        self.representation, self.alignment = context.representation, HeadAlignment(context.representation, NAME)
        self.training_picture_size = (spec.size, spec.size)
        self.speech = SpeechEncoder(spec.speech_widths, spec.speech_size, context, NAME)
        self.identity = ImageEncoder(spec.identity_widths, spec.size, spec.identity_size)
        self.image = ImageEncoder(spec.image_widths, spec.size, spec.image_size)
        self.attention = None if spec.attention is None else DynamicAttention(spec.attention, spec.size)
        fused = spec.identity_size + spec.image_size + spec.speech_size
        self.decoder = Decoder(fused, spec.identity_widths, spec.size, 4 if spec.draws == "blended" else 3)
        if spec.draws == "changes":
            for parameter in self.decoder.last.parameters():
                nn.init.uniform_(parameter, -CHANGE, CHANGE)

    def pictures(
        self, identity: Tensor, pose: Tensor, motion: Tensor, audio: Tensor | None = None
    ) -> Mapping[str, Tensor]:
        """Draw a batch.

        Args:
            identity: pictures ``[B, 3, n, n]``, 0..1.
            pose: poses in them, ``[B, P, D]`` in picture coordinates.
            motion: poses whose heads the frames follow, ``[B, T, P, D]``; their lips are ignored.
            audio: features ``[B, steps_per_frame * (2 + T + 2), C]``.

        Returns:
            ``frames [B, T, 3, n, n]``, 0..1; ``paint [B, T, 1, n, n]``, 0 where the still picture is copied, and all 1
            unless ``draws`` is ``blended``; ``lips_mask [B, T, 1, s, s]``, the masks of dynamic attention over the
            frames before.

        Raises:
            ImageError: pictures of another shape.
        """
        assert audio is not None
        return self.draw(identity, pose, motion, audio)[0]

    def draw(
        self, identity: Tensor, pose: Tensor, motion: Tensor, audio: Tensor, state: State | None = None
    ) -> tuple[dict[str, Tensor], State]:
        """Draw a batch as `pictures` does, from a state on.

        Returns:
            The outputs, and the state after the last frame, for the frames that follow.
        """
        if identity.shape[1:] != (3, *self.training_picture_size):
            expected = f"RGB pictures [B, 3, {', '.join(map(str, self.training_picture_size))}]"
            raise hm.ImageError(NAME, expected, f"the shape {list(identity.shape)}")
        speech = self.speech(audio)
        still = self.identity(2 * identity - 1) if state is None else state.still
        rectangle = identity.new_ones(len(identity), 1, 1, 1)
        if self.attention is not None:
            rectangle = self.attention.rectangle(self.alignment.lips(pose))
        state = State(identity, rectangle, still) if state is None else state
        drawn: dict[str, list[Tensor]] = {"frames": [], "paint": [], "lips_mask": []}
        for speech_vector in speech.unbind(1):
            # Detached, so that a gradient goes through this step only.
            previous = state.frame.detach()
            attenuated = previous if self.attention is None else self.attention(previous, state.mask)
            fused = torch.cat([still.vector, self.image(2 * attenuated - 1).vector, speech_vector], dim=1)
            frame, paint = self._compose(self.decoder(fused, still.maps), identity)
            for name, values in zip(drawn, (frame, paint, state.mask), strict=True):
                drawn[name].append(values)
            mask = state.mask
            if self.attention is not None:
                mask = self.attention.next_mask(rectangle, state.mask.detach(), frame.detach())
            state = State(frame, mask, still)
        outputs = {name: torch.stack(values, dim=1) for name, values in drawn.items()}
        if self.spec.follows_head:
            moved = self.alignment.fit(pose, motion)
            both = carry_along(torch.cat([outputs["frames"], outputs["paint"]], dim=2), moved)
            outputs |= {"frames": both[:, :, :3], "paint": both[:, :, 3:]}
        return outputs, state

    def _compose(self, maps: Tensor, identity: Tensor) -> tuple[Tensor, Tensor]:
        """Return the frame ``[B, 3, n, n]``, 0..1, and where it is painted, ``[B, 1, n, n]``."""
        drawn = torch.tanh(maps[:, :3])
        if self.spec.draws == "changes":
            return (identity + drawn).clamp(0, 1), torch.ones_like(drawn[:, :1])
        colors = (drawn + 1) / 2
        if self.spec.draws == "pictures":
            return colors, torch.ones_like(colors[:, :1])
        paint = torch.sigmoid(maps[:, 3:])
        return paint * colors + (1 - paint) * identity, paint

    @torch.no_grad()
    def frames(
        self,
        motion: Iterable[hm.Motion],
        image: Any = None,
        landmarks: Any = None,
        audio: Iterable[Tensor] | None = None,
    ) -> Iterator[Any]:
        """Yield a picture ``uint8 [n, n, 3]`` per frame, two frames behind the speech.

        Raises:
            ImageError: no picture, or no pose in it.
            HeadmotionError: no speech.
        """
        crop = {"side": self.spec.crop_side, "up": self.spec.crop_up}
        stream, state = hm.PictureStream(self, self.representation, motion, image, landmarks, audio, **crop), None
        for window in stream.windows(*CONTEXT):
            speech = window.audio_around(*CONTEXT)
            assert speech is not None
            # One frame at a time, so that not even rounding depends on how the motion is divided.
            steps = speech.shape[1] // (sum(CONTEXT) + window.count)
            for frame in range(window.count):
                speech_window = speech[:, frame * steps : (frame + 1 + sum(CONTEXT)) * steps]
                pose = window.due[:, frame : frame + 1]
                outputs, state = self.draw(stream.identity, stream.pose, pose, speech_window, state)
                yield from stream.to_frames(outputs["frames"])


class ImageEncoder(nn.Module):
    """Convolutions of kernel 4 that halve the size, with instance norm, and a linear layer."""

    def __init__(self, widths: Sequence[int], picture_size: int, size: int) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(inputs, outputs, 4, 2, 1), nn.InstanceNorm2d(outputs, affine=True), nn.LeakyReLU(0.2)
            )
            for inputs, outputs in pairwise((3, *widths))
        )
        self.head = nn.Linear(widths[-1] * (picture_size >> len(widths)) ** 2, size)

    def forward(self, pictures: Tensor) -> Encoded:
        """Encode pictures ``[B, 3, n, n]``, -1..1."""
        maps = []
        for stage in self.stages:
            pictures = stage(pictures)
            maps.append(pictures)
        return Encoded(self.head(pictures.flatten(1)), maps)


class Decoder(nn.Module):
    """Up-sampling by 2 and convolutions, each over the features of the identity encoder of its size as well."""

    def __init__(self, inputs: int, widths: Sequence[int], picture_size: int, outputs: int) -> None:
        super().__init__()
        cells = picture_size >> len(widths)
        self.first = nn.Sequential(
            nn.Linear(inputs, widths[-1] * cells**2), nn.ReLU(), nn.Unflatten(1, (widths[-1], cells, cells))
        )
        # Half of the finest width at full size, where a convolution costs most.
        targets = [*reversed(widths[:-1]), max(4, widths[0] // 2)]
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(2 * own, target, 3, padding=1), nn.InstanceNorm2d(target, affine=True), nn.ReLU()
            )
            for own, target in zip(reversed(widths), targets, strict=True)
        )  # fmt: skip
        self.last = nn.Conv2d(targets[-1], outputs, 3, padding=1)

    def forward(self, fused: Tensor, skips: Sequence[Tensor]) -> Tensor:
        """Map vectors ``[B, inputs]`` to ``[B, outputs, n, n]``, with features of the still picture."""
        features = self.first(fused)
        for stage, skip in zip(self.stages, reversed(skips), strict=True):
            # The convolution at the coarser size would be four times cheaper, but leaves a checkerboard.
            joined = torch.cat([features, skip], dim=1)
            features = stage(functional.interpolate(joined, scale_factor=2.0, mode="nearest"))
        drawn: Tensor = self.last(features)
        return drawn
