"""A small model, three synthetic clips, all metrics and baselines."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import headmotion as hm
from headmotion.cli import cli
from headmotion.core.claims import claimed_output
from headmotion.core.errors import EvaluationError, HeadmotionError
from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus, write_corpus
from headmotion.data.inspection import inspect_corpus
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.evaluation import Report, evaluate
from headmotion.evaluation.baselines import BASELINES

SMALL = {"type": "ms-sync", "preset": "small", "hidden_size": 32, "pose_size": 16, "branch_size": 16}

MOTION_METRICS = ("beat", "blink", "diversity", "drift", "head-motion", "jitter", "lip-vertex-error", "lmd", "opening")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "corpus"
    return write_synthetic(folder, clips=5, seconds=2.2, clips_per_speaker=1, val_every=2)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = hm.PipelineSpec.model_validate({"generator": SMALL})
    return hm.build(spec, device="cpu").save(tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.fixture(scope="module")
def folder(corpus: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("out") / "report"
    evaluate(model, corpus, output, split="train", seeds=2, device="cpu")
    return output


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    return Report.load(folder)


def test_ground_truth_is_perfect_and_a_static_face_does_not_speak(report: Report) -> None:
    lmd, opening = report.metrics["lmd"].results, report.metrics["opening"].results
    assert set(lmd) == {"model", *BASELINES}
    assert [lmd["ground-truth"].values["lmd_px"].value, opening["static"].values["correlation"].value] == [0, 0]
    assert opening["ground-truth"].values["correlation"].value == pytest.approx(1)
    assert lmd["static"].values["lmd_px"].value > 0
    assert report.metrics["lmd"].protocol["n"] == report.data.clips == lmd["model"].n == 3
    for measured in report.metrics.values():
        for result in measured.results.values():
            for value in result.values.values():
                assert value.low is None or (value.high is not None and value.low <= value.high)


def test_repeated_evaluation_gives_the_same_report(report: Report, corpus: Path, model: Path, tmp_path: Path) -> None:
    command = ["evaluate", str(model), "--data", str(corpus), "-o", str(tmp_path / "again"), "-q"]
    result = CliRunner().invoke(cli, [*command, "--split", "train", "--seeds", "2", "--device", "cpu"])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "again" / "report.json").read_text("utf-8") == report.text()


def test_the_values_are_printed_at_the_end(
    corpus: Path, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", str(model), "--data", str(corpus), "-o", str(tmp_path / "report"), "--split", "train"]
    choices = ["--metric", "lmd", "--limit", "1", "--baseline", "static", "--device", "cpu"]
    assert not cli.main([*command, *choices], standalone_mode=False)
    out, err = capfd.readouterr()
    assert out.strip() == str(tmp_path / "report") and "lmd_px" in err and "static" in err


def test_workers_give_the_values_of_one_process(
    report: Report, corpus: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generated: list[int] = []
    generate = hm.Pipeline.generate

    def counted(pipe: hm.Pipeline, *arguments: Any, **options: Any) -> hm.Motion:
        generated.append(1)
        return generate(pipe, *arguments, **options)

    monkeypatch.setattr(hm.Pipeline, "generate", counted)
    metrics = ["lmd", "diversity", "drift", "opening"]
    repeated = evaluate(model, corpus, split="train", metrics=metrics, seeds=2, device="cpu", workers=2)
    assert not generated, "the workers generate all"
    for metric in metrics:
        for source, expected in report.metrics[metric].results.items():
            values = repeated.metrics[metric].results[source].values
            assert values.keys() == expected.values.keys()
            for name, value in expected.values.items():
                assert values[name].value == pytest.approx(value.value, rel=1e-4, abs=1e-6), (metric, source, name)
    with pytest.raises(EvaluationError, match="workers from 0"):
        evaluate(model, corpus, split="train", workers=-1)


def test_the_page_is_one_file_with_the_numbers_of_the_report(folder: Path, report: Report) -> None:
    text = (folder / "report.html").read_text("utf-8")
    addresses = set(re.findall(r'(?:src|href)="([^,"]*)', text))
    assert addresses == {"data:image/svg+xml;base64", "data:video/mp4;base64"}
    assert text.count("<video") == 3 and "Best and worst clips by opening.correlation" in text
    value = report.metrics["opening"].results["model"].values["correlation"]
    assert value.low is not None and value.high is not None
    assert f"{value.value:.3g}<small>{value.low:.3g} to {value.high:.3g}</small>" in text
    assert "Drift: model" in text and "<script" not in text


def test_every_metric_has_a_value_and_a_protocol(report: Report) -> None:
    assert "depth" in report.metrics_left_out["lmd-frontal"]
    assert report.metrics_left_out["psnr"].startswith("the clips have no pictures")
    for name in MOTION_METRICS:
        measured = report.metrics[name]
        assert measured.results["model"].values, name
        assert measured.protocol["clips_sha256"] == report.metrics["lmd"].protocol["clips_sha256"] or name == "drift"
    diversity = report.metrics["diversity"].results
    assert diversity["model"].n == 3 and diversity["static"].left_out == "no motion from other seeds"
    assert report.metrics["drift"].results["ground-truth"].left_out == "no motion beyond the clip"


def test_values_of_each_clip_have_the_reported_mean(report: Report) -> None:
    result = report.metrics["lmd"].results["model"]
    assert len(result.clips) == 3
    mean = np.mean([clip["lmd_px"] for clip in result.clips.values()])
    assert mean == pytest.approx(result.values["lmd_px"].value, rel=1e-6)
    assert (
        report.metrics["frechet-motion"].results["model"].clips == {}
    )  # a distance of distributions belongs to no single clip


def test_motions_of_a_model_are_measured_as_the_model(
    report: Report, corpus: Path, model: Path, tmp_path: Path
) -> None:
    pipeline = hm.load(model, device="cpu")
    for k, clip in enumerate(open_corpus(corpus).select("train")):
        motion = pipeline.generate((clip.audio, 16_000), clip.landmarks[:1], seed=k)
        motion.save(tmp_path / f"{clip.id}{('.npz', '.json')[k % 2]}")
    evaluated = evaluate(tmp_path, corpus, split="train", metrics=["lmd", "opening"], seeds=2)
    for name, measured in evaluated.metrics.items():
        assert measured.results["motions"] == report.metrics[name].results["model"]
        assert measured.results["nearest-audio"] == report.metrics[name].results["nearest-audio"]
        assert measured.protocol == report.metrics[name].protocol
    assert list(evaluated.baselines_left_out) == ["shuffled-audio"]


def test_a_clip_that_fails_is_named_and_the_rest_is_measured(corpus: Path, tmp_path: Path) -> None:
    clips = list(open_corpus(corpus).select("train"))
    still = hm.Motion(np.repeat(clips[0].landmarks[:1, :, :2], len(clips[0].landmarks), axis=0), 25)
    still.save(tmp_path / f"{clips[0].id}.npz")
    still[:10].save(tmp_path / f"{clips[1].id}.npz")
    evaluated = evaluate(
        tmp_path, corpus, split="train", metrics=["lmd", {"type": "lmd", "group": "eyes"}], baselines=[]
    )
    assert list(evaluated.metrics) == ["lmd", "lmd group=eyes"]
    result = evaluated.metrics["lmd"].results["motions"]
    assert (result.n, result.values["lmd_px"].low) == (1, None)
    assert result.notes == ("a single clip: no intervals",)
    assert [(clip.clip, clip.reason.split("; ")[0]) for clip in result.skipped] == [
        (clips[1].id, f"motion of {clips[1].id}: expected 55 frames at 25 fps, got 10 in {clips[1].id}.npz"),
        (clips[2].id, f"motion of {clips[2].id}: expected a file {clips[2].id}.npz or .json, got none in {tmp_path}"),
    ]


def test_invalid_requests_are_refused(corpus: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for arguments, choices, message in [
        ((model, corpus), {"split": "test"}, "train, val, got 'test'; choose one of these with --split"),
        ((model, corpus), {"limit": 0}, "limit: expected a whole number from 1"),
        ((model, corpus), {"limit": True}, "limit: expected a whole number from 1, got bool True"),
        ((model, corpus), {"seeds": 10**400}, "seeds: expected a whole number from 1 and below 1,048,576"),
        ((model, corpus), {"metrics": "lmd"}, "metrics: expected a list of types and specs, got str 'lmd'"),
        ((model, corpus), {"baselines": "static"}, "baselines: expected a list of names, got str 'static'"),
        ((model, corpus), {"baselines": ["best"]}, "ground-truth, static"),
        ((model, corpus, tmp_path), {}, "a new or empty folder"),
        ((tmp_path, corpus), {}, "motion files"),
        ((model, corpus, tmp_path / "new"), {"rank": "lmd.best", "metrics": ["lmd"]}, "lmd.lmd_px, lmd.lmd_scale"),
    ]:
        with pytest.raises(hm.HeadmotionError, match=message):
            evaluate(*arguments, **choices)  # type: ignore[arg-type]
    hm.Motion(np.zeros((5, 4, 2), np.float32), 25, {"type": "keypoints", "points": 4}).save(tmp_path / "a.npz")
    with pytest.raises(EvaluationError, match=r"landmarks \[T, 4, 2 or more\], as the motion has"):
        evaluate(tmp_path, corpus, baselines=["ground-truth"])


def test_the_same_evaluation_again_finds_its_report(corpus: Path, tmp_path: Path) -> None:
    """As after a kill when the report has just appeared; any other evaluation is refused before it measures."""
    motions, output = tmp_path / "motions", tmp_path / "report"
    motions.mkdir()
    clips = [entry.read() for entry in open_corpus(corpus).entries if entry.split == "train"]
    spec = {"type": "landmarks68", "dims": clips[0].landmarks.shape[-1]}
    for clip in clips:
        hm.Motion(clip.landmarks, clip.fps, spec, reference=clip.landmarks[0]).save(motions / f"{clip.id}.npz")

    def run(**choices: Any) -> Report:
        given = {"split": "train", "metrics": ["lmd"], "baselines": []} | choices
        return evaluate(motions, corpus, output, **given)

    first = run()
    before = {path: path.stat().st_mtime_ns for path in output.iterdir()}
    assert run() == first
    with pytest.raises(EvaluationError, match="a new or empty folder"):
        run(seed=1)
    hm.Motion(clips[0].landmarks + 1, 25, spec, reference=clips[0].landmarks[0]).save(motions / f"{clips[0].id}.npz")
    with pytest.raises(EvaluationError, match=r"same call has made, got .*, which has other values"):
        run()
    assert {path: path.stat().st_mtime_ns for path in output.iterdir()} == before
    (output / "report.html").unlink()
    with pytest.raises(EvaluationError, match="a new or empty folder"):
        run()


def test_an_invalid_report_is_refused(report: Report, tmp_path: Path) -> None:
    stored = json.loads(report.text())
    for name, text, message in [
        ("empty", "", "an empty file"),
        ("newer", json.dumps(stored | {"format": 2}), "update headmotion"),
        ("other", json.dumps({"format": 1}), "expected the field 'headmotion', got none"),
        ("nan", report.text().replace('"seed": 0', '"seed": NaN'), "seed"),
    ]:
        (tmp_path / name).write_text(text)
        with pytest.raises(EvaluationError, match=message):
            Report.load(tmp_path / name)
    with pytest.raises(EvaluationError, match="No such file"):
        Report.load(tmp_path / "missing")


def test_one_silent_clip_of_a_still_face_gives_values_notes_or_reasons(tmp_path: Path) -> None:
    neutral = 200 * hm.PipelineSpec().representation.build().neutral().numpy()
    still = np.repeat(neutral[None], 60, axis=0).astype(np.float32)
    write_corpus(tmp_path / "corpus", [Clip("a", "a", "val", still, np.zeros(60 * 640, np.float32))])
    (tmp_path / "motions").mkdir()
    hm.Motion(still, 25).save(tmp_path / "motions" / "a.npz")
    output = tmp_path / "report"
    evaluate(tmp_path / "motions", tmp_path / "corpus", output)
    evaluated = Report.load(output)
    assert "NaN" not in (output / "report.json").read_text("utf-8") and (output / "report.html").exists()
    motions = {name: measured.results["motions"] for name, measured in evaluated.metrics.items()}
    assert motions["lmd"].values["lmd_px"].value == motions["jitter"].values["jitter_scale"].value == 0
    assert motions["opening"].values == {} and "the real mouth does not move in any clip" in motions["opening"].notes
    assert "jitter_ratio: the real motion does not move" in motions["jitter"].notes
    assert "no clip has both onsets and motion beats" in motions["beat"].notes
    (skipped,) = evaluated.metrics["lmd"].results["nearest-audio"].skipped
    assert "another training clip" in skipped.reason


def test_a_folder_that_animate_has_filled_can_be_evaluated(corpus: Path, tmp_path: Path) -> None:
    for clip in open_corpus(corpus).select("val"):
        hm.Motion(clip.landmarks[..., :2], clip.fps, hm.PipelineSpec().representation).save(tmp_path / f"{clip.id}.npz")
    records = tmp_path / ".headmotion-records" / "05"
    records.mkdir(parents=True)
    (records / "05b0.json").write_text('{"output": "a.npz"}')
    (tmp_path / "report.csv").write_text("job,status\n")
    report = evaluate(tmp_path, corpus, metrics=["lmd"], baselines=[])
    assert report.metrics["lmd"].results["motions"].values["lmd_px"].value == 0


def test_the_folder_of_a_run_is_not_taken_for_motions(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text("{}")
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(EvaluationError, match=r"the folder of a training run; give .*model\.safetensors$"):
        evaluate(tmp_path, corpus)


def test_a_corpus_without_the_split_says_how_to_make_one(model: Path, tmp_path: Path) -> None:
    write_synthetic(tmp_path / "corpus", clips=1, seconds=2.2)
    with pytest.raises(EvaluationError, match=r"--split, or prepare with a larger share of speakers .* \(--val\)$"):
        evaluate(model, tmp_path / "corpus")


def test_a_report_has_one_writer(corpus: Path, model: Path, tmp_path: Path) -> None:
    expected = rf"output: expected .*report, which process {os.getpid()} on .* is writing"
    with claimed_output(tmp_path / "report"), pytest.raises(HeadmotionError, match=expected):
        evaluate(model, corpus, tmp_path / "report", device="cpu")
    with claimed_output(tmp_path / "page.html"), pytest.raises(HeadmotionError, match="html, which process"):
        inspect_corpus(corpus, tmp_path / "page.html")
    assert not list(tmp_path.iterdir())
