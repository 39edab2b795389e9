from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import cv2
import pytest

from detection.management.reports import ProgressLine
from detection.records import query, store, uploads
from detection.records.schema import Reason, RunState
from tests.clips import write_astronaut, write_noise, write_sound
from tests.jobs.server import ROOT, environment, wait_for
from tests.vision import clips as clips_of

KEYS = ["video", "sha256", "verdict", "score", "reason", "modules", "people", "duration_s", "seconds", "versions"]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a video that has a face, and one of each kind that gives no result."""
    folder = tmp_path_factory.mktemp("clips")
    face = write_astronaut(folder / "face.mp4", frames=20)
    write_noise(folder / "noise.mp4")
    write_noise(folder / "tiny.avi", size=(1, 1))
    write_sound(folder / "sound.mp4")
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("This is a text.\n" * 50)
    (folder / "truncated.mp4").write_bytes(face.read_bytes()[: face.stat().st_size // 2])
    (folder / "notes.txt").write_text("Not a video, and not called one.")
    return folder


def command(media: Path, *words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "detect", *map(str, words)],
        cwd=ROOT,
        env=environment(media, **more),
        capture_output=True,
        text=True,
        check=False,
    )


def objects(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_result_has_the_documented_keys_and_enters_the_history(tmp_path: Path, clips: Path) -> None:
    done = command(tmp_path, clips / "face.mp4", "--module", "slow", "--json")
    assert done.returncode == 0, done.stderr
    (result,) = objects(done)
    assert list(result) == KEYS
    assert result["video"] == str(clips / "face.mp4")
    assert (result["verdict"], result["score"], result["reason"]) == ("fake", 0.9, None)
    assert result["modules"] == {"slow": {"score": 0.9, "verdict": "fake"}}
    (person,) = result["people"]
    assert list(person) == ["id", "score", "verdict", "frames"]
    assert result["duration_s"] == pytest.approx(0.8, abs=0.1)
    assert result["seconds"] > 1.0  # as long as the double takes
    assert result["versions"]["program"]
    (row,) = query.History(tmp_path).page().rows
    assert (row.state, row.video_name, row.sha256, row.score) == (RunState.DONE, "face.mp4", result["sha256"], 0.9)
    record = store.load_run(tmp_path, row.id)
    assert record.video is not None
    assert (record.video.width, record.video.name) == (448, "face.mp4")
    assert (tmp_path / record.upload).read_bytes() == (clips / "face.mp4").read_bytes()
    assert record.analysis is not None
    for evidence in record.analysis.modules["slow"].evidence:
        assert (store.run_dir(tmp_path, row.id) / evidence.path).is_file()
    assert store.active_ids(tmp_path) == []


def test_every_video_is_analysed_and_the_bad_ones_have_their_reason(tmp_path: Path, clips: Path) -> None:
    done = command(tmp_path, clips, tmp_path / "missing.mp4", "--module", "slow", "--json")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert {Path(result["video"]).name: result["reason"] for result in objects(done)} == {
        "face.mp4": None,
        "noise.mp4": "no_face",
        "tiny.avi": "no_face",
        "sound.mp4": "no_video_stream",
        "empty.mp4": "unreadable",
        "text.mp4": "unreadable",
        "truncated.mp4": "unreadable",
        "missing.mp4": "unreadable",
    }
    for result in objects(done):
        assert list(result) == KEYS
        assert (result["score"] is None) == (result["verdict"] == "no_result") == (result["reason"] is not None)
    for name in ("empty.mp4", "text.mp4", "truncated.mp4", "missing.mp4", "sound.mp4"):
        assert f"{clips if name != 'missing.mp4' else tmp_path}/{name}: " in done.stderr
    assert query.History(tmp_path).page().total == 7


def test_the_table_has_a_row_per_video(tmp_path: Path, clips: Path) -> None:
    done = command(tmp_path, clips / "face.mp4", clips / "empty.mp4", "--module", "slow")
    assert done.returncode == 2
    head, face, empty = done.stdout.splitlines()
    assert head.split() == ["video", "verdict", "score", "people", "length", "took"]
    assert face.split()[:4] == [str(clips / "face.mp4"), "fake", "0.90", "1"]
    assert "empty.mp4 is empty" in empty
    assert str(tmp_path) not in empty  # the fault is told of the file as it was named


def test_without_a_record_nothing_is_kept(tmp_path: Path, clips: Path) -> None:
    done = command(tmp_path, clips / "face.mp4", "--module", "slow", "--json", "--no-record")
    assert done.returncode == 0, done.stderr
    assert objects(done)[0]["score"] == 0.9
    assert list(store.run_ids(tmp_path)) == []
    assert uploads.list_uploads(tmp_path) == []


def test_a_module_that_is_not_there_is_the_reason(tmp_path: Path, clips: Path) -> None:
    done = command(tmp_path, clips / "face.mp4", "--module", "absent", "--json")
    (result,) = objects(done)
    assert (done.returncode, result["verdict"], result["reason"]) == (2, "no_result", "module_unavailable")
    unavailable = {"score": None, "verdict": "no_result", "reason": "module_unavailable"}
    assert result["modules"] == {"absent": unavailable}
    both = command(tmp_path, clips / "face.mp4", "--module", "absent", "--module", "slow", "--json")
    assert (both.returncode, objects(both)[0]["verdict"]) == (0, "fake")
    assert objects(both)[0]["modules"]["absent"] == unavailable


def test_a_fault_of_the_program_fails_that_video_alone(tmp_path: Path, clips: Path) -> None:
    shutil.copy(clips / "face.mp4", tmp_path / "again.mp4")
    media = tmp_path / "media"
    done = command(media, clips / "face.mp4", clips / "noise.mp4", "--module", "raising", "--json")
    assert done.returncode == 2
    assert [result["reason"] for result in objects(done)] == ["module_unavailable", "no_face"]
    assert "The analysis failed: the network broke" in done.stderr
    (failed,) = query.History(media).page(query.Filter(state=RunState.FAILED)).rows
    assert failed.error == "The analysis failed: the network broke"


def test_odd_videos_end_in_a_verdict_or_a_reason(tmp_path: Path) -> None:
    (tmp_path / "picture.mp4").write_bytes(cv2.imencode(".png", clips_of.astronaut())[1].tobytes())
    clips_of.write_clip(tmp_path / "two.mp4", list(clips_of.moving_face(2)))
    instants = [n / 1000 for n in range(12)]
    clips_of.write_clip(tmp_path / "instant.mkv", clips_of.moving_face(12), times=instants, codec="mpeg4")
    clips_of.write_clip(tmp_path / "pixel.avi", [clips_of.astronaut()[:1, :1]] * 5, codec="rawvideo", pixels="bgr24")
    done = command(tmp_path / "media", tmp_path, "--module", "slow", "--json")
    assert "Traceback" not in done.stderr
    results = {Path(result["video"]).name: result for result in objects(done)}
    assert {name: result["reason"] for name, result in results.items() if name != "instant.mkv"} == {
        "picture.mp4": "no_video_stream",
        "pixel.avi": "no_face",
        "two.mp4": "too_few_frames",
    }
    assert results["instant.mkv"]["reason"] in (None, "too_few_frames")


@pytest.mark.parametrize("record", [(), ("--no-record",)], ids=["recorded", "unrecorded"])
def test_a_file_that_crashes_the_decoder_costs_itself_alone(
    tmp_path: Path, clips: Path, record: tuple[str, ...]
) -> None:
    shutil.copy(clips / "face.mp4", tmp_path / "poison.mkv")
    media = tmp_path / "media"
    videos = (tmp_path / "poison.mkv", clips / "noise.mp4")
    done = command(media, *videos, "--module", "slow", "--json", *record, TEST_CRASH_WHILE_READING=".mkv")
    assert done.returncode == 2
    assert [result["reason"] for result in objects(done)] == ["unreadable", "no_face"]
    assert "poison.mkv cannot be read: its process ended by SIGSEGV." in done.stderr
    assert "Traceback" not in done.stderr
    if not record:
        (failed,) = query.History(media).page(query.Filter(state=RunState.FAILED)).rows
        assert failed.error is not None
        assert "SIGSEGV" in failed.error
        assert store.active_ids(media) == []


@pytest.mark.parametrize(
    ("module", "words", "limits"),
    [
        ("crashing", "its process ended by SIGSEGV", {}),
        ("greedy", "it took more than 900 MB of memory (DEEPFAKE_MAX_MEMORY_MB)", {"TEST_MAX_MEMORY_MB": "900"}),
    ],
)
def test_a_module_that_dies_or_leaves_the_limits_fails_that_video(
    tmp_path: Path, clips: Path, module: str, words: str, limits: dict[str, str]
) -> None:
    done = command(tmp_path, clips / "face.mp4", clips / "empty.mp4", "--module", module, "--json", **limits)
    assert done.returncode == 2
    assert [result["reason"] for result in objects(done)] == ["module_unavailable", "unreadable"]
    assert f"The analysis failed in {module}: {words}." in done.stderr
    assert "Traceback" not in done.stderr
    assert store.active_ids(tmp_path) == []


def test_an_analysis_that_takes_too_long_is_ended(tmp_path: Path, clips: Path) -> None:
    limit = {"TEST_RUN_TIMEOUT_S": "3"}
    done = command(tmp_path, clips / "face.mp4", clips / "empty.mp4", "--module", "hanging", "--json", **limit)
    assert done.returncode == 2
    assert "it took longer than 3 s (DEEPFAKE_RUN_TIMEOUT_S)" in done.stderr
    assert len(objects(done)) == 2
    assert store.active_ids(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, clips: Path) -> None:
    path = Path(shutil.copy(clips / "face.mp4", tmp_path / "secret.mp4"))
    path.chmod(0)
    done = command(tmp_path / "media", path, "--json")
    assert (done.returncode, objects(done)[0]["reason"]) == (2, "unreadable")
    assert "secret.mp4 cannot be read: Permission denied." in done.stderr


def test_an_empty_folder_and_what_is_no_file_are_named(tmp_path: Path) -> None:
    folder, pipe = tmp_path / "folder", tmp_path / "pipe.mp4"
    folder.mkdir()
    os.mkfifo(pipe)
    done = command(tmp_path / "media", folder, pipe, "--json")
    assert done.returncode == 2
    assert [result["reason"] for result in objects(done)] == [Reason.UNREADABLE] * 2
    assert f"The folder {folder} holds no video." in done.stderr
    assert f"{pipe} is no ordinary file." in done.stderr


def test_media_that_cannot_be_written_end_it_with_the_way_out(tmp_path: Path, clips: Path) -> None:
    (tmp_path / "file").touch()
    done = command(tmp_path / "file" / "media", clips / "face.mp4", "--module", "slow")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "--no-record" in done.stderr


def test_ctrl_c_cancels_the_run(tmp_path: Path, clips: Path) -> None:
    words = [sys.executable, "manage.py", "detect", str(clips / "face.mp4"), "--module", "hanging"]
    process = subprocess.Popen(words, cwd=ROOT, env=environment(tmp_path), stderr=subprocess.PIPE, text=True)
    try:
        wait_for("the analysis", lambda: list(tmp_path.glob("runs/*/plain_frames/*")))
        (run,) = query.active_runs(tmp_path)
        assert run.state is RunState.RUNNING
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert store.load_run(tmp_path, run.id).state is RunState.CANCELLED


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_the_progress_line_shows_what_the_pipeline_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("detection.management.reports.time.monotonic", lambda: clock[0])
    terminal = Terminal()
    line = ProgressLine(terminal, "[1/2] clip.mp4")
    for clock[0], done in ((1.0, 0), (1.01, 5), (3.0, 50)):
        line("decode", done, 200)
    line.clear()
    first, second, cleared = terminal.getvalue().split("\r")[1:]
    assert first.endswith("[1/2] clip.mp4  decode 0/200")
    assert second.endswith("[1/2] clip.mp4  decode 50/200  25 %  6 s left")
    assert cleared == "\x1b[K"


def test_in_a_log_progress_is_a_line_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("detection.management.reports.time.monotonic", lambda: clock[0])
    log = StringIO()
    line = ProgressLine(log, "clip.mp4")
    for second in range(1, 12):
        clock[0] = float(second)
        line("decode", second * 10, 200)
    line.clear()
    assert log.getvalue().splitlines() == [
        "clip.mp4  decode 50/200  25 %  12 s left",
        "clip.mp4  decode 100/200  50 %  9 s left",
    ]
