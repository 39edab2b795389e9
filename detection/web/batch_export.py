"""The results of a batch to take away: a table, and everything as JSON. Both are read from the records of its runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from detection.jobs.batches import Batch
from detection.records import codec, store
from detection.records.schema import Analysis, RunRecord
from detection.web import words
from detection.web.batch_rows import totals
from detection.web.module_pages import in_order

FORMAT = 1  # of the JSON; a change that breaks readers raises it
Row = tuple[Any, ...]


def columns(modules: Iterable[str]) -> tuple[str, ...]:
    return (
        *("run", "video", "sha256", "state", "verdict", "score", "reason", "real_below", "fake_from"),
        *(f"{key}_{what}" for key in modules for what in ("score", "verdict", "reason")),
        *("people", "length_s", "analysis_s", "created_at", "finished_at", "error", "program"),
    )


def records(batch: Batch) -> Iterator[RunRecord]:
    """In the order in which they were started; one that was deleted meanwhile, or is damaged, is left out."""
    for run_id in sorted([run.id for run in batch.active] + [row.id for row in batch.finished]):
        try:
            yield store.load_run(Path(settings.MEDIA_ROOT), run_id)
        except (store.RunNotFound, codec.RecordError):
            continue


def modules_of(batch: Batch) -> list[str]:
    """The keys of all modules that some run was started with, in the registry's order: the head of a table that was
    drawn while runs were waiting must fit the rows that are drawn when the last has ended.
    """
    started = [run.modules for run in batch.active] + [tuple(row.modules) for row in batch.finished]
    return in_order(key for keys in started for key in keys)


def csv_rows(batch: Batch, modules: Iterable[str]) -> Iterator[Row]:
    keys = tuple(modules)
    for record in records(batch):
        yield _row(record, record.analysis, keys)


def _row(record: RunRecord, analysis: Analysis | None, modules: tuple[str, ...]) -> Row:
    said: list[Any] = []
    for key in modules:
        outcome = analysis.modules.get(key) if analysis else None
        said += [outcome.score, outcome.verdict, _plain(outcome.reason)] if outcome else [None, None, None]
    limits = analysis.thresholds if analysis else None
    return (
        *(record.id, record.video_name, record.sha256, record.state.value),
        *((analysis.verdict, analysis.score, _plain(analysis.reason)) if analysis else (None, None, None)),
        *((limits.real_below, limits.fake_from) if limits else (None, None)),
        *said,
        len(analysis.people) if analysis else None,
        *((analysis.duration_s, analysis.seconds) if analysis else (None, None)),
        *(record.created_at, record.finished_at, record.error),
        analysis.versions.get("program") if analysis else None,
    )


def _plain(reason: Any) -> str | None:
    return reason.value if reason else None


def json_bytes(batch: Batch, made_at: str) -> bytes:
    return codec.to_json(
        {
            "batch": {"format": FORMAT, "id": batch.id, "started_at": batch.started_at, "made_at": made_at},
            "totals": totals(batch),
            "limits": [str(limit) for limit in words.LIMITS],
            "runs": list(records(batch)),
        }
    )
