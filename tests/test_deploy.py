"""The site as docs/DEPLOY.md sets it up, started for real: what Django's own check says, and when it does not start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from detection.web.access import passphrase
from tests.jobs.server import ROOT, free_port

HASH = passphrase.hash_of("four words make one")


def run(media: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DEEPFAKE_", "DJANGO_"))}
    environment |= {"DEEPFAKE_MEDIA": str(media), "DEEPFAKE_START_WORKER": "0", **variables}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=200
    )


def test_djangos_check_of_a_deployed_site_is_clean(tmp_path: Path) -> None:
    documented = {"DEEPFAKE_HOSTS": "lab.example.org", "DEEPFAKE_PASSPHRASE_HASH": HASH, "DEEPFAKE_TLS_PROXY": "1"}
    ended = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "INFO", **documented)
    assert ended.returncode == 0, ended.stderr
    # Two of its questions are not asked (settings.SILENCED_SYSTEM_CHECKS says why), everything else is.
    assert "no issues (2 silenced)" in ended.stdout


def test_the_check_that_is_silenced_about_csrf_is_answered_elsewhere() -> None:
    from django.conf import settings
    from django.middleware.csrf import CsrfViewMiddleware
    from django.utils.module_loading import import_string

    kinds = [import_string(name) for name in settings.MIDDLEWARE]
    assert any(isinstance(kind, type) and issubclass(kind, CsrfViewMiddleware) for kind in kinds)


@pytest.mark.parametrize(
    ("command", "variables"),
    [
        (["manage.py", "runserver", "--noreload", "0.0.0.0:{port}"], {}),
        (["manage.py", "runserver", "--noreload", "127.0.0.1:{port}"], {"DEEPFAKE_HOSTS": "lab.example.org"}),
        (["-m", "gunicorn", "deepfake_site.wsgi", "-b", "0.0.0.0:{port}"], {}),
        (["-m", "gunicorn", "deepfake_site.wsgi", "-b", "127.0.0.1:{port}"], {"DEEPFAKE_HOSTS": "*"}),
    ],
    ids=["runserver elsewhere", "runserver by a name", "gunicorn elsewhere", "gunicorn by a name"],
)
def test_it_does_not_start_for_others_without_a_passphrase(
    tmp_path: Path, command: list[str], variables: dict[str, str]
) -> None:
    ended = run(tmp_path, *(word.format(port=free_port()) for word in command), **variables)
    assert ended.returncode != 0
    assert "Other machines could use this site" in ended.stdout + ended.stderr
    assert "manage.py passphrase" in ended.stdout + ended.stderr


def test_a_passphrase_is_made_by_a_command(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "passphrase", "--stdin"],
        cwd=ROOT, env={**os.environ, "DEEPFAKE_MEDIA": str(tmp_path)}, input="four words make one\n",
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    name, _, line = ended.stdout.strip().partition("=")
    assert name == "DEEPFAKE_PASSPHRASE_HASH"
    assert passphrase.is_hash(line)
    assert "four words" not in ended.stdout
