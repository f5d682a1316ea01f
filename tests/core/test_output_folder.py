from pathlib import Path

import pytest

from headmotion.core.errors import TrainingError
from headmotion.core.output_folder import require_free_folder


def test_a_folder_with_files_of_others_is_one_error_that_names_one(tmp_path: Path) -> None:
    for name in ("notes.txt", "log.jsonl"):
        (tmp_path / name).touch()
    expected = r"run: expected a new or empty folder, got .*, which holds 'notes.txt'; choose another name"
    with pytest.raises(TrainingError, match=expected):
        require_free_folder(tmp_path, "run", TrainingError, own=["log.jsonl"])
    with pytest.raises(TrainingError, match="which is a file"):
        require_free_folder(tmp_path / "notes.txt", "run", TrainingError)


@pytest.mark.parametrize("name", [".gitignore", ".DS_Store", "Thumbs.db", "log.jsonl"])
def test_hidden_files_may_stay_unless_the_folder_is_replaced(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    require_free_folder(tmp_path / "new", "run", TrainingError)
    require_free_folder(tmp_path, "run", TrainingError, own=["log.jsonl"])
    with pytest.raises(TrainingError, match=name):
        require_free_folder(tmp_path, "run", TrainingError, own=["log.jsonl"], replaced=True)
