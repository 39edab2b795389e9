"""What a monitor and a person are told of the site: does it answer, can it work, what has it done."""

from __future__ import annotations

import json
import logging
import logging.config
import shutil
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from detection import jobs, logs
from detection.inference import weights
from detection.jobs import presence
from detection.jobs.queue import FileQueue
from detection.records import store, totals
from detection.records.files import locked
from detection.records.schema import RunState
from detection.records.uploads import Upload
from detection.web.access import passphrase, tokens
from tests.web import samples

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def worker(media: Path) -> Iterator[str]:
    """What a worker does to be known."""
    queue = FileQueue(media)
    queue.prepare()
    with locked(queue.lock), presence.announced(media, "this-one", "files", "cpu") as info:
        yield info.name


def readyz(client: Client) -> tuple[int, dict[str, str]]:
    response = client.get("/readyz")
    return response.status_code, response.json()["faults"]


def figures(client: Client) -> dict[tuple[str, tuple[str, ...]], float]:
    text = client.get("/metrics").content.decode()
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_process_that_answers_is_healthy_whatever_else_is_wrong(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"
    assert client.get("/readyz").status_code == 503  # there is no worker


def test_a_site_that_can_work_is_ready(client: Client, worker: str) -> None:
    assert readyz(client) == (200, {})


def test_it_is_not_ready_without_a_worker_and_says_how_to_start_one(client: Client) -> None:
    status, faults = readyz(client)
    assert (status, list(faults)) == (503, ["worker"])
    assert "manage.py worker" in faults["worker"]


def test_it_is_not_ready_when_the_disk_is_nearly_full(
    client: Client, worker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - 2**28, 2**28))
    status, faults = readyz(client)
    assert (status, list(faults)) == (503, ["disk"])
    assert "256 MB" in faults["disk"]
    assert "DEEPFAKE_MIN_FREE_MB" in faults["disk"]


def test_it_is_not_ready_when_media_cannot_be_written(client: Client, media: Path, worker: str) -> None:
    shutil.rmtree(media / "uploads", ignore_errors=True)
    (media / "uploads").write_text("in the way")
    status, faults = readyz(client)
    assert (status, list(faults)) == (503, ["media"])
    assert str(media) in faults["media"]


def test_weights_that_change_while_it_runs_are_noticed(
    client: Client, worker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree(weights.ASSETS, tmp_path / "assets")
    monkeypatch.setattr(weights, "ASSETS", copy)
    monkeypatch.setattr(weights, "MANIFEST", copy / "manifest.json")
    assert readyz(client) == (200, {})
    with (copy / "space.onnx").open("ab") as file:
        file.write(b"more")
    status, faults = readyz(client)
    weights.verified_path.cache_clear()
    assert (status, list(faults)) == (503, ["weights"])
    assert "space.onnx" in faults["weights"]


def test_strangers_learn_that_something_is_wrong_and_not_what(client: Client, settings: Settings) -> None:
    settings.DEEPFAKE_PASSPHRASE_HASH = passphrase.hash_of("four words make one")
    assert client.get("/healthz").status_code == 200
    assert readyz(client) == (503, {"worker": "not in order"})
    assert client.get("/metrics").status_code == 401
    assert client.get("/status/").status_code == 302


def test_a_monitor_needs_a_token_for_the_metrics(client: Client, media: Path, settings: Settings) -> None:
    settings.DEEPFAKE_PASSPHRASE_HASH = passphrase.hash_of("four words make one")
    for scope, status in (("read", 403), ("metrics", 200)):
        secret = tokens.create(media, scope, [scope])
        assert client.get("/metrics", headers={"Authorization": f"Bearer {secret}"}).status_code == status


def test_the_metrics_say_what_waits_and_who_works(client: Client, upload: Upload, worker: str) -> None:
    jobs.start([upload.sha256], ["space"])
    found = figures(client)
    assert found["facecheck_queue_length", ("queued",)] == 1
    assert found["facecheck_queue_length", ("running",)] == 0
    assert found["facecheck_workers", ()] == 1
    assert found["facecheck_worker_resident_bytes", (worker,)] > 10**6
    assert found["facecheck_ready", ("worker",)] == 1
    assert found["facecheck_disk_free_bytes", ()] > 0
    assert found["process_resident_memory_bytes", ()] > 10**6


def test_what_happened_is_counted_even_when_it_is_deleted(client: Client, media: Path, upload: Upload) -> None:
    done = samples.finished_run(media, upload, scores=(0.9,), modules=("space",))
    failed = store.create_run(media, upload, ["space"])
    store.finish_run(media, failed.id, RunState.FAILED, error="the network broke")
    store.finish_run(media, failed.id, RunState.FAILED, error="once more")  # it has ended already
    totals.count_stages(media, {"decode": 1.5})
    totals.count_stages(media, {"decode": 2.5})
    jobs.delete(done.id)
    found = figures(client)
    ended = {labels[1:]: n for (name, labels), n in found.items() if name == "facecheck_runs_total"}
    assert ended == {("done", done.analysis.verdict): 1, ("failed", ""): 1}
    assert found["facecheck_history_runs", ("failed",)] == 1
    assert ("facecheck_history_runs", ("done",)) not in found
    assert found["facecheck_stage_seconds_sum", ("decode",)] == 4.0
    assert found["facecheck_stage_seconds_count", ("decode",)] == 2
    assert found["facecheck_upload_bytes_total", ()] == upload.size_bytes


def test_the_counts_cannot_stop_anything(media: Path, upload: Upload) -> None:
    (media / "log").mkdir(exist_ok=True)
    (media / "log" / "totals.json").unlink(missing_ok=True)
    (media / "log" / "totals.json").mkdir()  # nothing can be written in its place
    samples.finished_run(media, upload, scores=(0.9,), modules=("space",))
    assert totals.load(media) == totals.Totals()


def test_the_page_tells_a_person_what_is_wrong_and_what_is_there(client: Client, media: Path, worker: str) -> None:
    page = client.get("/status/").content.decode()
    assert "Everything is in order." in page
    assert worker in page
    assert str(media) in page
    assert "DEEPFAKE_MAX_UPLOAD_MB" in page
    assert "space.onnx" in page


def test_the_page_of_a_site_that_cannot_work_says_so(client: Client) -> None:
    page = client.get("/status/").content.decode()
    assert "Something needs attention." in page
    assert "Nothing is working off the queue." in page


def test_log_lines_in_json_name_the_run_that_they_are_about(capsys: pytest.CaptureFixture[str]) -> None:
    configured: dict[str, Any] = logs.configuration("json", "INFO")
    configured["handlers"]["console"]["stream"] = "ext://sys.stdout"
    kept = list(logging.getLogger().handlers)
    logging.config.dictConfig(configured)
    try:
        with logs.about(run="20260101-000000000-abcdef"):
            logging.getLogger("detection.jobs").warning("It took %d s.", 3)
            try:
                raise ValueError("broken")
            except ValueError:
                logging.getLogger("detection.jobs").exception("It failed.")
        logging.getLogger("detection.jobs").info("Nothing in particular.")
    finally:
        logging.getLogger().handlers[:] = kept
        for name in logs.OF_SERVERS:
            logging.getLogger(name).handlers.clear()
            logging.getLogger(name).propagate = True
    first, second, third = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["message"], first["level"], first["run"]) == ("It took 3 s.", "WARNING", "20260101-000000000-abcdef")
    assert first["time"].startswith("20")
    assert "ValueError: broken" in second["exception"]
    assert "run" not in third
