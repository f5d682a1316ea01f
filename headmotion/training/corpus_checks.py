"""Whether the motion of a corpus has the shape and the rate that training needs."""

from __future__ import annotations

from ..core.errors import CorpusError
from ..core.interfaces.representation import Representation
from ..core.interfaces.specs import BuildContext, RepresentationSpec
from ..data.corpus import Corpus
from ..data.shard_index import ShardIndex
from .crops import recorded_representation


def check_shapes(corpus: Corpus, context: BuildContext) -> None:
    """Refuse clips that the pipeline cannot use.

    Raises:
        CorpusError: there are some, by their shape or rate.
    """
    check_motion(corpus, recorded_representation(context.representation))
    for shape, clip in corpus.motion_shapes().items():
        if shape.fps != context.fps:
            raise CorpusError(f"clip {clip}", f"{context.fps} frames per second, the pipeline's own", str(shape.fps))


def check_motion(corpus: Corpus, representation: Representation) -> None:
    """Refuse clips of another representation.

    Raises:
        CorpusError: there is one, by its number of points and of numbers per point.
    """
    for shape, clip in corpus.motion_shapes().items():
        if shape.points != representation.points or shape.dims < representation.dims:
            expected = f"motion of {representation.name}, [T, {representation.points}, {representation.dims} or more]"
            got = f"the shape [T, {shape.points}, {shape.dims}]"
            assert isinstance(representation.spec, RepresentationSpec)
            command = representation.spec.corpus_command
            remedies = [f"make a corpus of it: {command}"] if command else []
            if any(isinstance(section.index, ShardIndex) for section in corpus.sections):
                remedies.append("--set pipeline.representation=null trains in the corpus' own")
            remedy = "; ".join(remedies) or "take a corpus or a recipe that fits"
            raise CorpusError(f"clip {clip}", expected, got, remedy)
