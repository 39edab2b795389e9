"""What a report is on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from detection.records.schema import Analysis, RunRecord


@dataclass(frozen=True)
class Subject:
    """A finished run, and the folder that its pictures lie in."""

    record: RunRecord
    analysis: Analysis
    folder: Path
