"""How `manage.py detect` shows what it does and what came out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, TextIO

from detection.management.detecting import Detection
from detection.records.schema import Analysis, ModuleOutcome, PersonOutcome

REDRAW_S = 0.1
LINE_EVERY_S = 5.0  # where the line cannot be redrawn, in a log
RATE_KNOWN_AFTER_S = 1.0


class ProgressLine:
    """One line on a terminal, redrawn; elsewhere a line every few seconds. The numbers are the pipeline's."""

    def __init__(self, out: TextIO, label: str) -> None:
        self._out = out
        self._label = label
        self._redraws = out.isatty()
        self._stage: str | None = None
        self._began_s = self._drawn_s = time.monotonic()

    def __call__(self, stage: str, done: int, total: int) -> None:
        now_s = time.monotonic()
        is_new = stage != self._stage
        if is_new:
            self._stage, self._began_s = stage, now_s
        if now_s - self._drawn_s < (REDRAW_S if self._redraws else LINE_EVERY_S) and not (is_new and self._redraws):
            return
        self._drawn_s = now_s
        text = f"{self._label}  {stage} {done}/{total}"
        elapsed_s = now_s - self._began_s
        if done and total and elapsed_s > RATE_KNOWN_AFTER_S:
            text += f"  {100 * done / total:.0f} %  {elapsed_s / done * (total - done):.0f} s left"
        self._out.write(f"\r\x1b[K{text}" if self._redraws else f"{text}\n")
        self._out.flush()

    def clear(self) -> None:
        """Leave the terminal's line free for what comes next."""
        if self._redraws:
            self._out.write("\r\x1b[K")
            self._out.flush()


def as_json(detection: Detection) -> dict[str, Any]:
    """The object that `--json` prints; scripts rely on its keys and their order."""
    analysis = detection.analysis
    return {
        "video": detection.video,
        "sha256": detection.sha256,
        "verdict": analysis.verdict if analysis else "no_result",
        "score": analysis.score if analysis else None,
        "reason": analysis.reason if analysis else detection.reason,
        "modules": {key: _module(outcome) for key, outcome in analysis.modules.items()} if analysis else {},
        "people": [_person(person) for person in analysis.people] if analysis else [],
        "duration_s": analysis.duration_s if analysis else None,
        "seconds": analysis.seconds if analysis else None,
        "versions": analysis.versions if analysis else {},
    }


def _module(outcome: ModuleOutcome) -> dict[str, Any]:
    """A module without a result also says why."""
    shown: dict[str, Any] = {"score": outcome.score, "verdict": outcome.verdict}
    return shown if outcome.reason is None else {**shown, "reason": outcome.reason}


def _person(person: PersonOutcome) -> dict[str, Any]:
    return {"id": person.id, "score": person.score, "verdict": person.verdict, "frames": person.frames}


class Table:
    """A row per video, for people. Columns are as wide as the names that will come."""

    def __init__(self, out: TextIO, names: Sequence[str]) -> None:
        self._out = out
        self._width = max((len(name) for name in names), default=0)
        self._print("video", "verdict", "score", "people", "length", "took", "")

    def row(self, detection: Detection) -> None:
        analysis = detection.analysis
        if analysis is None:
            self._print(detection.video, "no result", "–", "–", "–", "–", detection.problem or "")
            return
        self._print(
            detection.video,
            analysis.verdict.replace("_", " "),
            _score(analysis.score),
            str(len(analysis.people)),
            f"{analysis.duration_s:.1f} s" if analysis.duration_s is not None else "–",
            f"{analysis.seconds:.1f} s",
            _remark(analysis),
        )

    def _print(self, *cells: str) -> None:
        name, verdict, score, people, length, took, remark = cells
        row = f"{name:{self._width}}  {verdict:9}  {score:>5}  {people:>6}  {length:>9}  {took:>8}  {remark}"
        self._out.write(row.rstrip() + "\n")
        self._out.flush()


def _score(score: float | None) -> str:
    return "–" if score is None else f"{score:.2f}"


def _remark(analysis: Analysis) -> str:
    if analysis.score is None:
        return analysis.detail or (analysis.reason or "").replace("_", " ")
    return ", ".join(f"{key} {_score(outcome.score)}" for key, outcome in analysis.modules.items())
