"""A real server with its worker, and a real browser."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.fixtures import Settings

START_TIMEOUT_S = 60


@dataclass(frozen=True)
class Site:
    address: str
    media: Path


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site as `make run` starts it, on a media folder of its own."""
    with serving(tmp_path_factory.mktemp("media")) as site:
        yield site


@contextmanager
def serving(media: Path, **environment: str) -> Iterator[Site]:
    """A site on `media`; `environment` adds to this process's."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with manage(media, "runserver", f"127.0.0.1:{port}", "--noreload", **environment) as server:
        _wait(f"http://127.0.0.1:{port}/help/", server, media / "runserver.log")
        yield Site(f"http://127.0.0.1:{port}", media)


@contextmanager
def manage(media: Path, command: str, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command of manage.py while it runs; it is ended at the end."""
    log = (media / f"{command}.log").open("w")
    line = [sys.executable, "manage.py", command, *arguments]
    everything = {**os.environ, "DEEPFAKE_MEDIA": str(media), **environment}
    process = subprocess.Popen(line, cwd=settings.BASE_DIR, env=everything, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"The server does not answer:\n{log.read_text()}")


@pytest.fixture
def media(site: Site, settings: Settings) -> Path:
    """The server's media folder, for tests that put something there."""
    settings.MEDIA_ROOT = site.media
    return site.media


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def faults() -> list[str]:
    """What the browser complained of in a test; one that provokes a fault takes it out."""
    return []


@pytest.fixture
def page(browser: Browser, site: Site, faults: list[str]) -> Iterator[Page]:
    """A window of 1280 px. Afterwards: nothing was asked of another machine, and no script failed."""
    context = browser.new_context(base_url=site.address, viewport={"width": 1280, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("console", lambda message: faults.append(f"console: {message.text}") if message.type == "error" else None)
    page.on(
        "request", lambda request: None if _is_own(request.url, site) else faults.append(f"external: {request.url}")
    )
    yield page
    context.close()
    assert faults == []


def _is_own(url: str, site: Site) -> bool:
    return url.startswith((site.address, "data:", "blob:"))
