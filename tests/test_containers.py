"""The files for containers name what is there: no container can be built in a test, but this can be looked at."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands
from django.urls import resolve

ROOT = Path(__file__).resolve().parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
INSTRUCTIONS = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
OURS = ("web", "worker")


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", INSTRUCTIONS, re.M)


def known_variables() -> set[str]:
    return set(re.findall(r"DEEPFAKE_[A-Z_]+", (ROOT / "deepfake_site" / "settings.py").read_text()))


def image_environment() -> dict[str, str]:
    return dict(re.findall(r"(\w+)=(\S+)", " ".join(instructions("ENV"))))


def test_everything_that_is_copied_is_there_and_not_left_out() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for line in instructions("COPY"):
        if line.startswith("--from"):
            continue
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(fnmatch(source, pattern) or source.startswith(f"{pattern}/") for pattern in kept), source


def test_every_package_that_the_site_imports_is_copied() -> None:
    from django.conf import settings

    copied = {Path(source) for line in instructions("COPY") for source in line.split()[:-1]}
    packages = {Path(app.split(".")[0]) for app in settings.INSTALLED_APPS if (ROOT / app.split(".")[0]).is_dir()}
    assert packages | {Path("relitalk"), Path("templates"), Path("static"), Path("locale")} <= copied


def test_the_image_is_pinned_and_not_run_by_root() -> None:
    assert all(re.fullmatch(r"python:3\.\d+-slim-\w+( AS \w+)?", line) for line in instructions("FROM"))
    (user,) = instructions("USER")
    assert user == "facecheck"
    assert f"useradd --uid 10001 --create-home {user}" in INSTRUCTIONS


def test_the_settings_know_every_variable() -> None:
    given = set(image_environment())
    for service in OURS:
        given |= set(SERVICES[service]["environment"])
    assert {name for name in given if name.startswith("DEEPFAKE_")} <= known_variables()


def test_web_and_workers_share_media_and_queue() -> None:
    media = image_environment()["DEEPFAKE_MEDIA"]
    assert instructions("VOLUME") == [media]
    assert set(COMPOSE["volumes"]) == {"media"}
    for service in OURS:
        assert SERVICES[service]["volumes"] == [f"media:{media}"]
        assert SERVICES[service]["environment"]["DEEPFAKE_QUEUE"] == "redis://redis:6379/0"
        assert SERVICES[service]["depends_on"] == {"redis": {"condition": "service_healthy"}}
    assert SERVICES["web"]["environment"]["DEEPFAKE_START_WORKER"] == "0"


def test_only_this_machine_reaches_the_site_and_nobody_redis() -> None:
    assert SERVICES["web"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "ports" not in SERVICES["redis"]
    for service in OURS:
        assert ":?" in SERVICES[service]["environment"]["DEEPFAKE_PASSPHRASE_HASH"]  # compose refuses without it


def test_what_the_containers_run_is_there() -> None:
    (command,) = instructions("CMD")
    program, application, *_rest = json.loads(command)
    assert program == "gunicorn"
    module = ROOT / f"{application.replace('.', '/')}.py"  # not imported: that would start a worker
    assert "\napplication = " in module.read_text()
    python, script, name = SERVICES["worker"]["command"]
    assert (python, (ROOT / script).is_file(), name in get_commands()) == ("python", True, True)


@pytest.fixture
def answering() -> Iterator[tuple[int, list[str]]]:
    """A server's port, and the paths that were asked for; it answers the health check alone."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200 if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, asked
    server.shutdown()


def test_the_health_check_is_a_command_that_asks_for_a_page_of_the_site(answering: tuple[int, list[str]]) -> None:
    port, asked = answering
    _python, flag, code = json.loads(re.search(r"HEALTHCHECK .*CMD (\[.*\])$", INSTRUCTIONS, re.M)[1])
    assert ":8000/" in code
    assert subprocess.run([sys.executable, flag, code.replace("8000", str(port))], check=False).returncode == 0
    assert [resolve(path).url_name for path in asked] == ["healthz"]
    gone = [sys.executable, flag, code.replace("8000", "1")]
    assert subprocess.run(gone, check=False, stderr=subprocess.DEVNULL).returncode != 0
