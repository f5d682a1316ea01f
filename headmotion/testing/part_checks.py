"""Checks of representations, syncers, discriminators and renderers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ..core.discriminator import Discriminator
from ..core.errors import ImageError
from ..core.motion import Motion
from ..core.renderer import Picture, Renderer
from ..core.representation import Representation
from ..core.syncer import Syncer
from .inputs import FRAME, features, motion, picture, poses, same
from .runner import Subject, check


@check("representation")
def representation_is_consistent(subject: Subject) -> None:
    """Counts agree, every index names a point, the mirror swaps pairs, the neutral pose is ``[P, D]``."""
    it: Representation = subject.build()
    assert len(it.point_names) == len(set(it.point_names)) == it.points, "point_names: one name per point is needed"
    lists = (*it.groups.values(), *it.contours.values(), *it.edges, it.scale_pair, it.mirror)
    pairs = [pair for each in it.openings.values() for pair in each]
    stray = {point for each in (*lists, *pairs) for point in each} - set(range(it.points))
    assert not stray, f"indices beyond the {it.points} points: {sorted(stray)}"
    assert all(it.mirror[it.mirror[point]] == point for point in range(it.points)), "mirror: not its own inverse"
    assert it.neutral().shape == (it.points, it.dims), f"neutral: shape {list(it.neutral().shape)}"


@check("representation")
def representation_maps_both_ways(subject: Subject) -> None:
    """`denormalize` undoes `normalize`, `flip` undoes itself, and `to_points2d` gives ``[..., P, 2]``."""
    it: Representation = subject.build()
    unit = poses(subject, 2, 3)
    same(it.normalize(it.denormalize(unit, FRAME), FRAME), unit, "unit to pixels and back")
    same(it.flip(it.flip(unit)), unit, "flipped twice")
    assert it.to_points2d(unit).shape == (2, 3, it.points, 2), f"to_points2d: {list(it.to_points2d(unit).shape)}"


@check("syncer")
def syncer_embeds_into_one_space(subject: Subject) -> None:
    """Audio and motion windows become ``[B, E]`` alike, each sample for itself, differentiable in the motion."""
    syncer: Syncer = subject.build()
    m, a = poses(subject, 3, syncer.window).requires_grad_(), features(subject, 3, syncer.window)
    moved, heard = syncer.embed_motion(m), syncer.embed_audio(a)
    assert moved.shape == heard.shape and moved.dim() == 2, f"{list(moved.shape)} and {list(heard.shape)}"
    same(syncer.embed_motion(m[1:2]), moved[1:2], "motion alone")
    same(syncer.embed_audio(a[1:2]), heard[1:2], "audio alone")
    _assert_gradient((moved * heard).sum(), m)


@check("discriminator")
def discriminator_scores_by_head(subject: Subject) -> None:
    """Named heads, each a vector of scores, differentiable in the motion."""
    discriminator: Discriminator = subject.build()
    moved = poses(subject, 2, 40, seed=1).requires_grad_()
    scores = discriminator(poses(subject, 2, 3), moved)
    assert scores, "no heads"
    for name, each in scores.items():
        assert each.dim() == 1 and len(each), f"{name}: shape {list(each.shape)}"
    _assert_gradient(torch.stack([each.sum() for each in scores.values()]).sum(), moved)


@check("renderer")
def renderer_draws_every_frame(subject: Subject) -> None:
    """One ``uint8 [H, W, 3]`` picture of one size per frame, the same however the motion is cut."""
    renderer: Renderer = subject.build()
    whole = motion(subject, 5)
    drawn = _drawn(renderer, [whole])
    assert len(drawn) == 5, f"{len(drawn)} pictures of 5 frames"
    assert {(each.dtype, each.shape) for each in drawn} == {(np.dtype(np.uint8), (*drawn[0].shape[:2], 3))}, "a format"
    pieces = _drawn(renderer, [whole[:2], whole[2:3], whole[3:]])
    assert np.array_equal(np.stack(pieces), np.stack(drawn)), "pieces are drawn otherwise than the whole"


@check("renderer")
def renderer_draws_nothing_of_nothing(subject: Subject) -> None:
    """A motion without frames makes no pictures, and pieces without frames around another change nothing."""
    renderer: Renderer = subject.build()
    whole = motion(subject, 3)
    for empty in ([], [whole[:0]], [whole[:0], whole[:0]]):
        assert not _drawn(renderer, empty), f"pictures of {len(empty)} pieces without frames"
    amid = _drawn(renderer, [whole[:0], whole, whole[:0]])
    assert np.array_equal(amid, _drawn(renderer, [whole])), "pieces without frames change the pictures"


@check("renderer")
def renderer_leaves_what_it_is_given_and_gives(subject: Subject) -> None:
    """Motion and picture are not written to, nor is a frame once it has been given away."""
    renderer: Renderer = subject.build()
    given, image = motion(subject, 4), picture()
    values = given.values.clone()
    frames = [(frame, frame.copy()) for frame in renderer.frames([given], image if renderer.needs_image else None)]
    assert torch.equal(given.values, values), "the motion has changed"
    assert np.array_equal(image, picture()), "the picture has changed"
    assert all(np.array_equal(frame, kept) for frame, kept in frames), "an earlier frame has changed"


@check("renderer")
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


@check("renderer")
def renderer_asks_for_its_image(subject: Subject) -> None:
    """A renderer that needs a picture raises an `ImageError` without one."""
    renderer: Renderer = subject.build()
    with contextlib.suppress(ImageError):
        list(renderer.frames([motion(subject, 1)]))
        assert not renderer.needs_image, "frames were drawn without a picture"


@check("renderer")
def renderer_keeps_alpha_if_it_says_so(subject: Subject) -> None:
    """With `keeps_alpha`, frames have as many channels as the picture."""
    renderer: Renderer = subject.build()
    if renderer.keeps_alpha:
        opacity = np.full((*picture().shape[:2], 1), 200, np.uint8)
        for image in (np.concatenate([picture(), opacity], axis=2), picture()):
            drawn = next(iter(renderer.frames([motion(subject, 1)], image)))
            assert drawn.shape[2] == image.shape[2], f"{list(drawn.shape)} of {list(image.shape)}"


def _drawn(renderer: Renderer, pieces: list[Motion]) -> list[Picture]:
    return list(renderer.frames(pieces, picture() if renderer.needs_image else None))


def _assert_gradient(score: Tensor, moved: Tensor) -> None:
    (gradient,) = torch.autograd.grad(score, moved)
    assert gradient.isfinite().all() and gradient.abs().sum() > 0, "no gradient reaches the motion"
