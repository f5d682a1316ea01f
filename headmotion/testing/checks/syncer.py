"""Checks of syncers."""

from __future__ import annotations

import torch

from ...core.interfaces.syncer import Syncer
from ..build_context import Subject
from ..hypothesis_sizes import over_sizes
from ..inputs import features, poses, same
from ..kit import check


@check("syncer", 1, "Both embeddings end in one layer size, and no layer may look across the batch.")
@torch.no_grad()
def syncer_embeds_into_one_space(subject: Subject) -> None:
    """Audio and motion windows become ``[B, E]`` alike, finite, each sample for itself."""
    syncer: Syncer = subject.build()

    def sized(batch: int) -> None:
        m, a = poses(subject, batch, syncer.window), features(subject, batch, syncer.window)
        moved, heard = syncer.embed_motion(m), syncer.embed_audio(a)
        assert moved.shape == heard.shape and moved.dim() == 2, f"{list(moved.shape)} and {list(heard.shape)}"
        assert len(moved) == batch, f"{len(moved)} embeddings of {batch} windows"
        assert moved.isfinite().all() and heard.isfinite().all(), "NaN or infinite"
        same(syncer.embed_motion(m[-1:]), moved[-1:], "motion alone")
        same(syncer.embed_audio(a[-1:]), heard[-1:], "audio alone")

    over_sizes(sized, batch=(1, 5))


@check("syncer", 2, "Look for detach(), rounding or NumPy in embed_motion: the sync loss trains generators through it.")
def syncer_guides_motion(subject: Subject) -> None:
    """The score of a window has a gradient in the motion, by which generators are trained."""
    syncer: Syncer = subject.build()
    moved = poses(subject, 3, syncer.window).requires_grad_()
    seen, heard = syncer.embed_motion(moved), syncer.embed_audio(features(subject, 3, syncer.window))
    (gradient,) = torch.autograd.grad((seen * heard).sum(), moved)
    assert gradient.isfinite().all() and gradient.any(), "no gradient reaches the motion"
