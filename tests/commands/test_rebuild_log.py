from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

from detection.records import lifecycle, log, query, store
from tests.records import make


def test_it_says_what_it_did_and_what_it_left_out(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    kept, damaged = make.finished_run(tmp_path, "a.mp4"), make.finished_run(tmp_path, "b.mp4")
    log.log_path(tmp_path, "space").write_text("rubbish\n")
    record = store.run_dir(tmp_path, damaged.id) / lifecycle.RECORD
    record.write_text("{")
    out, errors = StringIO(), StringIO()
    call_command("rebuild_log", stdout=out, stderr=errors)
    assert out.getvalue() == "1 finished runs, 1 lines.\n"
    assert f"Left out: {record} cannot be read" in errors.getvalue()
    assert [row.id for row in query.History(tmp_path).page().rows] == [kept.id]
