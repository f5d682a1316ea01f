"""Checks of renderers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch

from ...core.errors import ImageError
from ...core.interfaces.renderer import Picture, Renderer
from ...core.motion import Motion
from ..build_context import Subject
from ..inputs import motion, picture
from ..kit import NotApplicable, check


@check("renderer", 1, "Yield one uint8 picture per frame, of one size, and start nothing anew with a piece.")
def renderer_draws_every_frame(subject: Subject) -> None:
    """One ``uint8 [H, W, 3]`` picture of one size per frame, the same however the motion is cut."""
    renderer: Renderer = subject.build()
    whole = motion(subject, 5)
    drawn = _drawn(renderer, [whole])
    assert len(drawn) == 5, f"{len(drawn)} pictures of 5 frames"
    assert {(each.dtype, each.shape) for each in drawn} == {(np.dtype(np.uint8), (*drawn[0].shape[:2], 3))}, "a format"
    pieces = _drawn(renderer, [whole[:2], whole[2:3], whole[3:]])
    assert np.array_equal(np.stack(pieces), np.stack(drawn)), "pieces are drawn otherwise than the whole"


@check("renderer", 1, "Do not look at the first frame before there is one; skip pieces of no frames.")
def renderer_draws_nothing_of_nothing(subject: Subject) -> None:
    """A motion without frames makes no pictures, and pieces without frames around another change nothing."""
    renderer: Renderer = subject.build()
    whole = motion(subject, 3)
    for empty in ([], [whole[:0]], [whole[:0], whole[:0]]):
        assert not _drawn(renderer, empty), f"pictures of {len(empty)} pieces without frames"
    amid = _drawn(renderer, [whole[:0], whole, whole[:0]])
    assert np.array_equal(amid, _drawn(renderer, [whole])), "pieces without frames change the pictures"


@check("renderer", 2, "Draw each frame on a new array (image.copy()), and change neither motion nor picture.")
def renderer_leaves_what_it_is_given_and_gives(subject: Subject) -> None:
    """Motion and picture are not written to, nor is a frame once it has been given away."""
    renderer: Renderer = subject.build()
    given, image = motion(subject, 4), picture()
    values = given.values.clone()
    frames = [(frame, frame.copy()) for frame in renderer.frames([given], image if renderer.needs_image else None)]
    assert torch.equal(given.values, values), "the motion has changed"
    assert np.array_equal(image, picture()), "the picture has changed"
    assert all(np.array_equal(frame, kept) for frame, kept in frames), "an earlier frame has changed"


@check("renderer", 3, "Iterate over the pieces and yield as you go; do not list or concatenate them.")
def renderer_reads_lazily(subject: Subject) -> None:
    """The first picture comes before the motion has ended: memory does not grow with its length."""
    renderer: Renderer = subject.build()
    whole, taken = motion(subject, 40), []

    def pieces() -> Iterator[Motion]:
        for start in range(0, 40, 2):
            taken.append(start)
            yield whole[start : start + 2]

    next(iter(renderer.frames(pieces(), picture() if renderer.needs_image else None)))
    assert len(taken) <= 10, f"{len(taken)} of 20 pieces were read for the first picture"


@check("renderer", 1, "Raise headmotion.ImageError where image is None and needs_image is True.")
def renderer_asks_for_its_image(subject: Subject) -> None:
    """A renderer that needs a picture raises an `ImageError` without one."""
    renderer: Renderer = subject.build()
    with contextlib.suppress(ImageError):
        list(renderer.frames([motion(subject, 1)]))
        assert not renderer.needs_image, "frames were drawn without a picture"


@check("renderer", 2, "With keeps_alpha = True, yield as many channels as the picture has; else leave it False.")
def renderer_keeps_alpha_if_it_says_so(subject: Subject) -> None:
    """With `keeps_alpha`, frames have as many channels as the picture."""
    renderer: Renderer = subject.build()
    if not renderer.keeps_alpha:
        raise NotApplicable("it does not keep opacity")
    opacity = np.full((*picture().shape[:2], 1), 200, np.uint8)
    for image in (np.concatenate([picture(), opacity], axis=2), picture()):
        drawn = next(iter(renderer.frames([motion(subject, 1)], image)))
        assert drawn.shape[2] == image.shape[2], f"{list(drawn.shape)} of {list(image.shape)}"


def _drawn(renderer: Renderer, pieces: list[Motion]) -> list[Picture]:
    return list(renderer.frames(pieces, picture() if renderer.needs_image else None))
