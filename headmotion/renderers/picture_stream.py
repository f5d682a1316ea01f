"""From a photograph and a motion in its pixels to what a trained renderer takes, in parts, and back to frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..core.audio_context import steps_between
from ..core.errors import HeadmotionError, ImageError, MotionError
from ..core.interfaces.renderer import Picture, Renderer, SupportsTraining
from ..core.interfaces.representation import Representation, UnitSquare, has_place
from ..core.motion import Motion
from .pose_in_picture import outside_of_picture


@dataclass(frozen=True)
class Window:
    """Consecutive frames of a motion with their neighbors, in picture coordinates."""

    motion: Tensor
    """Poses ``[1, n, P, D]``."""
    audio: Tensor | None
    """Features ``[1, steps_per_frame * n, C]``, if the renderer needs audio."""
    first: int
    """Index within the window of the first frame that is due."""
    count: int
    """Number of frames that are due; the others are neighbors."""

    @property
    def due(self) -> Tensor:
        """The poses of the frames that are due, ``[1, count, P, D]``."""
        return self.motion[:, self.first : self.first + self.count]

    def audio_around(self, before: int, after: int) -> Tensor | None:
        """Return features of the frames that are due and of neighbors, as `SupportsTraining.pictures` takes them.

        Args:
            before: frames before those that are due, at most the ``look_back`` of `PictureStream.windows`.
            after: frames after them, at most its ``look_ahead``.
        """
        if self.audio is None:
            return None
        per_frame, last = self.audio.shape[1] // self.motion.shape[1], self.first + self.count
        return steps_between(self.audio, (self.first - before) * per_frame, (last + after) * per_frame)


SAME_SIZE = (0.75, 1.33)
"""Range of the side of the face's square, in edges of the picture, in which the picture is one of that square."""
SAME_PLACE = 0.15
"""How far the middle of the face's square may then lie from that of the picture, in edges of the picture."""


def picture_square(height: int, width: int) -> UnitSquare:
    """Return the square for which `Representation.normalize` maps pixels of a picture to picture coordinates."""
    return UnitSquare(width / 2, height / 2, max(height, width))


class PictureStream:
    """A still picture and a motion as a renderer that `SupportsTraining` takes them, for its method `frames`.

    Of a picture the square around the face is cut out and resized, as `Representation.frame_of` has it for the pose, so
    that it looks like the pictures of a corpus, unless ``side`` and ``up`` say that its pictures show another square. A
    picture of exactly `SupportsTraining.training_picture_size` that shows about that square is used as it is. A motion
    of another face is shifted and scaled onto the pose.

    Args:
        renderer: the renderer, which also `SupportsTraining`.
        representation: of the motion.
        motion: consecutive parts of one motion, in pixels of the picture.
        image: the still picture ``uint8 [H, W, 3]``; None only if the renderer needs none, which then gets a gray one.
        landmarks: pose ``[P, D]`` in the picture, pixels; None takes the reference that the motion carries.
        audio: the blocks of features that `Renderer.frames` got.
        side: side of the square that pictures of the corpus show, in sides of the face's unit square.
        up: how far that square lies above the face's unit square, in sides of the latter.

    Raises:
        ImageError: there is no RGB picture, or no pose in it, or a face that lies outside of it.
        HeadmotionError: the renderer needs audio, and there is none.
    """

    identity: Tensor
    """The picture ``[1, 3, H, W]``, 0..1, of the size of training pictures."""
    pose: Tensor
    """The pose in it, ``[1, P, D]`` in picture coordinates."""

    def __init__(
        self,
        renderer: Renderer,
        representation: Representation,
        motion: Iterable[Motion],
        image: Picture | None = None,
        landmarks: npt.ArrayLike | None = None,
        audio: Iterable[Tensor] | None = None,
        *,
        side: float = 1.0,
        up: float = 0.0,
    ) -> None:
        self._side, self._up = side, up
        name = f"renderer {renderer.spec.type_name()}"
        if not isinstance(renderer, SupportsTraining):
            raise TypeError(f"{name} has no pictures (SupportsTraining)")
        if image is None and renderer.needs_image:
            raise ImageError(name, "a picture", "none", "give image=")
        if "audio" in renderer.needs and audio is None:
            raise HeadmotionError(name, "the speech, from which it draws", "none", "give audio=")
        self._representation, self._motion = representation, iter(motion)
        self._audio = iter(audio) if audio is not None and "audio" in renderer.needs else None
        self._device = next((p.device for p in renderer.parameters()), torch.device("cpu"))
        # The first part, because it carries the pose; None if the motion has no frames.
        self._first = next((part for part in self._read() if len(part[0])), None)
        if self._first is not None:
            self._place(name, self._first[0], image, landmarks, renderer.training_picture_size)

    def windows(self, look_back: int = 0, look_ahead: int = 0) -> Iterator[Window]:
        """Yield the frames of each part of the motion with their neighbors; memory does not grow with the motion.

        At both ends of the motion there are fewer neighbors. A renderer whose pictures depend on no frames (and no
        features of frames) beyond these draws from windows what it draws from the whole motion.

        Args:
            look_back: frames before those that are due.
            look_ahead: frames after those that are due.
        """
        held, features, start = torch.zeros(0), None, 0  # `start` is the index in `held` of the first frame not yielded
        for values, block in self._parts():
            held = values if not held.numel() else torch.cat([held, values], dim=1)
            features = block if features is None or block is None else torch.cat([features, block], dim=1)
            count = held.shape[1] - start - look_ahead
            if count > 0:
                yield Window(held, features, start, count)
                keep = max(0, start + count - look_back)
                steps = 0 if features is None else features.shape[1] // held.shape[1]
                held = held[:, keep:]
                features = None if features is None else features[:, keep * steps :]
                start += count - keep
        if held.numel() and held.shape[1] > start:
            yield Window(held, features, start, held.shape[1] - start)

    def to_frames(self, pictures: Tensor | Mapping[str, Tensor]) -> Iterator[Picture]:
        """Yield pictures ``[1, t, 3, H, W]``, 0..1, or those of a mapping, as ``uint8 [H, W, 3]``."""
        drawn = pictures["frames"] if isinstance(pictures, Mapping) else pictures
        levels = (255 * drawn[0].detach().float().clamp(0, 1)).round().to("cpu", torch.uint8)
        yield from levels.permute(0, 2, 3, 1).contiguous().numpy()

    def _read(self) -> Iterator[tuple[Motion, Tensor | None]]:
        """Yield the parts of the motion with their features, which are read after them."""
        for part in self._motion:
            if part.units != "px" and has_place(self._representation):
                raise MotionError("motion", "pixels (units 'px')", f"units {part.units!r}", "denormalize it first")
            yield part, None if self._audio is None else next(self._audio)

    def _parts(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yield the parts in picture coordinates, ``[1, t, P, D]``, with their features."""
        parts = [] if self._first is None else [self._first]
        for source in (parts, self._read()):
            for motion, features in source:
                if len(motion):
                    values = self._representation.normalize(motion.values, self._square)
                    yield values[None].to(self._device), None if features is None else features.to(self._device)

    def _place(
        self,
        name: str,
        first: Motion,
        image: Picture | None,
        landmarks: npt.ArrayLike | None,
        size: tuple[int, int],
    ) -> None:
        """Set the picture, the pose in it, and the square of the motion that the picture shows."""
        pose = first.reference if landmarks is None else torch.as_tensor(np.asarray(landmarks, np.float32))
        if pose is None:
            raise ImageError(name, "the pose in the picture", "none", "give landmarks=")
        if image is not None:
            _check_picture(name, self._representation, image, pose)
        height, width = size
        square = picture_square(*(size if image is None else image.shape[:2]))
        if has_place(self._representation):
            own = self._representation.frame_of(pose)
            square = UnitSquare(own.x, own.y - self._up * own.side, self._side * own.side)
        if image is None:
            shown = np.full((height, width, 3), 128, np.uint8)
        elif image.shape[:2] == size and shows_square(square, height, width):
            square, shown = picture_square(height, width), image
        else:
            shown = crop_square(image, square, size)
        levels = torch.from_numpy(np.ascontiguousarray(shown[..., :3])).permute(2, 0, 1)[None]
        self.identity = (levels.to(torch.float32) / 255).to(self._device)
        self.pose = self._representation.normalize(pose, square)[None].to(self._device)
        self._square = square
        if first.reference is not None and not torch.equal(first.reference.cpu(), pose.cpu()):
            self._square = self._fitted(square, first.reference, pose)

    def _fitted(self, square: UnitSquare, reference: Tensor, pose: Tensor) -> UnitSquare:
        """Return the square around another face's reference that corresponds to ``square`` around the pose."""
        source, target = self._representation.frame_of(pose), self._representation.frame_of(reference)
        scale = target.side / source.side
        x, y = target.x + scale * (square.x - source.x), target.y + scale * (square.y - source.y)
        return UnitSquare(x, y, scale * square.side)


def _check_picture(name: str, representation: Representation, image: Picture, pose: Tensor) -> None:
    """Raise an error for a picture that is not RGB, or that does not show the pose."""
    if image.ndim != 3 or image.shape[2] < 3:
        raise ImageError(name, "an RGB picture [H, W, 3]", f"the shape {list(image.shape)}", "convert it to RGB")
    if outside := outside_of_picture(representation, pose, *image.shape[:2]):
        remedy = "give the picture in which the pose was found"
        raise ImageError(name, "a face inside the picture", outside, remedy)


def shows_square(square: UnitSquare, height: int, width: int) -> bool:
    """Return whether a picture is about one of a square in it, as pictures of a corpus are, and needs no crop."""
    edge = max(height, width)
    away = max(abs(float(square.x) - width / 2), abs(float(square.y) - height / 2))
    return SAME_SIZE[0] <= float(square.side) / edge <= SAME_SIZE[1] and away <= SAME_PLACE * edge


def crop_square(image: Picture, square: UnitSquare, size: tuple[int, int]) -> Picture:
    """Cut a square out of a picture and resize it; beyond the picture its border goes on.

    Args:
        image: ``uint8 [H, W, 3]``.
        square: the part, in pixels of the picture, of which `picture_square` is the whole.
        size: height and width of the result; of the longer one the square fills all, of the other the middle.
    """
    height, width = size
    scale, x, y = max(size) / square.side, square.x, square.y
    # Averages where the picture shrinks, which avoids aliasing; the two factors differ by rounding only.
    small = tuple(max(1, round(edge * min(scale, 1))) for edge in image.shape[1::-1])
    x_factor, y_factor = image.shape[1] / small[0], image.shape[0] / small[1]
    reduced = cv2.resize(image, small, interpolation=cv2.INTER_AREA) if scale < 1 else image
    x, y = x / x_factor - 0.5, y / y_factor - 0.5
    # The position in the reduced picture of pixel i is x_step * (i - (width - 1) / 2) + x.
    x_step, y_step = 1 / (scale * x_factor), 1 / (scale * y_factor)
    matrix = np.array([[x_step, 0, x - x_step * (width - 1) / 2], [0, y_step, y - y_step * (height - 1) / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(reduced, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)
