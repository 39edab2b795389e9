"""The report on one run for programs: JSON with everything, and tables of its scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import get_language

from detection.fusion import deciding_person
from detection.inference.weights import sha256_of
from detection.records import codec
from detection.records.files import within
from detection.records.schema import Analysis, PersonScore, RunRecord, Thresholds
from detection.web import facts, words
from detection.web.reports.subject import Subject

FORMAT = 1  # of the JSON report; a change that breaks readers raises it
TOGETHER = "all"  # in the column of modules: what they say together

SCORE_COLUMNS = (
    *("run", "video", "sha256", "person", "module", "score", "verdict", "reason", "real_below", "fake_from"),
    *("frames", "first_seen_s", "last_seen_s", "decides"),
)
FRAME_COLUMNS = ("run", "module", "person", "frame", "time_s", "score", "verdict")
Row = tuple[Any, ...]


def json_report(subject: Subject, made_at: datetime) -> bytes:
    """The record with the words of its verdict, and the hash of every picture as it is on the disk now."""
    record, analysis = subject.record, subject.analysis
    said = words.VERDICTS[analysis.verdict]
    reason = words.REASONS[analysis.reason] if analysis.reason else None
    return codec.to_json(
        {
            "report": {
                "format": FORMAT,
                "made_at": made_at.astimezone(UTC).isoformat(timespec="seconds"),
                "language": get_language(),
                "program": f"Face Check {analysis.versions.get('program', '')}".strip(),
            },
            "verdict": {
                "verdict": analysis.verdict,
                "score": analysis.score,
                "headline": str(said.headline),
                "meaning": str(said.meaning),
                "reason": analysis.reason,
                "reason_words": f"{reason.title} {reason.advice}" if reason else None,
            },
            "file": {"name": record.video_name, "sha256": record.sha256},
            "thresholds": _thresholds(analysis),
            "versions": analysis.versions,
            "limits": facts.limits(analysis),
            "pictures": list(_pictures(subject)),
            "record": record,
        }
    )


def _thresholds(analysis: Analysis) -> dict[str, Thresholds | None]:
    return {TOGETHER: analysis.thresholds} | {key: outcome.thresholds for key, outcome in analysis.modules.items()}


def _pictures(subject: Subject) -> Iterator[dict[str, Any]]:
    """Each picture once, with its hash: None where it is not there any more."""
    kinds = {each.path: each for outcome in subject.analysis.modules.values() for each in outcome.evidence}
    for path, evidence in sorted(kinds.items()):
        file = within(subject.folder, path)
        yield {
            "path": path,
            "kind": evidence.kind,
            "person": evidence.person,
            "time_s": evidence.time_s,
            "sha256": sha256_of(file) if file and file.is_file() else None,
        }


def score_rows(record: RunRecord, analysis: Analysis) -> Iterator[Row]:
    """Of each person what all modules say together, then what each says; one row of a video in which nobody is."""
    head = (record.id, record.video_name, record.sha256)
    if not analysis.people:
        said = _said(TOGETHER, analysis.score, analysis.verdict, analysis.reason, analysis.thresholds)
        yield (*head, None, *said, 0, None, None, None)
    decides = deciding_person(analysis)
    for person in analysis.people:
        seen = (person.spans[0].start_s, person.spans[-1].end_s) if person.spans else (None, None)
        said = _said(TOGETHER, person.score, person.verdict, person.reason, person.thresholds or analysis.thresholds)
        yield (*head, person.id, *said, person.frames, *seen, person is decides)
        for key, outcome in analysis.modules.items():
            own = next((each for each in outcome.people if each.id == person.id), None)
            own = own or PersonScore(person.id, None, "no_result", 0, outcome.reason)
            said = _said(key, own.score, own.verdict, own.reason, outcome.thresholds)
            yield (*head, person.id, *said, own.frames, *seen, None)


def _said(module: str, score: float | None, verdict: str, reason: Any, limits: Thresholds | None) -> Row:
    bounds = (limits.real_below, limits.fake_from) if limits else (None, None)
    return (module, score, verdict, reason.value if reason else None, *bounds)


def frame_rows(record: RunRecord, analysis: Analysis) -> Iterable[Row]:
    """Every score of a frame, by module, person and time."""
    for key, outcome in analysis.modules.items():
        for point in sorted(outcome.timeline, key=lambda point: (point.person, point.time_s)):
            verdict = outcome.thresholds.verdict(point.score) if outcome.thresholds else None
            yield (record.id, key, point.person, point.frame_index, round(point.time_s, 3), point.score, verdict)
