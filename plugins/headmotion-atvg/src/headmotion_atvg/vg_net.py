"""VG-net, the renderer of ATVGnet: a convolutional recurrent network that paints where its attention says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

import headmotion as hm
from headmotion.core.interfaces.representation import require_points2d

from .conv_blocks import ConvGRU, Residual, conv, draw_initial_weights, enlarge
from .head_following import head_motion, stable_points
from .specs import VGNetSpec

LANDMARK_SCALE = 3.0
"""Factor of landmarks around the middle of the picture, after which a face spans about -1 to 1, as published."""


class VGNet(hm.Renderer):
    """``frames = a * m + (1 - a) * still``, with an attention map ``a`` and a map ``m`` of colors for each frame.

    Source: the paper, section 3.2. The state of the GRU begins with zeros at the first frame. With ``follow_head`` the
    network paints a head that does not move, which then is moved. Without ``attention`` the map is 1 everywhere.
    """

    needs_image = True

    def __init__(self, spec: VGNetSpec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        require_points2d(context.representation, "renderer atvg/vg-net")
        self.representation, self.cells = context.representation, spec.size // 16
        self.training_picture_size = (spec.size, spec.size)
        self.stable = stable_points(context.representation) if spec.follow_head else []
        first, second, shallow, third, deep = spec.image_widths
        self.shallow = nn.Sequential(conv(3, first, 7), conv(first, second, stride=2), conv(second, shallow, stride=2))
        self.deep = nn.Sequential(conv(shallow, third, stride=2), conv(third, deep, stride=2))
        near, far = spec.landmark_widths
        flat = 2 * context.representation.points
        self.landmarks = nn.Sequential(
            nn.Linear(flat, self.cells**2), nn.ReLU(), nn.Unflatten(1, (1, self.cells, self.cells)), conv(1, near)
        )
        self.landmarks_far = conv(near, far)
        wide, narrow = spec.attention_widths
        self.landmark_attention = nn.Sequential(
            enlarge(2 * near, wide), enlarge(wide, narrow), nn.Conv2d(narrow, 1, 3, padding=1), nn.Sigmoid()
        )
        self.recurrent_input = nn.Conv2d(deep + far, spec.recurrent_width, 3, padding=1)
        self.recurrent = ConvGRU(spec.recurrent_width, deep, spec.dropout)
        self.generator = nn.Sequential(
            *(Residual(deep, spec.dropout) for _ in range(spec.residual_blocks)),
            enlarge(deep, third),
            enlarge(third, shallow),
        )
        half, full = spec.base_widths
        self.base = nn.Sequential(enlarge(shallow, half), enlarge(half, full))
        # The motion map's colors and the attention, which one convolution computes in half the time of two.
        self.maps = nn.Conv2d(full, 4 if spec.attention else 3, 7, padding=3)
        draw_initial_weights(self)
        # Convolutions of a CPU are a third faster so.
        self.to(memory_format=torch.channels_last)

    def pictures(
        self, identity: Tensor, pose: Tensor, motion: Tensor, audio: Tensor | None = None
    ) -> Mapping[str, Tensor]:
        """Draw the motion of a batch.

        Args:
            identity: pictures ``[B, 3, size, size]``, 0..1.
            pose: poses in them, ``[B, P, D]`` in picture coordinates.
            motion: poses to draw, ``[B, T, P, D]``.
            audio: not used.

        Returns:
            ``frames [B, T, 3, size, size]``, 0..1; ``attention [B, T, 1, size, size]``, 0 where the still picture is
            copied; ``motion_map`` of the frames' shape, 0..1, the colors elsewhere; ``landmark_attention [B, T, 1,
            size / 4, size / 4]``, 0 where features of the still picture are copied.

        Raises:
            ImageError: pictures of another shape.
        """
        return self.draw(identity, pose, motion)[0]

    def draw(
        self, identity: Tensor, pose: Tensor, motion: Tensor, state: Tensor | None = None
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Draw the motion of a batch as `pictures` does, from a state on.

        Returns:
            The outputs, and the state after the last frame, for the frames that follow.
        """
        expected = (3, *self.training_picture_size)
        if identity.shape[1:] != expected:
            got = f"the shape {list(identity.shape)}"
            raise hm.ImageError("renderer atvg/vg-net", f"RGB pictures [B, {', '.join(map(str, expected))}]", got)
        batch, frames = motion.shape[:2]

        def repeated(features: Tensor) -> Tensor:
            return features[:, None].expand(-1, frames, *features.shape[1:]).flatten(0, 1)

        still = 2 * identity - 1
        shallow = self.shallow(still)
        pose, motion = map(self.representation.to_points2d, (pose, motion))
        head = head_motion(pose, motion, self.stable, self.spec.size) if self.stable else None
        still_pose, poses = self._flat(pose), self._flat(motion if head is None else head.poses)
        poses = still_pose[:, None] + self.spec.difference_gain * (poses - still_pose[:, None])
        near, near_pose = self.landmarks(poses.flatten(0, 1)), self.landmarks(still_pose)
        copied = self.landmark_attention(torch.cat([near, repeated(near_pose)], dim=1))
        moved = self.landmarks_far(near) - repeated(self.landmarks_far(near_pose))
        inputs = self.recurrent_input(torch.cat([repeated(self.deep(shallow)), moved], dim=1))
        states, state = self.recurrent(inputs.unflatten(0, (batch, frames)), state)
        painted = self.generator(states.flatten(0, 1))
        maps = self.maps(self.base(copied * painted + (1 - copied) * repeated(shallow)))
        maps = maps.to(still.dtype)  # which autocast changes
        colors = torch.tanh(maps[:, :3])
        attention = torch.sigmoid(maps[:, 3:]) if self.spec.attention else torch.ones_like(maps[:, :1])
        drawn = attention * colors + (1 - attention) * repeated(still)
        layers = torch.cat([(drawn + 1) / 2, attention, (colors + 1) / 2], dim=1)
        layers = layers if head is None else head.move(layers)
        outputs = {
            "frames": layers[:, :3],
            "attention": layers[:, 3:4],
            "motion_map": layers[:, 4:],
            "landmark_attention": copied,
        }
        return {name: values.unflatten(0, (batch, frames)) for name, values in outputs.items()}, state

    @torch.no_grad()
    def frames(
        self,
        motion: Iterable[hm.Motion],
        image: Any = None,
        landmarks: Any = None,
        audio: Iterable[Tensor] | None = None,
    ) -> Iterator[Any]:
        """Yield a picture ``uint8 [size, size, 3]`` per frame of the motion.

        A picture of exactly the training size is used as it is; of any other the face is cut out (``crop_side``,
        ``crop_up``).

        Raises:
            ImageError: no RGB picture, no pose in it, or a face that lies outside of it.
        """
        crop = {"side": self.spec.crop_side, "up": self.spec.crop_up}
        stream, state = hm.PictureStream(self, self.representation, motion, image, landmarks, **crop), None
        for window in stream.windows():
            outputs, state = self.draw(stream.identity, stream.pose, window.motion, state)
            yield from stream.to_frames(outputs["frames"])

    def _flat(self, points: Tensor) -> Tensor:
        """Return points ``[..., P, 2]`` around the middle of the picture, flat, ``[..., 2 P]``."""
        return LANDMARK_SCALE * (points - 0.5).flatten(-2)
