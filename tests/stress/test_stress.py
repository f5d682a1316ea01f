"""The campaign itself: cases repeat, rules see what is broken, and the journal goes on where it was stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

import headmotion as hm
from benchmarks.stress import __main__ as command
from benchmarks.stress import stored_session, trees
from benchmarks.stress.byte_mutations import MUTATIONS
from benchmarks.stress.case import Call, Finding, Result
from benchmarks.stress.clients import REQUESTS, ClientsCampaign
from benchmarks.stress.documents import STRUCTURED
from benchmarks.stress.files import judged
from benchmarks.stress.forked import Killing, call
from benchmarks.stress.hooks import HOOKS
from benchmarks.stress.hours import HoursCampaign, Live, Stream
from benchmarks.stress.journal import Journal
from benchmarks.stress.options import LIVE, REFUSED, _named_outputs, _words
from benchmarks.stress.page import main as write_page
from benchmarks.stress.page import page
from benchmarks.stress.parts import METHODS
from headmotion.cli.main import COMMANDS
from headmotion.core import hookspecs
from headmotion.core.errors import HeadmotionError
from headmotion.scaffold import PARTS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the campaign forks")

GOOD = {
    ".json": b'{"a": [1, 2], "b": {"c": "d"}}',
    ".jsonl": b'{"a": 1}\n{"a": 2}\n',
    ".csv": b"id,speaker\none,two\n",
    ".bvh": b"HIERARCHY\nROOT hips\n{\n}\n",
}


@pytest.mark.parametrize("suffix", GOOD)
def test_the_same_seed_does_the_same_damage(suffix: str) -> None:
    once, repeated = ([STRUCTURED[suffix](GOOD[suffix], Random(seed)) for seed in range(20)] for _ in range(2))
    assert once == repeated
    assert len({content for content, _ in once}) > 5
    for mutation in MUTATIONS.values():
        assert mutation(GOOD[suffix], Random(1)) == mutation(GOOD[suffix], Random(1))


def one_line() -> None:
    print("error: expected", file=sys.stderr)
    sys.exit(2)


def two_lines() -> None:
    print("error: a\nerror: b", file=sys.stderr)
    sys.exit(2)


def fails() -> None:
    raise HeadmotionError("a", "b", "c")


def leaves() -> None:
    Path(".part").touch()


def strays() -> None:
    Path("stray").touch()


def half() -> None:
    Path("made").mkdir()
    Path("made/x.json").write_text('{"a"')


def error_with_output() -> None:
    Path("made").mkdir()
    one_line()


def changes() -> None:
    Path("input").write_text("other")


def connects() -> None:
    with socket.socket() as client:
        client.connect_ex(("127.0.0.1", 9))


def reads_beside() -> None:
    Path("../beside/canary").read_bytes()


def colors() -> None:
    print("\x1b[31mred")


def ends() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fine() -> None:
    Path("made").mkdir()
    Path("made/x.json").write_text("{}")


BROKEN: list[tuple[Callable[[], None], str | None]] = [
    (fine, None),
    (one_line, None),
    (two_lines, "one line"),
    (fails, "traceback"),
    (leaves, "left over"),
    (strays, "elsewhere"),
    (half, "half-written"),
    (error_with_output, "made in spite of an error"),
    (changes, "changed input"),
    (connects, "network"),
    (reads_beside, "outside"),
    (colors, "control characters"),
    (ends, "crash"),
]


@pytest.mark.parametrize(("run", "rule"), BROKEN, ids=lambda value: getattr(value, "__name__", None))
def test_each_rule_sees_what_breaks_it(run: Callable[[], None], rule: str | None, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "input").write_text("as it was")
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "canary").touch()
    findings, _ = judged(Call((), (0, 2), "made", run=run), tmp_path, "")
    assert [finding.rule for finding in findings] == ([rule] if rule else [])


def test_a_call_is_killed_before_a_change(tmp_path: Path) -> None:
    def three() -> None:
        for name in "abc":
            Path(name).mkdir()

    whole = call(Call((), run=three), tmp_path)
    assert (whole.status, whole.changes) == (0, 3)
    for name in "abc":
        (tmp_path / "here" / name).rmdir()
    assert call(Call((), run=three), tmp_path, killing=Killing(at_change=2)).status == -9
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["a"]


class Odd:
    """A campaign that finds something in every third case."""

    name, title = "odd", "odd cases"

    def run(self, rng: Random, folder: Path) -> Result:
        number = len(list(folder.parent.iterdir()))
        bad = rng.random() < 1 / 3
        return Result("kind: x", (Finding("odd", f"{number}"),) if bad else (), 1, 0, facts={"max_a": 2, "b": 1})


def test_the_journal_goes_on_and_findings_repeat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = Journal(tmp_path / "campaign.jsonl")
    for _ in range(12):
        command.run_portion(Odd(), 5, journal, 0)
    portions = list(journal.lines("portion"))
    assert [line["first"] for line in portions] == list(range(12)) and journal.next_number("odd", 6) == 0
    found = [line["number"] for line in journal.lines("finding")]
    assert 0 < len(found) < 12 and sum(line["findings"] for line in portions) == len(found)
    assert command.replay(str(journal.path), {"odd": Odd()}) == len(found)
    assert command.replay(f"odd:5:{found[0]}", {"odd": Odd()}) == 1
    capsys.readouterr()


def test_cases_are_counted_and_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = Journal(tmp_path / "campaign.jsonl")
    command.run_until([Odd()], 5, journal, 2)
    command.run_until([Odd()], 5, journal, 3)
    assert command.run_until([Odd()], 5, journal, 3) == 0
    assert [line["first"] for line in journal.lines("portion")] == [0, 1, 2]
    assert command.run_in_turns([Odd(), Odd()], 6, journal, 0) >= 0
    assert journal.next_number("odd", 6) == 2
    capsys.readouterr()


def test_an_hour_is_streamed_beside_its_files(tmp_path: Path) -> None:
    inputs = trees.make(tmp_path / "inputs")
    (tmp_path / "case").mkdir()
    result = HoursCampaign(inputs, seconds=4.0, models=("model.safetensors",)).run(Random(1), tmp_path / "case")
    facts = result.facts
    assert result.findings == () and result.variant.startswith("model: ")
    assert facts["frames"] > facts["compared_frames"] > 0 and facts["max_difference"] < 1e-5
    assert sum(value for name, value in facts.items() if name.startswith("pushes ")) == pytest.approx(4, abs=0.1)


def test_an_hour_sees_frames_that_are_not_those_of_the_file(tmp_path: Path) -> None:
    pipe = hm.build({"generator": {"type": "ms-sync", "preset": "small", "hidden_size": 8}}, device="cpu")
    stream = Stream(pipe, Live(8000, None, 1, 1.0, 3), tmp_path / "a.wav", is_compared=True)
    session = pipe.stream(**stream.options)
    motions = [*[session.push(chunk) for chunk in stream.chunks], session.flush()]
    whole = hm.Motion.concatenate(motions)
    stream.take(whole[:10])
    with pytest.raises(AssertionError, match="before frame 20 of Live"):
        stream.take(whole[11:21])
    with pytest.raises(AssertionError, match="20 frames, not 25"):
        stream.end()


def test_the_page_has_every_number_from_the_lines(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "campaign.jsonl")
    facts = {"streamed_s": 7200.0, "killed": 3, "answered 400": 2, "closed 1008": 1}
    result = Result("speech.wav: cut", (Finding("one line", "x | y"),), 2, 1, 5 << 20, 0.4, facts)
    journal.add_finding("files", 1, 0, result.findings[0])
    journal.add_portion("files", 1, 0, [result, result], 3600.0)
    journal.add_portion("files", 1, 2, [Result("speech.wav: cut", (), 1, 0)], 1800.0)
    text = page([json.loads(line) for line in journal.path.read_text().splitlines()])
    assert "Since the last finding: 1 cases in 0.50 hours." in text
    assert "| damaged files | 3 | 5 | 2 | 1 | 1.50 | 5 | 0.4 |" in text
    assert "speech.wav 3" in text and "Streamed: 4.00 hours" in text and "Killed: 6 processes." in text
    assert "Requests of clients: answered 400 4 times, closed 1008 2 times." in text
    assert "| files: one line | 1 | `files:1:0` |" in text and "`x / y`" in text


def test_hours_on_end_have_a_section_that_other_runs_retain(tmp_path: Path) -> None:
    journal, others, path = (tmp_path / name for name in ("hours.jsonl", "others.jsonl", "page.md"))
    facts = {"hours_s": 3600, "frames": 500, "compared_frames": 9, "rate 8000": 1800, "max_growth_bytes": 3 << 20}
    for number in range(2):
        result = Result("ms-sync: [8000]", (), 1, 0, 5 << 20, 240.0, facts | {"max_difference": 1e-7 * number})
        Journal(journal).add_portion("hours", 7, number, [result], 300.0)
    Journal(others).add_portion("files", 1, 0, [Result("speech.wav: cut", (), 1, 0)], 1800.0)
    path.write_text("# Page\n\n## Compared with others\n\nno\n", "utf-8")
    for _ in range(2):
        write_page([str(journal), "--hours", "--page", str(path)])
    text = path.read_text("utf-8")
    assert text.count("## Hours on end") == 1 and text.endswith("## Compared with others\n\nno\n")
    assert "| ms-sync | 2 | 4.0 | 5 | 3 | 1.0e-07 | 0 |" in text and "Found: nothing." in text
    assert "1000 frames, of which 18 were" in text and "- rate: 8000 1.00" in text
    write_page([str(others), "--page", str(path)])
    assert "| ms-sync | 2 |" in path.read_text("utf-8") and "| damaged files | 1 |" in path.read_text("utf-8")


def test_what_the_arguments_name_may_be_made(tmp_path: Path) -> None:
    named = Call(
        ("-o", "new/stray"), (0,), "made", further_outputs=("new/stray",), run=lambda: Path("new/stray").mkdir()
    )
    (tmp_path / "here" / "new").mkdir(parents=True)
    assert judged(named, tmp_path, "")[0] == []
    words = ("plugins", "new", "calm", "--kind", "loss")
    assert _named_outputs(words) == ("headmotion-calm",)
    assert _named_outputs(("say", "x", "--phonemes", "p.csv", "-o", "/dev/null")) == ("p.csv",)


def test_parts_of_every_kind_can_be_spoiled() -> None:
    assert METHODS.keys() == PARTS.keys()


def test_every_hook_and_every_command_has_cases() -> None:
    hooks = {name for name in vars(hookspecs) if name.startswith("headmotion_")}
    assert hooks == HOOKS.keys()
    assert LIVE.keys() < {each.name for each in COMMANDS} and REFUSED.keys() == {"demo", "check"}
    for each in COMMANDS:
        _words(each, Random(0))


def test_a_call_may_connect_to_this_machine_only_if_it_says_so(tmp_path: Path) -> None:
    one = Call((), (0,), run=connects, is_local=True)
    assert judged(one, tmp_path, "")[0] == []


def test_a_stored_session_is_resumed(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")
    (tmp_path / "here").mkdir()
    stored_session.store(tmp_path / "here")
    one = Call((), (0,), "state", run=stored_session.resume, is_local=True)
    findings, outcome = judged(one, tmp_path, "")
    assert findings == [] and outcome.status == 0 and not list((tmp_path / "here" / "state").iterdir())


@pytest.mark.parametrize("seed", [1, 2])
def test_bad_clients_are_answered(seed: int, tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")
    inputs = trees.make(tmp_path / "inputs")
    (tmp_path / "case").mkdir()
    result = ClientsCampaign(inputs).run(Random(seed), tmp_path / "case")
    assert result.findings == () and result.facts["answered 200"] >= 4
    assert sum(result.facts.values()) == REQUESTS + 4
