from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from detection.records import log, query, store, trash
from detection.records.orders import SORTS, Order
from detection.records.query import Filter
from detection.records.rebuild import rebuild_log
from detection.records.rows import HistoryRow
from detection.records.schema import Reason
from tests.records import make

ORDERS = [Order(sort.removeprefix("-"), sort.startswith("-")) for sort in SORTS]
ORDERS += [Order("score", descending, "feature") for descending in (False, True)]


def finished(root: Path, name: str, score: float | None, duration_s: float | None, modules: tuple[str, ...]) -> str:
    record = make.finished_run(root, name, score, modules, None if score is not None else Reason.NO_FACE)
    analysis = replace(record.analysis, duration_s=duration_s)
    store.save_run(root, replace(record, analysis=analysis))
    log.append(root, log.entries_of(replace(record, analysis=analysis)))
    return record.id


def plainly_sorted(rows: list[HistoryRow], order: Order) -> list[HistoryRow]:
    """What `Sorted` does, the slow way."""

    def key(row: HistoryRow) -> object:
        if order.by == "score" and order.module:
            return row.modules[order.module].score if order.module in row.modules else None
        return {"date": row.id, "name": row.search, "score": row.score, "duration": row.duration_s}[order.by]

    having = sorted((row for row in rows if key(row) is not None), key=lambda row: (key(row), row.id))
    lacking = sorted((row for row in rows if key(row) is None), key=lambda row: row.id, reverse=True)
    return (having[::-1] if order.descending else having) + lacking


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_an_order_stays_right_as_runs_come_and_go(tmp_path: Path, order: Order) -> None:
    draw = random.Random(7)
    history = query.History(tmp_path)
    alive: list[str] = []
    for number in range(40):
        if alive and draw.random() < 0.3:
            trash.delete_run(tmp_path, alive.pop(draw.randrange(len(alive))))
        else:
            score = None if draw.random() < 0.2 else draw.choice([0.1, 0.5, 0.9])
            modules = draw.choice([("space",), ("space", "feature")])
            alive.append(finished(tmp_path, f"{draw.randrange(9)}.mp4", score, draw.choice([None, 3.0, 4.0]), modules))
        if number % 4 == 0:
            rows = history.page(order=order, limit=100).rows
            assert sorted(row.id for row in rows) == sorted(alive)
            assert list(rows) == plainly_sorted(list(rows), order)
    rebuild_log(tmp_path)
    assert list(history.page(order=order, limit=100).rows) == plainly_sorted(list(rows := history.page().rows), order)
    assert len(rows) == len(alive)


def test_scores_are_filtered_by_the_module_that_is_asked_for(tmp_path: Path) -> None:
    low, high = make.finished_run(tmp_path, "low.mp4", 0.2), make.finished_run(tmp_path, "high.mp4", 0.8)
    make.finished_run(tmp_path, "none.mp4", None, reason=Reason.NO_FACE)
    history = query.History(tmp_path)

    def ids(where: Filter) -> list[str]:
        return [row.id for row in history.page(where).rows]

    assert ids(Filter(score_from=0.0)) == [high.id, low.id]
    assert ids(Filter(score_from=0.8)) == [high.id]
    assert ids(Filter(score_below=0.8)) == [low.id]
    assert ids(Filter(module="space", score_from=0.5, score_below=0.9)) == [high.id]
    assert ids(Filter(module="feature", score_from=0.0)) == []
