"""Videos below folders, the ids of their clips, and speakers guessed from paths."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import headmotion as hm
from headmotion.preparation.find_videos import clip_id, find_videos, guess_speaker

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@given(NAMES, NAMES)
def test_ids_are_safe_and_distinguish_videos(one: str, other: str) -> None:
    first, second = clip_id(one, 3, 1), clip_id(other, 3, 1)
    assert (first == second) == (one == other)
    assert all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in first)


def test_an_id_stays_what_it_is() -> None:
    assert clip_id("id00012/21Uxsk56VDQ/00001.mp4", 3, 1) == "id00012_21Uxsk56VDQ_00001-2fff92fa-003-01"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("id1/clip/00001.mp4", {"auto": "id1", "folder": "id1", "parent": "clip", "file": "00001"}),
        ("s1/a.mpg", {"auto": "s1", "folder": "s1", "parent": "s1", "file": "a"}),
        ("a.b.mp4", {"auto": "a.b", "folder": "a.b", "parent": "a.b", "file": "a.b"}),
        ("noend", {"auto": "noend", "file": "noend"}),
    ],
)
def test_speakers(name: str, expected: dict[str, str]) -> None:
    assert {rule: guess_speaker(name, rule) for rule in expected} == expected  # type: ignore[arg-type]


def test_videos_are_found_below_folders_and_sorted(tmp_path: Path) -> None:
    names = ["b/c.MP4", "a.mkv", "b/.hidden.mp4", ".git/x.mp4", "notes.txt", "out/old.mp4", "sound.wav"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    found = find_videos([tmp_path], exclude=tmp_path / "out")
    assert [(video.name, video.size) for video in found] == [("a.mkv", 1), ("b/c.MP4", 1)]
    named = find_videos([tmp_path / "notes.txt", tmp_path / "b"], exclude=tmp_path / "out")
    assert [video.name for video in named] == ["c.MP4", "notes.txt"]


def test_names_are_the_same_however_the_system_stores_accents(tmp_path: Path) -> None:
    for folder, name in (("linux", "\N{LATIN SMALL LETTER E WITH ACUTE}"), ("macos", "e\N{COMBINING ACUTE ACCENT}")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.mp4").write_bytes(b"1")
    linux, macos = (find_videos([tmp_path / folder], tmp_path / "out")[0] for folder in ("linux", "macos"))
    assert linux.name == macos.name and linux.path.name != macos.path.name


def test_two_videos_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.mp4").write_bytes(b"1")
    with pytest.raises(hm.CorpusError, match="twice; give the folder"):
        find_videos([tmp_path / "a", tmp_path / "b"], exclude=tmp_path / "out")
    assert len(find_videos([tmp_path / "a", tmp_path / "a/x.mp4"], exclude=tmp_path / "out")) == 1


def test_nothing_to_prepare(tmp_path: Path) -> None:
    with pytest.raises(hm.CorpusError, match="expected videos"):
        find_videos([tmp_path], exclude=tmp_path / "out")
    with pytest.raises(hm.CorpusError, match="existing"):
        find_videos([tmp_path / "none"], exclude=tmp_path / "out")
