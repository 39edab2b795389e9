#!/usr/bin/env python
"""Make docs/screenshot.png: serve the site, analyse an animated portrait in the public domain, photograph the result.

Needs requirements-dev.txt and Chromium. The clip is scikit-image's astronaut (NASA), so the picture is free to use.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "screenshot.png"
WIDTH_PX, HEIGHT_PX = 1280, 1200
COLOURS = 256
PATIENCE_S = 120

sys.path.insert(0, str(ROOT))
from tests.clips import write_astronaut  # noqa: E402


def serve(media: Path) -> tuple[subprocess.Popen[bytes], str]:
    """The site on a free port, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "manage.py", "runserver", "--noreload", address]
    server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "DEEPFAKE_MEDIA": str(media)})
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://{address}/help/", timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return server, f"http://{address}"
    server.terminate()
    raise SystemExit("The site does not start; `python manage.py check` says why.")


def photograph(page: Page, address: str, clip: Path) -> None:
    """From the upload page to the finished result, as a person goes."""
    page.goto(f"{address}/Space_Upload_1/")
    page.get_by_label("Choose videos").set_input_files([clip])
    page.get_by_role("button", name="Check 1 video").click()
    page.get_by_role("link", name="See the result").click()
    page.get_by_role("heading", level=1).wait_for()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1000)  # the player shows its first picture
    picture = Image.open(BytesIO(page.screenshot()))
    picture.convert("RGB").quantize(COLOURS).save(PICTURE, optimize=True)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        clip = write_astronaut(Path(folder) / "portrait.mp4", frames=200)
        server, address = serve(Path(folder) / "media")
        try:
            with sync_playwright() as playwright:
                chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
                page = chromium.new_page(viewport={"width": WIDTH_PX, "height": HEIGHT_PX}, locale="en-GB")
                page.set_default_timeout(PATIENCE_S * 1000)
                photograph(page, address, clip)
                chromium.close()
        finally:
            server.terminate()
            server.wait(30)
    print(PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
