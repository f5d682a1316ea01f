"""The report of an evaluation, as JSON that can be read back."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..core.arguments import as_path
from ..core.errors import EvaluationError
from ..core.files import atomic_output, read_regular, reason_of, write_text
from ..core.limits import TEXT_BYTES, limit
from ..core.validation import validated

FORMAT: Literal[1] = 1
"""The newest format that this version reads, and the one it writes."""
JSON, HTML = "report.json", "report.html"


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class ReportedValue(_Stored):
    """A value with its 95 % interval."""

    value: float
    """The value over all clips."""
    low: float | None = None
    """Lower end of the 95 % interval; None without one."""
    high: float | None = None
    """Upper end of the 95 % interval; None without one."""


class SkippedClip(_Stored):
    """A clip that was not measured."""

    clip: str
    """Id of the clip."""
    reason: str
    """Why it was not measured."""


class SourceResult(_Stored):
    """The values of one metric for one source."""

    n: int = Field(ge=0)
    """Clips that were measured."""
    values: dict[str, ReportedValue] = {}
    """Values by name."""
    clips: dict[str, dict[str, float]] = {}
    """Values of each clip by its id, for metrics whose values are means over clips."""
    notes: tuple[str, ...] = ()
    """Remarks of the metric on these values."""
    skipped: tuple[SkippedClip, ...] = ()
    """Clips that could not be measured."""
    left_out: str = ""
    """Why no clip was measured."""


class MetricReport(_Stored):
    """A metric, and its values for each source."""

    spec: dict[str, Any]
    """Spec of the metric as JSON values."""
    protocol: dict[str, Any]
    """All that two reports must share for the metric to be comparable."""
    better: dict[str, Literal["lower", "higher"]] = {}
    """Which direction is better, for values that have one."""
    results: dict[str, SourceResult]
    """By source: ``model`` or ``motions``, and baselines."""


class CorpusReport(_Stored):
    """The evaluated clips."""

    corpus: str
    """Folder of the corpus."""
    index_sha256: str
    """SHA-256 of the corpus's index."""
    split: str
    """Split of the corpus that was evaluated."""
    clips: int
    """Clips that were requested."""
    ids_sha256: str
    """SHA-256 of their ids, one per line."""
    damaged: tuple[SkippedClip, ...] = ()
    """Clips of the corpus that cannot be used."""


class Report(_Stored):
    """The report of an evaluation."""

    format: Literal[1] = FORMAT
    """Version of the file format."""
    headmotion: str
    """Version of headmotion."""
    command: str
    """The command that repeats the evaluation."""
    subject: dict[str, Any]
    """What was evaluated: ``kind`` (``model`` or ``motions``), name, digests."""
    data: CorpusReport
    """The clips that were evaluated."""
    seed: int
    """Seed of the first clip."""
    seeds: int
    """Motions per clip, for metrics that compare them."""
    metrics: dict[str, MetricReport]
    """Results by metric."""
    metrics_left_out: dict[str, str] = {}
    """Metrics that the default list leaves out, with the reason."""
    baselines: dict[str, dict[str, Any]]
    """How each was made, by name."""
    baselines_left_out: dict[str, str] = {}
    """Reasons by baseline."""

    @field_validator("subject")
    @classmethod
    def _check_subject(cls, value: dict[str, Any]) -> dict[str, Any]:
        if not all(isinstance(value.get(name), str) for name in ("kind", "name")):
            raise ValueError("the texts kind and name")
        return value

    @model_validator(mode="after")
    def _check_results(self) -> Self:
        if missing := next((name for name, metric in self.metrics.items() if self.main not in metric.results), None):
            raise ValueError(f"results of the subject {self.main!r} in the metric {missing!r}")
        return self

    @property
    def main(self) -> str:
        """Name of the evaluated source among the results."""
        return str(self.subject["kind"])

    def text(self) -> str:
        """Return the report as JSON. Equal reports give the same text, and no number is NaN or infinite."""
        return json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True, allow_nan=False) + "\n"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the JSON file and return its path; it appears whole or not at all."""
        with atomic_output(path) as temporary:
            write_text(temporary, self.text())
        return Path(path)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Report:
        """Read a report.

        Args:
            path: its JSON file, or the folder that holds it.

        Raises:
            EvaluationError: no report, damaged, or of a newer format.
        """
        source = as_path(path, "report", EvaluationError)
        source = source / JSON if source.is_dir() else source
        try:
            stored = json.loads(read_regular(source, limit(TEXT_BYTES)))
            written = stored["format"]
            # Before validation, whose errors would name new fields instead of the version.
            if isinstance(written, int) and written > FORMAT:
                got = f"{source} of format {written}"
                raise EvaluationError("report", f"format {FORMAT} or older", got, "update headmotion")
            return validated(Report, stored, f"report {source}", error=EvaluationError)
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            got = f"{source} ({reason_of(error)})"
            raise EvaluationError("report", f"a {JSON} that headmotion wrote, or its folder", got) from None
