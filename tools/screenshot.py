#!/usr/bin/env python
"""Make the pictures of the README: serve the site, do with free material what a person does, photograph the pages.

Needs requirements-dev.txt, Chromium, and for the report pdftoppm (poppler). The face is scikit-image's astronaut (NASA,
public domain) under a camera that sways, as it is and as a forgery: the same face, pasted in blurred, turned and of
another colour. So the pictures are free to use. `docs/screenshot.png` is the result;
the others lie in `docs/pictures/`. A name as argument makes that picture alone.
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
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import FloatRect, Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
WIDTH_PX, HEIGHT_PX = 1280, 1200
LARGEST_BYTES = 250_000
COLOURS = (256, 128, 64, 32)
PATIENCE_S = 900  # of a loaded machine
FACE_PX = (225, 128)  # the middle of the astronaut's face
WARMER = (1.06, 0.98, 0.92)  # red, green, blue

sys.path.insert(0, str(ROOT))
from tests.clips import write_astronaut, write_noise  # noqa: E402


@dataclass(frozen=True)
class Scene:
    """A browser's page on the running site, and the clips that are there."""

    page: Page
    address: str
    clips: Path

    def open(self, path: str) -> None:
        self.page.goto(f"{self.address}{path}")
        self.page.wait_for_load_state("networkidle")

    def run_of(self, name: str) -> str:
        """The address of the result of a clip."""
        self.open(f"/history/?q={quote(name)}")
        address = self.page.get_by_role("link", name=name, exact=True).first.get_attribute("href")
        assert address is not None, f"{name} is not in the history"
        return address


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


def write_clips(folder: Path) -> None:
    """Two lengths of the portrait, the same with a pasted face, and a clip without a face."""
    for name, frames in (("portrait.mp4", 200), ("interview.mp4", 90)):
        write_astronaut(folder / name, frames=frames)
        write_astronaut(folder / f"forged {name}", frames=frames, picture=pasted())
    write_noise(folder / "snow.mp4")


def pasted() -> NDArray[np.uint8]:
    """The astronaut (512, 512, 3) with a face pasted over hers."""
    picture = np.ascontiguousarray(skimage.data.astronaut())
    side = picture.shape[0]
    moved = cv2.getRotationMatrix2D(FACE_PX, 3, 1.06)
    moved[:, 2] += (3, -2)
    face = cv2.GaussianBlur(cv2.warpAffine(picture, moved, (side, side)), (0, 0), 1.2) * WARMER
    outline = cv2.ellipse(np.zeros((side, side), np.float32), FACE_PX, (44, 58), 0, 0, 360, 1.0, -1)
    share = cv2.GaussianBlur(outline, (0, 0), 2)[..., None]
    mixed: NDArray[np.float32] = picture * (1 - share) + face * share
    return mixed.clip(0, 255).astype(np.uint8)


def analyse(scene: Scene) -> None:
    """All clips at once, from the upload page."""
    scene.open("/Space_Upload_1/")
    scene.page.get_by_label("Choose videos").set_input_files(sorted(scene.clips.glob("*.mp4")))
    scene.page.get_by_role("button", name="Check 5 videos").click()
    scene.open("/Space_Upload_1/")
    scene.page.get_by_role("link", name="See the result").nth(4).wait_for()


def result(scene: Scene) -> bytes:
    scene.open(scene.run_of("forged portrait.mp4"))
    scene.page.wait_for_timeout(1500)  # the player shows its first picture
    return scene.page.screenshot()


def timeline(scene: Scene) -> bytes:
    scene.open(scene.run_of("forged portrait.mp4"))
    scene.page.wait_for_timeout(1500)
    return _part(scene.page.locator(".watch > section").first)


def heat_maps(scene: Scene) -> bytes:
    scene.open(scene.run_of("forged portrait.mp4"))
    return _part(scene.page.locator("section[aria-labelledby=evidence-heading]").first)


def history(scene: Scene) -> bytes:
    scene.open("/history/")
    return scene.page.screenshot(clip=_top(760))


def batch(scene: Scene) -> bytes:
    scene.open("/batches/")
    address = scene.page.locator("main a[href^='/batches/b']").first.get_attribute("href")
    assert address is not None, "No videos were started together"
    scene.open(address)
    return scene.page.screenshot(clip=_top(980))


def relighting(scene: Scene) -> bytes:
    scene.open(f"{scene.run_of('portrait.mp4')}relight/")
    scene.page.locator("#still:not([hidden])").wait_for()
    scene.page.wait_for_timeout(3000)  # the still of the light that is chosen
    return scene.page.screenshot(clip=_top(900))


def evaluation(scene: Scene) -> bytes:
    scene.open("/acc/")
    forged = sorted(scene.clips.glob("forged *.mp4"))
    scene.page.get_by_label("Choose genuine clips").set_input_files([scene.clips / each.name[7:] for each in forged])
    scene.page.get_by_label("Choose forged clips").set_input_files(forged)
    for label in ("real", "fake"):
        scene.page.locator(f"[data-list={label}] [data-said]").nth(1).wait_for()
    scene.page.get_by_label("Name of the evaluation").fill("Two portraits, and the same with a pasted face")
    scene.page.get_by_role("button", name="Evaluate", exact=True).click()
    scene.page.locator("#figures-heading").wait_for()
    return scene.page.screenshot(clip=_top(HEIGHT_PX))


def report(scene: Scene) -> bytes:
    address = f"{scene.address}{scene.run_of('forged portrait.mp4')}report.pdf"
    with tempfile.TemporaryDirectory() as folder:
        pdf = Path(folder) / "report.pdf"
        pdf.write_bytes(scene.page.request.get(address).body())
        subprocess.run(["pdftoppm", "-png", "-r", "80", "-f", "1", "-l", "1", "-singlefile", pdf, pdf], check=True)
        return pdf.with_name("report.pdf.png").read_bytes()


PICTURES: dict[str, Callable[[Scene], bytes]] = {
    "screenshot.png": result,
    "pictures/batch.png": batch,
    "pictures/timeline.png": timeline,
    "pictures/heat-maps.png": heat_maps,
    "pictures/history.png": history,
    "pictures/relighting.png": relighting,
    "pictures/report.png": report,
    "pictures/evaluation.png": evaluation,  # last: its clips leave the list of videos
}


def _top(height_px: int) -> FloatRect:
    return FloatRect(x=0, y=0, width=WIDTH_PX, height=height_px)


def _part(part: Locator) -> bytes:
    """At most what fits on a screen of a part of the page."""
    part.scroll_into_view_if_needed()
    picture = Image.open(BytesIO(part.screenshot()))
    output = BytesIO()
    picture.crop((0, 0, picture.width, min(picture.height, HEIGHT_PX))).save(output, "PNG")
    return output.getvalue()


def keep(name: str, png: bytes) -> None:
    """With as many colours as keep the file small."""
    path = DOCS / name
    path.parent.mkdir(exist_ok=True)
    picture = Image.open(BytesIO(png)).convert("RGB")
    for colours in COLOURS:
        picture.quantize(colours).save(path, optimize=True)
        if path.stat().st_size <= LARGEST_BYTES:
            break
    print(path, path.stat().st_size)


def main() -> int:
    wanted = {name: make for name, make in PICTURES.items() if not sys.argv[1:] or Path(name).stem in sys.argv[1:]}
    with tempfile.TemporaryDirectory() as folder:
        clips = Path(folder) / "clips"
        clips.mkdir()
        write_clips(clips)
        server, address = serve(Path(folder) / "media")
        try:
            with sync_playwright() as playwright:
                chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
                page = chromium.new_page(viewport={"width": WIDTH_PX, "height": HEIGHT_PX}, locale="en-GB")
                page.set_default_timeout(PATIENCE_S * 1000)
                scene = Scene(page, address, clips)
                analyse(scene)
                for name, make in wanted.items():
                    keep(name, make(scene))
                chromium.close()
        finally:
            server.terminate()
            server.wait(30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
