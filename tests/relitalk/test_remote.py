"""The client against a real server process on loopback, killed and started again in the middle."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from relitalk import remote
from relitalk.backends import Settings, produce
from relitalk.errors import Cancelled, RelightError
from relitalk.light import Light
from relitalk.remote import RemoteEngine
from relitalk.request import Request

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-for-this-test"
REQUEST = Request(Light(60, 10)).as_dict()


class Server:
    """`manage.py relight_server` as a process of its own, on one port however often it is started."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "relight_server", "--port", str(self.port), "--folder", str(self.folder)],
            cwd=ROOT, env=os.environ | {"RELITALK_TOKEN": TOKEN}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert "Relighting on" in self.process.stdout.readline()

    def kill(self, how: int = signal.SIGKILL) -> int:
        self.process.send_signal(how)
        code = self.process.wait(timeout=40)
        self.process.stdout.close()
        return code


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path / "server")
    server.start()
    yield server
    if server.process.poll() is None:
        server.kill()


def call(server: Server, method: str, path: str, body: bytes | None = None, token: str = TOKEN, **headers: str):
    request = urllib.request.Request(server.url + path, data=body, method=method)
    request.add_header("Authorization", f"Bearer {token}")
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_kill_in_the_middle_costs_nothing(server, make_clip, swaying, tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "PIECE_BYTES", 50_000)
    video = make_clip(swaying * 3)
    engine = RemoteEngine(server.url, TOKEN, patience_s=60, poll_s=0.05)
    killed: set[str] = set()

    def restart() -> None:
        time.sleep(0.5)
        server.start()

    def progress(at) -> None:
        middle = {"upload": at.done > 0, "render": at.done > 20, "download": at.total and 0 < at.done < at.total}
        if middle.get(at.stage) and at.stage not in killed:
            killed.add(at.stage)
            server.kill()
            threading.Thread(target=restart).start()

    manifest = engine.relight(video, REQUEST, tmp_path / "out.mp4", progress=progress)
    assert killed == {"upload", "render", "download"}
    assert manifest["report"]["frames_relit"] == 72
    assert hashlib.sha256((tmp_path / "out.mp4").read_bytes()).hexdigest() == manifest["result_sha256"]
    seen = []
    again = engine.relight(video, REQUEST, tmp_path / "again.mp4", progress=lambda at: seen.append(at.stage))
    assert again == manifest
    assert "render" not in seen


def test_only_who_knows_the_token_is_served(server, clip, tmp_path):
    assert call(server, "GET", "/jobs/" + "0" * 24, token="wrong")[0] == 401
    assert call(server, "GET", "/jobs/" + "0" * 24)[0] == 404
    with pytest.raises(RelightError, match="token"):
        RemoteEngine(server.url, "another").relight(clip, REQUEST, tmp_path / "out.mp4")


def test_an_upload_is_checked(server):
    data = b"x" * 1000
    name = hashlib.sha256(data).hexdigest()
    path = f"/videos/{name}"
    assert call(server, "PATCH", path, data[:600], Upload_Offset="0", Upload_Length="1000")[0] == 200
    assert call(server, "PATCH", path, data[:600], Upload_Offset="0", Upload_Length="1000")[0] == 409
    assert call(server, "PATCH", path, b"y" * 400, Upload_Offset="600", Upload_Length="1000")[0] == 422
    assert call(server, "POST", "/jobs", json.dumps({"video_sha256": name, "request": REQUEST}).encode())[0] == 409
    assert call(server, "PATCH", path, data, Upload_Offset="0", Upload_Length="1000")[0] == 200
    status, answer = call(server, "POST", "/jobs", json.dumps({"video_sha256": name, "request": REQUEST}).encode())
    assert status == 201
    job = json.loads(answer)["id"]
    for _ in range(100):
        found = json.loads(call(server, "GET", f"/jobs/{job}")[1])
        if found["state"] == "failed":
            break
        time.sleep(0.1)
    assert found["reason"] == "unreadable"
    assert {"stage", "done", "total", "log_tail"} <= found.keys()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/jobs", b"{", 400),
        ("POST", "/jobs", b"[]", 400),
        ("POST", "/jobs", b'{"video_sha256": "%s", "request": {"light": {"azimuth_deg": 999}}}' % (b"0" * 64), 400),
        ("POST", "/jobs", json.dumps({"video_sha256": "../../etc/passwd", "request": REQUEST}).encode(), 404),
        ("GET", "/videos/..%2f..%2fetc%2fpasswd", None, 404),
        ("GET", "/jobs/../../etc", None, 404),
        ("PATCH", "/videos/" + "0" * 64, b"x", 400),
    ],
)  # fmt: skip
def test_nonsense_is_refused(server, method, path, body, status):
    assert call(server, method, path, body)[0] == status


def test_a_cancel_here_stops_the_job_there(server, make_clip, swaying, tmp_path):
    video = make_clip(swaying * 20)
    stages = []
    engine = RemoteEngine(server.url, TOKEN, poll_s=0.05)
    with pytest.raises(Cancelled):
        engine.relight(
            video, REQUEST, tmp_path / "out.mp4", progress=lambda at: stages.append(at.stage),
            cancelled=lambda: "analyse" in stages or "render" in stages,
        )  # fmt: skip
    [job] = (server.folder / "jobs").iterdir()
    for _ in range(100):
        if json.loads((job / "job.json").read_text())["state"] == "cancelled":
            break
        time.sleep(0.1)
    assert json.loads((job / "job.json").read_text())["state"] == "cancelled"
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.slow
def test_a_job_goes_on_after_a_gentle_stop(server, make_clip, swaying, tmp_path):
    video = make_clip(swaying * 5)
    codes = []

    def progress(at) -> None:
        if at.stage == "render" and at.done > 20 and not codes:
            codes.append(server.kill(signal.SIGTERM))
            server.start()

    manifest = RemoteEngine(server.url, TOKEN, poll_s=0.05).relight(
        video, REQUEST, tmp_path / "out.mp4", progress=progress
    )
    assert codes == [0]
    assert manifest["report"]["frames"] == 120


def test_a_server_that_is_not_there_is_said(clip, tmp_path):
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{found.getsockname()[1]}"
    with pytest.raises(RelightError, match=re.escape(url)):
        RemoteEngine(url, TOKEN, patience_s=0.3, poll_s=0.1).relight(clip, REQUEST, tmp_path / "out.mp4")
    with pytest.raises(RelightError, match="http://"):
        produce(clip, Request(Light()), tmp_path / "o.mp4", settings=Settings(remote_url="gpu:80"), backend="remote")
