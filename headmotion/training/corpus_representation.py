"""The representation of a recipe that names none: that of the corpora."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from ..core.errors import CorpusError
from ..core.interfaces.specs import resolve_spec
from ..data.corpus_files import corpus_files
from ..data.shard_header import HEADER, read_header
from .recipe import RecipeSpec


def with_corpus_representation(recipe: RecipeSpec, data: Sequence[str | os.PathLike[str]]) -> RecipeSpec:
    """Return a recipe whose pipeline has the representation of the corpora, unless the recipe names one.

    The header of a corpus in shards holds its representation. A folder of pairs has none; of such folders alone the
    representation stays the default.

    Args:
        recipe: what is trained.
        data: corpus folders.

    Raises:
        CorpusError: corpora of different representations, or a damaged header.
        SpecError: a representation of a plugin that is not installed.
    """
    if recipe.names_representation:
        return recipe
    found: dict[str, str] = {}
    for path in data:
        files = corpus_files(path)
        if files.exists(HEADER):
            found.setdefault(json.dumps(read_header(files).representation, sort_keys=True), files.name)
    if not found:
        return recipe
    if len(found) > 1:
        (_, first), (_, second), *_ = found.items()
        expected = f"the representation of {first} in all corpora, as the recipe names none"
        remedy = "train on one of them, or name one with --set pipeline.representation=..."
        raise CorpusError("corpus", expected, f"another in {second}", remedy)
    spec = resolve_spec("representation", json.loads(next(iter(found))))
    return recipe.model_copy(update={"pipeline": recipe.pipeline.model_copy(update={"representation": spec})})
