"""What an evaluation found, as JSON that can be read again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..core.errors import EvaluationError, first_problem
from ..core.files import atomic_output, write_text

FORMAT: Literal[1] = 1
"""The newest format that this version reads, and the one it writes."""
JSON, HTML = "report.json", "report.html"
MAX_BYTES = 1 << 28


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class Value(_Stored):
    """A figure with its 95 % interval."""

    value: float
    """The value over all clips."""
    low: float | None = None
    """None: no interval can be told."""
    high: float | None = None
    """Upper end of the 95 % interval; None without one."""


class Skipped(_Stored):
    """A clip that was not measured."""

    clip: str
    """Id of the clip."""
    reason: str
    """Why it was not measured."""


class Result(_Stored):
    """What a metric says of one source."""

    n: int = Field(ge=0)
    """Clips that were measured."""
    values: dict[str, Value] = {}
    """Values by name."""
    clips: dict[str, dict[str, float]] = {}
    """Figures of each clip by its id, of metrics whose figures are means over clips."""
    notes: tuple[str, ...] = ()
    """Remarks of the metric on these values."""
    skipped: tuple[Skipped, ...] = ()
    """Clips that could not be measured."""
    left_out: str = ""
    """Why none was measured."""


class Measured(_Stored):
    """A metric, and what it says of each source."""

    spec: dict[str, Any]
    """Spec of the metric as JSON values."""
    protocol: dict[str, Any]
    """All that two reports must share for the metric to be comparable."""
    better: dict[str, Literal["lower", "higher"]] = {}
    """Which end is good, of those figures that have a good end."""
    results: dict[str, Result]
    """By source: ``model`` or ``motions``, and baselines."""


class Data(_Stored):
    """The clips."""

    corpus: str
    """Folder."""
    index_sha256: str
    """Of the corpus's index."""
    split: str
    """Split of the corpus that was evaluated."""
    clips: int
    """Clips that were to be evaluated."""
    ids_sha256: str
    """Of their ids, one a line."""
    damaged: tuple[Skipped, ...] = ()
    """Clips of the corpus that cannot be used."""


class Report(_Stored):
    """An evaluation."""

    format: Literal[1] = FORMAT
    """Version of the file format."""
    headmotion: str
    """Version."""
    command: str
    """The command that does the same."""
    subject: dict[str, Any]
    """What was evaluated: ``kind`` (``model`` or ``motions``), name, digests."""
    data: Data
    """The clips that were evaluated."""
    seed: int
    """Seed of the first clip."""
    seeds: int
    """Motions per clip, for metrics that compare them."""
    metrics: dict[str, Measured]
    """Results by metric."""
    metrics_left_out: dict[str, str] = {}
    """Metrics of the default list that the representation does not allow, with the reason."""
    baselines: dict[str, dict[str, Any]]
    """How each was made."""
    baselines_left_out: dict[str, str] = {}
    """Reasons by baseline."""

    @property
    def main(self) -> str:
        """The name of what was evaluated among the sources."""
        return str(self.subject["kind"])

    def text(self) -> str:
        """The same values as the same JSON, always; no number in it is NaN or infinite."""
        return json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True, allow_nan=False) + "\n"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the JSON file; it appears whole or not at all."""
        with atomic_output(path) as temporary:
            write_text(temporary, self.text())
        return Path(path)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Report:
        """Read a report: its JSON file, or the folder that holds it.

        Raises:
            EvaluationError: no report, damaged, or of a newer format.
        """
        source = Path(path)
        source = source / JSON if source.is_dir() else source
        try:
            if source.stat().st_size > MAX_BYTES:
                raise ValueError("too large")
            stored = json.loads(source.read_text("utf-8"))
            written = stored["format"]
            if isinstance(written, int) and written > FORMAT:
                got = f"{source} of format {written}"
                raise EvaluationError("report", f"format {FORMAT} or older", got, "update headmotion")
            return Report.model_validate(stored)
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            reason = first_problem(error) if isinstance(error, ValidationError) else f"{type(error).__name__}: {error}"
            got = f"{source} ({reason[:120]})"
            raise EvaluationError("report", f"a {JSON} that headmotion wrote, or its folder", got) from None
