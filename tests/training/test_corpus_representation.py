"""A recipe that names no representation is trained in that of its corpora."""

from pathlib import Path

import pytest

from headmotion.core.checkpoint import read_header
from headmotion.core.errors import CorpusError
from headmotion.data.synthetic.kinds import write_synthetic_shards
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.training import train
from headmotion.training.corpus_representation import with_corpus_representation
from headmotion.training.recipe import load_recipe


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "bodies"
    return write_synthetic_shards(folder, "gestures", clips=4, seconds=2.2, clips_per_speaker=1)


def test_smoke_trains_a_body_as_it_is(bodies: Path, tmp_path: Path) -> None:
    few = ["phases.syncers.steps=1", "phases.generator.steps=1", "data.batch_size=2", "phases.syncers.group_size=2"]
    model = train("smoke", [bodies], tmp_path / "run", device="cpu", quiet=True, overrides=few)
    assert read_header(model).spec["representation"]["type"] == "joints"


@pytest.mark.parametrize(
    ("recipe", "overrides", "type_name"),
    [
        ("smoke", [], "joints"),
        ("smoke", ["seed=3"], "joints"),
        ("smoke", ["pipeline.representation=landmarks68"], "landmarks68"),
        ("smoke", ["pipeline.representation.type=landmarks68"], "landmarks68"),
        ("small-cpu", [], "landmarks68"),
        ("small-cpu", ["seed=3"], "landmarks68"),
        ("small-cpu", ["pipeline.representation=null"], "joints"),
    ],
)
def test_a_recipe_that_names_one_keeps_it(recipe: str, overrides: list[str], type_name: str, bodies: Path) -> None:
    spec = with_corpus_representation(load_recipe(recipe, overrides), [bodies])
    assert spec.pipeline.representation.type_name() == type_name
    assert with_corpus_representation(spec, [bodies]) == spec


def test_folders_of_pairs_say_nothing(bodies: Path, tmp_path: Path) -> None:
    pairs = write_synthetic(tmp_path / "pairs", clips=1, seconds=2.2)
    recipe = load_recipe("smoke")
    assert with_corpus_representation(recipe, [pairs]) == recipe
    assert with_corpus_representation(recipe, [pairs, bodies]).pipeline.representation.type_name() == "joints"


def test_corpora_of_different_representations_are_one_error(bodies: Path, tmp_path: Path) -> None:
    faces = write_synthetic_shards(tmp_path / "faces", "faces", clips=1, seconds=2.2)
    expected = "the representation of .*bodies in all corpora, as the recipe names none, got another in .*faces"
    with pytest.raises(CorpusError, match=expected):
        with_corpus_representation(load_recipe("smoke"), [bodies, faces])


def test_the_error_of_a_corpus_that_does_not_fit_names_the_setting(bodies: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"make a corpus of it: headmotion.*; --set pipeline\.representation=null"):
        train("small-cpu", [bodies], tmp_path / "run", device="cpu", quiet=True)
