"""The README's way through the JSON interface, typed as it stands there, against a real server with its worker."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from tests.clips import write_astronaut
from tests.e2e.conftest import Site, site  # noqa: F401 a fixture

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="curl or bash is not installed"),
]

LIMIT_S = 240


def commands(readme: Path) -> str:
    """The block of commands that talks to the interface."""
    blocks = re.findall(r"```sh\n(.*?)```", readme.read_text(encoding="utf-8"), re.S)
    (block,) = [block for block in blocks if "/api/v1/" in block]
    return block


def test_the_commands_do_what_the_readme_says(site: Site, tmp_path: Path) -> None:  # noqa: F811
    write_astronaut(tmp_path / "clip.mp4", frames=30)
    block = commands(Path(settings.BASE_DIR) / "README.md")
    assert "SITE=http://127.0.0.1:8000\n" in block
    script = block.replace("SITE=http://127.0.0.1:8000\n", f"SITE={site.address}\n")
    for command in ("uploads?name", "/runs |", "/progress", "history", "cancel", "retry", "-X DELETE"):
        assert command in script
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
    found = parts(done.stdout)
    index, upload, record, history, cancelled, refused = found
    assert index["version"] == 1
    assert upload["video"]["codec"] == "h264"
    assert record["state"] == "done"
    assert record["analysis"]["people"]
    assert [run["id"] for run in history["runs"]] == [record["id"]]
    assert cancelled["state"] == "done"
    assert "only failed and cancelled" in refused["error"]


def parts(text: str) -> list[dict]:
    """The JSON objects that stand one after the other in `text`."""
    decoder, found = json.JSONDecoder(), []
    while text := text.strip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found
