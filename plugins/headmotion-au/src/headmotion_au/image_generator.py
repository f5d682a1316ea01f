"""The image generator: a recurrent network draws a talking face from identity, speech and action units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

import headmotion as hm

from .audio_windows import AudioWindows
from .face_crop import cut_face
from .specs import ImageGeneratorSpec
from .unit_targets import require_units

NAME = "renderer au/generator"
WINDOW_BEFORE, WINDOW_AFTER = 16, 15
"""Steps of speech before and after a frame's own four; together 35, 350 ms."""
AUDIO_STRIDES = (1, 2, 1, 1, 2)
"""Of the convolutions over a window of speech."""
CHANGE = 0.01
"""Bound of the initial weights where changes are drawn, so that training begins near the still picture."""


class SpeechEncoder(nn.Module):
    """A window of speech becomes a vector. Source: the published layers, for windows of 12 x 35."""

    def __init__(self, spec: ImageGeneratorSpec, context: hm.BuildContext) -> None:
        super().__init__()
        self.windows = AudioWindows(context, NAME, spec.first_channel, WINDOW_BEFORE, WINDOW_AFTER)
        layers: list[nn.Module] = []
        for (inputs, outputs), stride in zip(pairwise((1, *spec.audio_widths)), AUDIO_STRIDES, strict=True):
            layers += [nn.Conv2d(inputs, outputs, 3, stride, 1), nn.BatchNorm2d(outputs), nn.ReLU()]
        self.convolutions = nn.Sequential(*layers)
        self.reach = self.windows.frames_before, self.windows.frames_after
        size = spec.audio_size
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(3 * 9 * spec.audio_widths[-1], size), nn.BatchNorm1d(size), nn.ReLU(),
            nn.Linear(size, size),
        )  # fmt: skip

    def forward(self, audio: Tensor) -> Tensor:
        """Return vectors ``[B, T, audio_size]`` of features of ``T`` frames and their neighbors (`reach`)."""
        windows = self.windows(audio, padded=True)
        encoded: Tensor = self.layers(self.convolutions(windows.flatten(0, 1)[:, None]))
        return encoded.unflatten(0, windows.shape[:2])


class IdentityEncoder(nn.Module):
    """A still picture becomes a vector and four feature maps, each half as large as the one before."""

    def __init__(self, spec: ImageGeneratorSpec) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv2d(inputs, outputs, spec.kernel, 2, spec.kernel // 2), nn.ReLU())
            for inputs, outputs in pairwise((3, *spec.identity_widths))
        )
        self.vector = nn.Linear(spec.identity_widths[-1] * (spec.size // 16) ** 2, spec.identity_size)

    def forward(self, still: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the vector ``[B, identity_size]`` and the maps of a picture ``[B, 3, size, size]``, -1..1."""
        maps = []
        for stage in self.stages:
            still = stage(still)
            maps.append(still)
        return self.vector(still.flatten(1)), maps


class UnitEncoder(nn.Module):
    """Each unit's intensity, and how far it is from that in the still picture, become a vector of its own."""

    def __init__(self, units: int, size: int, difference_gain: float) -> None:
        super().__init__()
        self.difference_gain = difference_gain
        self.layers = nn.Sequential(nn.Conv1d(2 * units, units * size, 1, groups=units), nn.LeakyReLU(0.2))

    def forward(self, intensities: Tensor, still: Tensor) -> Tensor:
        """Return vectors ``[B, T, units * size]`` of intensities ``[B, T, units, 1]`` and ``[B, units, 1]``."""
        changes = self.difference_gain * (intensities - still[:, None])
        vectors: Tensor = self.layers(torch.cat([intensities, changes], dim=-1).flatten(2).mT)
        return vectors.mT


class Decoder(nn.Module):
    """A vector and the maps of the still picture become a picture."""

    def __init__(self, spec: ImageGeneratorSpec) -> None:
        super().__init__()
        kernel, edge = spec.kernel, spec.size // 16
        self.start = nn.Sequential(
            nn.Linear(spec.hidden_size, spec.bottom_width * edge**2), nn.Unflatten(1, (spec.bottom_width, edge, edge))
        )
        inputs, stages = spec.bottom_width, []
        for skip, outputs in zip(reversed(spec.identity_widths), spec.decoder_widths, strict=True):
            enlarge = nn.ConvTranspose2d(inputs + skip, outputs, kernel, 2, kernel // 2, output_padding=1)
            stages.append(nn.Sequential(enlarge, nn.ReLU()))
            inputs = outputs
        self.stages = nn.ModuleList(stages)
        self.colors = nn.Sequential(
            nn.Conv2d(inputs, spec.color_width, kernel, padding=kernel // 2), nn.ReLU(),
            nn.Conv2d(spec.color_width, 3, kernel, padding=kernel // 2),
        )  # fmt: skip
        if spec.adds:
            for parameter in self.colors[-1].parameters():
                nn.init.uniform_(parameter, -CHANGE, CHANGE)

    def forward(self, states: Tensor, maps: list[Tensor]) -> Tensor:
        """Return ``[B, T, 3, size, size]``, before the hyperbolic tangent.

        Args:
            states: of the recurrent layer, ``[B, T, hidden]``.
            maps: of the still picture, the largest first.
        """
        frames = states.shape[1]
        features = self.start(states.flatten(0, 1))
        for stage, skip in zip(self.stages, reversed(maps), strict=True):
            features = stage(torch.cat([features, repeat_frames(skip, frames)], dim=1))
        drawn: Tensor = self.colors(features)
        return drawn.unflatten(0, states.shape[:2])


class ImageGenerator(hm.Renderer):
    """``frames = decode(GRU(identity, speech, units), maps of the still picture)``.

    The state of the GRU begins with zeros at the first frame. With ``adds`` the decoder draws what is added to the
    still picture.
    """

    needs_image = True

    def __init__(self, spec: ImageGeneratorSpec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        require_units(context.representation, NAME)
        self.representation = context.representation
        self.training_picture_size = (spec.size, spec.size)
        self.needs = frozenset({"motion", "audio"}) if spec.uses_speech else frozenset({"motion"})
        units = context.representation.points
        self.identity = IdentityEncoder(spec)
        self.speech = SpeechEncoder(spec, context) if spec.uses_speech else None
        self.audio_context = (0, 0) if self.speech is None else self.speech.reach
        self.units = UnitEncoder(units, spec.unit_size, spec.difference_gain) if spec.uses_units else None
        inputs = spec.identity_size + spec.uses_speech * spec.audio_size + spec.uses_units * units * spec.unit_size
        self.memory = nn.GRU(inputs, spec.hidden_size, batch_first=True)
        self.decoder = Decoder(spec)
        # Convolutions of a CPU are a quarter faster so.
        self.to(memory_format=torch.channels_last)

    def pictures(
        self, identity: Tensor, pose: Tensor, motion: Tensor, audio: Tensor | None = None
    ) -> Mapping[str, Tensor]:
        """Draw units of a batch.

        Args:
            identity: pictures ``[B, 3, size, size]``, 0..1.
            pose: units in them, ``[B, N, 1]``.
            motion: units to draw, ``[B, T, N, 1]``.
            audio: features of the speech, ``[B, steps_per_frame * (before + T + after), C]`` with `audio_context`.

        Returns:
            ``frames [B, T, 3, size, size]``, 0..1.

        Raises:
            ImageError: pictures of another shape.
        """
        speech = None if self.speech is None or audio is None else self.speech(audio)
        return self.draw(identity, pose, motion, speech)[0]

    def draw(
        self, identity: Tensor, pose: Tensor, motion: Tensor, speech: Tensor | None, state: Tensor | None = None
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Draw as `pictures` does, from a state on.

        Args:
            identity: pictures ``[B, 3, size, size]``.
            pose: units in them, ``[B, N, 1]``.
            motion: units ``[B, T, N, 1]``.
            speech: encoded, ``[B, T, audio_size]``.
            state: of the recurrent layer, ``[1, B, hidden]``; None is the beginning.

        Returns:
            The outputs, and the state after the last frame.
        """
        if identity.shape[1:] != (3, *self.training_picture_size):
            size = ", ".join(map(str, self.training_picture_size))
            raise hm.ImageError(NAME, f"RGB pictures [B, 3, {size}]", f"the shape {list(identity.shape)}")
        still = 2 * identity - 1
        vector, maps = self.identity(still)
        inputs = [repeat_frames(vector, motion.shape[1]).unflatten(0, motion.shape[:2])]
        if speech is not None:
            inputs.append(speech)
        if self.units is not None:
            inputs.append(self.units(motion, pose))
        states, state = self.memory(torch.cat(inputs, dim=-1), state)
        drawn = torch.tanh(self.decoder(states, maps))
        frames = (identity[:, None] + drawn).clamp(0, 1) if self.spec.adds else (drawn + 1) / 2
        return {"frames": frames}, state

    @torch.no_grad()
    def frames(
        self,
        motion: Iterable[hm.Motion],
        image: Any = None,
        landmarks: Any = None,
        audio: Iterable[Tensor] | None = None,
    ) -> Iterator[Any]:
        """Yield a picture ``uint8 [size, size, 3]`` per frame of the motion.

        A picture of exactly the training size is used as it is; in any other the face is searched and cut out
        (``crop_side``, ``crop_up``); without a face a warning says that the middle is taken.

        Raises:
            ImageError: no RGB picture.
            HeadmotionError: no speech.
        """
        stream = hm.PictureStream(self, self.representation, motion, cut_face(self.spec, image), landmarks, audio)
        state = None
        for window in stream.windows(*self.audio_context):
            features = window.audio_around(*self.audio_context)
            speech = None if self.speech is None or features is None else self.speech(features)
            outputs, state = self.draw(stream.identity, stream.pose, window.due, speech, state)
            yield from stream.to_frames(outputs["frames"])


def repeat_frames(features: Tensor, frames: int) -> Tensor:
    """Return features ``[B * frames, ...]``, the same for each frame of a clip, of features ``[B, ...]``."""
    return features[:, None].expand(-1, frames, *features.shape[1:]).flatten(0, 1)
