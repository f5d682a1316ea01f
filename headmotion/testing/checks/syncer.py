"""Checks of syncers."""

from __future__ import annotations

import torch

from ...core.interfaces.syncer import Syncer
from ..build_context import Subject
from ..hypothesis_sizes import for_sizes
from ..inputs import assert_close, features, poses
from ..kit import check


@check("syncer", 1, "Both embeddings end in layers of one size, and no layer may mix samples of the batch.")
@torch.no_grad()
def syncer_embedding_shape(subject: Subject) -> None:
    """Audio and motion windows both become finite embeddings ``[B, E]``, independent of the rest of the batch."""
    syncer: Syncer = subject.build()

    def check_sizes(batch: int) -> None:
        motion, audio = poses(subject, batch, syncer.window), features(subject, batch, syncer.window)
        of_motion, of_audio = syncer.embed_motion(motion), syncer.embed_audio(audio)
        shapes = f"{list(of_motion.shape)} and {list(of_audio.shape)}"
        assert of_motion.shape == of_audio.shape and of_motion.dim() == 2, shapes
        assert len(of_motion) == batch, f"{len(of_motion)} embeddings of {batch} windows"
        assert of_motion.isfinite().all() and of_audio.isfinite().all(), "NaN or infinite"
        assert_close(syncer.embed_motion(motion[-1:]), of_motion[-1:], "a single motion window")
        assert_close(syncer.embed_audio(audio[-1:]), of_audio[-1:], "a single audio window")

    for_sizes(check_sizes, batch=(1, 5))


@check("syncer", 2, "Look for detach(), rounding or NumPy in embed_motion: the sync loss trains generators through it.")
def syncer_has_motion_gradient(subject: Subject) -> None:
    """The score of a window has a gradient with respect to the motion, through which generators are trained."""
    syncer: Syncer = subject.build()
    motion = poses(subject, 3, syncer.window).requires_grad_()
    of_motion, of_audio = syncer.embed_motion(motion), syncer.embed_audio(features(subject, 3, syncer.window))
    # The sync loss compares embeddings, so the product stands for its gradient.
    (gradient,) = torch.autograd.grad((of_motion * of_audio).sum(), motion)
    assert gradient.isfinite().all() and gradient.any(), "no gradient reaches the motion"
