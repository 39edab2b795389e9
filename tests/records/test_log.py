from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from detection.records import lifecycle, log, query, store
from detection.records.rebuild import rebuild_log
from detection.records.schema import RunState
from tests.records import make

ROOT = Path(__file__).resolve().parents[2]

APPENDS = """
    import sys
    from pathlib import Path
    from detection.records.schema import RunState
    from detection.records import store
    from tests.records import make
    root, writer = Path(sys.argv[1]), sys.argv[2]
    for number in range(25):
        make.finished_run(root, f"{writer}-{number}-{'x' * 200}.mp4", modules=("space", "feature"))
"""


def lines(root: Path, module: str = "space") -> list[bytes]:
    return log.log_path(root, module).read_bytes().splitlines()


def test_several_processes_append_without_mixing_their_lines(tmp_path: Path) -> None:
    code = textwrap.dedent(APPENDS)
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(n)], cwd=ROOT) for n in range(4)]
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    for module in ("space", "feature"):
        assert len({json.loads(line)["run"] for line in lines(tmp_path, module)}) == 100
    history = query.History(tmp_path)
    assert history.page().total == 100
    assert history.problems() == ()


def test_a_torn_line_costs_itself_alone(tmp_path: Path) -> None:
    history = query.History(tmp_path)
    first, second = make.finished_run(tmp_path, "a.mp4"), make.finished_run(tmp_path, "b.mp4")
    path = log.log_path(tmp_path, "space")
    path.write_bytes(path.read_bytes()[:-40])  # killed in the middle of the second line
    assert [row.id for row in history.page().rows] == [first.id]
    assert history.problems()[0].unreadable_lines == 1
    third = make.finished_run(tmp_path, "c.mp4")
    assert [row.id for row in history.page().rows] == [third.id, first.id]
    (problem,) = history.problems()
    assert (problem.module, problem.path, problem.unreadable_lines) == ("space", path, 1)
    report = rebuild_log(tmp_path)
    assert (report.runs, report.lines, report.problems) == (3, 3, ())
    assert [row.id for row in history.page().rows] == [third.id, second.id, first.id]
    assert history.problems() == ()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'"text"',
        b"\xff\xfe\x00",
        b'{"run": "../../x", "removed": false}',
        b'{"removed": true}',
    ],
)
def test_a_line_that_is_none_is_counted_and_passed_over(tmp_path: Path, line: bytes) -> None:
    before = make.finished_run(tmp_path, "a.mp4")
    with log.log_path(tmp_path, "space").open("ab") as file:
        file.write(line + b"\n")
    after = make.finished_run(tmp_path, "b.mp4")
    history = query.History(tmp_path)
    assert [row.id for row in history.page().rows] == [after.id, before.id]
    assert sum(problem.unreadable_lines for problem in history.problems()) == (1 if line else 0)


def test_a_value_that_cannot_be_is_counted_and_passed_over(tmp_path: Path) -> None:
    make.finished_run(tmp_path)
    path = log.log_path(tmp_path, "space")
    plain = json.loads(path.read_bytes())
    for change in ({"verdict": "perhaps"}, {"state": "lost"}, {"reason": "because"}, {"video_name": None}):
        with path.open("a") as file:
            file.write(json.dumps({**plain, "run": "20260101-000000000-abcdef", **change}) + "\n")
    history = query.History(tmp_path)
    assert (history.page().total, history.problems()[0].unreadable_lines) == (1, 4)


def test_rebuilding_leaves_out_what_is_not_finished_and_names_what_is_damaged(tmp_path: Path) -> None:
    kept = make.finished_run(tmp_path, "a.mp4", modules=("space", "blend"))
    make.queued_run(tmp_path, "b.mp4")
    damaged = make.finished_run(tmp_path, "c.mp4")
    (store.run_dir(tmp_path, damaged.id) / lifecycle.RECORD).write_text("{")
    for path in (tmp_path / "log").glob("*.jsonl"):
        path.unlink()
    report = rebuild_log(tmp_path)
    assert (report.runs, report.lines) == (1, 2)
    assert damaged.id in report.problems[0]
    assert [row.id for row in query.History(tmp_path).page().rows] == [kept.id]


def test_rebuilding_forgets_a_module_whose_runs_are_gone(tmp_path: Path) -> None:
    history = query.History(tmp_path)
    record = make.finished_run(tmp_path, modules=("space", "feature"))
    assert set(history.page().rows[0].modules) == {"space", "feature"}
    log.remove(tmp_path, record.id, ["feature"])
    assert set(history.page().rows[0].modules) == {"space"}


def test_a_failed_run_is_logged_with_its_error(tmp_path: Path) -> None:
    record = make.queued_run(tmp_path)
    store.finish_run(tmp_path, record.id, RunState.FAILED, error="The worker died.")
    (row,) = query.History(tmp_path).page().rows
    assert (row.state, row.error, row.verdict, row.score) == (RunState.FAILED, "The worker died.", "no_result", None)


def test_a_line_that_a_crash_tore_is_written_again_and_leaves_no_trace(tmp_path: Path) -> None:
    first = make.finished_run(tmp_path, "a.mp4")
    torn = make.finished_run(tmp_path, "b.mp4")
    path = log.log_path(tmp_path, "space")
    path.write_bytes(path.read_bytes()[:-40])
    (tmp_path / "runs" / ".active" / torn.id).touch()  # as it is until the line is on the disk
    another = make.finished_run(tmp_path, "c.mp4")  # somebody else writes first
    store.finish_run(tmp_path, torn.id, torn.state)  # what recovery does with a run that has ended and is marked
    history = query.History(tmp_path)
    assert [row.id for row in history.page().rows] == [another.id, torn.id, first.id]
    assert history.problems() == ()
    assert len(lines(tmp_path)) == 3
