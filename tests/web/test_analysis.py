"""`/analysis/`: the history in figures."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from detection.records import log, store
from detection.records.schema import Reason, RunState
from detection.records.uploads import Upload
from detection.web.analysis_pages import MOST_BARS, _bars
from tests.records import make
from tests.web import samples


@pytest.fixture
def filled(media: Path, upload: Upload) -> date:
    """A fake of today by two modules, a clip without a face, a failed run, and a genuine clip of 40 days ago."""
    samples.finished_run(media, upload, scores=(0.93,), modules=("space", "feature"))
    samples.finished_run(media, upload, reason=Reason.NO_FACE)
    samples.failed_run(media, upload)
    today = datetime.now(UTC)
    long_ago = store.create_run(media, upload, ["space"])
    created = (today - timedelta(days=40)).isoformat(timespec="milliseconds")
    store.update_run(media, long_ago.id, lambda run: replace(run, created_at=created))
    store.finish_run(media, long_ago.id, RunState.DONE, analysis=make.analysis(0.12, ("space",)))
    return today.date()


def figures(page: str, heading: str) -> dict[str, list[int]]:
    """The rows of the table that `heading` names."""
    body = page[page.index(f'aria-labelledby="{heading}"><table') :]
    body = body[: body.index("</table>")]
    rows = re.findall(r'<th scope="row"[^>]*>(.*?)</th>(.*?)</tr>', body)
    return {name: [int(number) for number in re.findall(r">(\d+)</td>", cells)] for name, cells in rows}


def read(client: Client, query: str = "") -> tuple[str, Any]:
    response = client.get(f"/analysis/{query}")
    assert response.status_code == 200
    return response.content.decode(), response.context


def test_every_run_counts_as_a_whole_and_for_its_modules(client: Client, filled: date) -> None:
    page, context = read(client)
    assert figures(page, "by-module") == {
        "Verdict of the run": [3, 1, 1, 0, 1], "Space": [3, 1, 1, 0, 1], "Feature": [1, 1, 0, 0, 0],
    }  # fmt: skip
    assert figures(page, "reasons-heading") == {"No face was found.": [1, 1, 0]}
    by_score = figures(page, "scores-heading")
    assert (len(by_score), by_score["10\u00a0%"], by_score["90\u00a0%"]) == (20, [1, 1, 0], [1, 1, 1])
    by_day = figures(page, "days-heading")
    assert len(by_day) == 41  # gaps included
    assert by_day[filled.isoformat()] == [1, 0, 0, 1]
    assert context["chart"]["scores"][2] == (0,) * 18 + (1, 0)
    assert "The worker was killed (signal …)." in page


def test_a_module_and_a_period_narrow_everything(client: Client, filled: date) -> None:
    page, _ = read(client, "?module=feature")
    assert figures(page, "by-module") == {"Feature": [1, 1, 0, 0, 0]}
    assert "What made runs fail" not in page
    page, _ = read(client, f"?since={filled - timedelta(days=29)}")
    assert figures(page, "by-module")["Space"] == [2, 1, 0, 0, 1]
    assert 'aria-current="true">Last 30 days' in page
    page, _ = read(client, f"?until={filled - timedelta(days=30)}")
    assert figures(page, "by-module") == {"Verdict of the run": [1, 0, 1, 0, 0], "Space": [1, 0, 1, 0, 0]}
    assert "Nothing matches." in read(client, "?module=blend")[0]
    assert client.get("/analysis/?since=yesterday").status_code == 400


def test_statistics_of_nothing_say_so(client: Client) -> None:
    assert "There is nothing to count yet." in read(client)[0]


@pytest.mark.parametrize(
    ("days", "bars", "first"),
    [
        (MOST_BARS, MOST_BARS, "2024-01-03"),
        (MOST_BARS + 1, 14, "2024-01-01 …"),
        (7 * MOST_BARS, MOST_BARS + 1, "2024-01-01 …"),
        (3 * 366, 37, "2024-01"),
    ],
)
def test_a_long_time_is_shown_by_week_and_month(days: int, bars: int, first: str) -> None:
    start = date(2024, 1, 3)
    counted = {(start + timedelta(number)).isoformat(): {"fake": 1, "real": 2} for number in range(days)}
    made = list(_bars(counted))
    assert (len(made), made[0].label) == (bars, first)
    assert [sum(bar.verdicts[index] for bar in made) for index in range(4)] == [days, 2 * days, 0, 0]


def test_a_module_that_is_gone_is_left_out(client: Client, media: Path, filled: date) -> None:
    log.log_path(media, "nose").write_bytes(log.log_path(media, "feature").read_bytes())
    assert "nose" not in figures(read(client)[0], "by-module")
