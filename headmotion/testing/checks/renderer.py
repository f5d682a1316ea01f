"""Checks of renderers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...core.errors import HeadmotionError, ImageError
from ...core.interfaces.renderer import Picture, Renderer, SupportsTraining
from ...core.interfaces.representation import UnitSquare
from ...core.motion import Motion
from ...core.outputs import split_outputs
from ..build_context import Subject
from ..inputs import FPS, assert_close, drawn, motion, picture, picture_inputs
from ..kit import NotApplicable, check


@check("renderer", 1, "Yield one uint8 picture per frame, all of one size, and reset nothing at the start of a chunk.")
def renderer_yields_one_picture_per_frame(subject: Subject) -> None:
    """Each frame gives one ``uint8 [H, W, 3]`` picture of one size, however the motion is divided into chunks."""
    renderer: Renderer = subject.build()
    whole = motion(subject, 5)
    pictures = _render(subject, renderer, [whole])
    assert len(pictures) == 5, f"{len(pictures)} pictures of 5 frames"
    formats = {(frame.dtype, frame.shape) for frame in pictures}
    assert formats == {(np.dtype(np.uint8), (*pictures[0].shape[:2], 3))}, f"formats {formats}"
    chunked = _render(subject, renderer, [whole[:2], whole[2:3], whole[3:]])
    assert np.array_equal(np.stack(chunked), np.stack(pictures)), "chunks give other pictures than the whole"


@check("renderer", 1, "Do not access the first frame before there is one; skip chunks without frames.")
def renderer_accepts_empty_motion(subject: Subject) -> None:
    """A motion without frames gives no pictures, and chunks without frames change nothing."""
    renderer: Renderer = subject.build()
    whole = motion(subject, 3)
    for empty in ([], [whole[:0]], [whole[:0], whole[:0]]):
        assert not _render(subject, renderer, empty), f"pictures of {len(empty)} chunks without frames"
    surrounded = _render(subject, renderer, [whole[:0], whole, whole[:0]])
    assert np.array_equal(surrounded, _render(subject, renderer, [whole])), "chunks without frames change the pictures"


@check("renderer", 2, "Draw each frame on a new array (image.copy()), and change neither motion nor picture.")
def renderer_does_not_modify_arrays(subject: Subject) -> None:
    """Motion and picture are not written to, nor is a frame once it has been yielded."""
    renderer: Renderer = subject.build()
    whole, image = motion(subject, 4), picture() if renderer.needs_image else None
    values = whole.values.clone()
    # A copy at once: a renderer that reuses its buffer changes frames that were yielded before.
    frames = [(frame, frame.copy()) for frame in drawn(subject, renderer, [whole], image)]
    assert torch.equal(whole.values, values), "the motion has changed"
    assert image is None or np.array_equal(image, picture()), "the picture has changed"
    assert all(np.array_equal(frame, copy) for frame, copy in frames), "an earlier frame has changed"


@check("renderer", 3, "Iterate over the chunks and yield as you go; do not list or concatenate them.")
def renderer_reads_lazily(subject: Subject) -> None:
    """The first picture comes before the motion has ended, so that memory does not grow with its length."""
    renderer: Renderer = subject.build()
    whole, starts = motion(subject, 40), []

    def chunks() -> Iterator[Motion]:
        for start in range(0, 40, 2):
            starts.append(start)
            yield whole[start : start + 2]

    next(drawn(subject, renderer, chunks()))
    # Half of the motion leaves room for renderers that look ahead.
    assert len(starts) <= 10, f"{len(starts)} of 20 chunks were read for the first picture"


@check("renderer", 1, "Raise headmotion.ImageError where image is None and needs_image is True.")
def renderer_requires_its_image(subject: Subject) -> None:
    """A renderer that needs a picture raises an `ImageError` without one."""
    renderer: Renderer = subject.build()
    if not renderer.needs_image:
        raise NotApplicable("it needs no picture")
    try:
        frames = list(renderer.frames([motion(subject, 1)]))
    except ImageError:
        return
    raise AssertionError(f"{len(frames)} frames were drawn without a picture")


@check("renderer", 2, "With keeps_alpha = True, yield as many channels as the picture has; otherwise leave it False.")
def renderer_keeps_alpha_if_declared(subject: Subject) -> None:
    """With `keeps_alpha`, frames have as many channels as the picture."""
    renderer: Renderer = subject.build()
    if not renderer.keeps_alpha:
        raise NotApplicable("it does not keep alpha")
    alpha = np.full((*picture().shape[:2], 1), 200, np.uint8)
    for image in (np.concatenate([picture(), alpha], axis=2), picture()):
        frame = next(drawn(subject, renderer, [motion(subject, 1)], image))
        assert frame.shape[2] == image.shape[2], f"{list(frame.shape)} of {list(image.shape)}"


@check("renderer", 1, "Raise a headmotion.HeadmotionError where audio is None and needs has 'audio'.")
def renderer_requires_its_audio(subject: Subject) -> None:
    """A renderer that needs ``audio`` raises a `HeadmotionError` without features."""
    renderer: Renderer = subject.build()
    if "audio" not in renderer.needs:
        raise NotApplicable("it does not draw from audio")
    try:
        frames = list(renderer.frames([motion(subject, 1)], picture() if renderer.needs_image else None))
    except HeadmotionError:
        return
    raise AssertionError(f"{len(frames)} frames were drawn without audio")


@check(
    "renderer", 1, "Return [B, T, 3, *training_picture_size] within 0..1; end with a sigmoid, and do not mix samples."
)
def renderer_returns_pictures_to_train_on(subject: Subject) -> None:
    """`pictures` are ``[B, T, 3, H, W]``, finite and within 0..1; those of a sample do not depend on the others."""
    renderer = _trainable(subject)
    inputs = picture_inputs(subject, renderer, 2, 3)
    pictures = _pictures(renderer, inputs)
    expected = (2, 3, 3, *renderer.training_picture_size)
    assert pictures.shape == expected, f"shape {list(pictures.shape)} is not {list(expected)}"
    assert pictures.isfinite().all() and pictures.min() >= 0 and pictures.max() <= 1, "values outside 0..1"
    single = _pictures(renderer, [tensor[1:] for tensor in inputs])
    assert_close(single, pictures[1:], "a sample alone", 1e-4)


@check("renderer", 1, "Let frames and pictures use one method; map pixels by headmotion.PictureStream.")
def renderer_frames_equal_pictures(subject: Subject) -> None:
    """Of a still picture of the training size, `frames` gives what `pictures` gives, rounded to 255 levels."""
    renderer = _trainable(subject)
    inputs = picture_inputs(subject, renderer, 1, 5)
    inputs[0] = (255 * inputs[0]).round() / 255  # a picture holds whole levels
    height, width = renderer.training_picture_size
    square = UnitSquare(width / 2, height / 2, max(height, width))
    values = subject.context.representation.denormalize(torch.cat([inputs[1], inputs[2][0]]), square)
    spec = subject.context.representation.spec.model_dump(mode="json")
    whole = Motion(values[1:], FPS, spec, square, reference=values[0])
    image = (255 * inputs[0][0]).round().to(torch.uint8).permute(1, 2, 0).numpy()
    frames = np.stack(list(drawn(subject, renderer, [whole[:2], whole[2:]], image))).astype(np.float64)
    expected = 255 * _pictures(renderer, inputs)[0].permute(0, 2, 3, 1).numpy()
    assert frames.shape == expected.shape, f"frames {list(frames.shape)}, pictures {list(expected.shape)}"
    difference = float(np.abs(frames - expected).max())
    assert difference < 1.0, f"the largest difference is {difference:.1f} of 255 levels"


def _trainable(subject: Subject) -> Any:
    renderer = subject.build().requires_grad_(False)
    if not isinstance(renderer, SupportsTraining):
        raise NotApplicable("it is not trained")
    return renderer


def _pictures(renderer: Any, inputs: list[Tensor]) -> Tensor:
    """Return the pictures alone."""
    pictures: Tensor = split_outputs(renderer, renderer.pictures(*inputs))[0]
    return pictures


def _render(subject: Subject, renderer: Renderer, chunks: list[Motion]) -> list[Picture]:
    return list(drawn(subject, renderer, chunks))
