"""A renderer as the target of a phase: it draws the recorded motion, and is compared with the recorded pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from ..core.component import Component
from ..core.errors import PluginError, SpecError
from ..core.interfaces.capabilities import SupportsTrainingTerms
from ..core.interfaces.renderer import Renderer, SupportsTraining
from ..core.interfaces.sample import Sample, Track
from ..core.outputs import checked_terms, require_finite_if_asked, split_outputs
from .context import TrainContext


class RendererTarget:
    """A renderer, which makes pictures from one of the same person, and from motion and features.

    Args:
        renderer: the renderer.
        context: of the phase.

    Raises:
        SpecError: a renderer that cannot be trained, or pictures of another size than the corpus has.
    """

    makes: Track = "frames"
    """Pictures."""

    def __init__(self, renderer: Renderer, context: TrainContext) -> None:
        self.name = f"renderer {renderer.spec.type_name()}"
        if not isinstance(renderer, SupportsTraining):
            remedy = "give the renderer the method pictures"
            raise SpecError(
                f"{context.name} phase", "a renderer that can be trained (SupportsTraining)", self.name, remedy
            )
        self.module: Component = renderer
        self._pictures, self._size = renderer.pictures, renderer.training_picture_size
        self._audio_context = renderer.audio_context if "audio" in renderer.needs else None
        # At least one frame before the motion, so that whatever judges motion has a reference here too.
        self.context_frames = max(1, renderer.audio_context[0])
        self.needs = frozenset[Track]({"motion", "frames"}) | renderer.needs
        self.partition = context.partition
        self._check_size(context)

    def generate(self, real: Sample, seeds: Sequence[int]) -> Sample:
        """Return the sample with generated pictures.

        Raises:
            PluginError: the renderer returned pictures of another shape.
        """
        assert real.identity is not None and real.identity_pose is not None and real.picture_motion is not None
        audio = None if self._audio_context is None else real.audio_around(*self._audio_context)
        with self.partition.autocast(real.motion.device):
            drawn = self._pictures(real.identity, real.identity_pose, real.picture_motion, audio)
        pictures, outputs = split_outputs(self.module, drawn)
        expected = (*real.picture_motion.shape[:2], 3, *self._size)
        if not isinstance(pictures, Tensor) or pictures.shape != expected:
            got = (
                f"the shape {list(pictures.shape)}" if isinstance(pictures, Tensor) else f"a {type(pictures).__name__}"
            )
            raise PluginError(self.name, f"pictures {list(expected)}", got, "headmotion plugins check tests it")
        require_finite_if_asked(self.module, pictures, "pictures")
        dtype = real.motion.dtype
        return replace(
            real,
            frames=pictures.to(dtype),
            outputs={name: value.to(dtype) if value.is_floating_point() else value for name, value in outputs.items()},
        )

    def training_terms(self, real: Sample, step: int, seeds: Sequence[int]) -> Mapping[str, Tensor]:
        """Return the renderer's own terms, if it has any (`SupportsTrainingTerms`), of an attention of its own say."""
        if not isinstance(self.module, SupportsTrainingTerms):
            return {}
        with self.partition.autocast(real.motion.device):
            terms = self.module.training_terms(real, step, seeds)
        terms = checked_terms(self.module, terms, real.motion.device, "training_terms")
        return {name: term.to(real.motion.dtype) for name, term in terms.items()}

    def _check_size(self, context: TrainContext) -> None:
        size = context.corpus.picture_size
        if size is not None and size != self._size:
            expected = f"pictures of {self._size[1]} x {self._size[0]}, which {self.name} draws"
            remedy = f"headmotion prepare --frames {max(self._size)}, or another size of the renderer"
            raise SpecError(f"{context.name} phase", expected, f"{size[1]} x {size[0]} in the corpus", remedy)
