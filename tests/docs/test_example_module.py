"""The module in `examples/`: installed as its README says, it runs, and its pages are there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from django.conf import settings

from examples.noise.detector import FITTED, ratio_of
from tests.clips import write_astronaut
from tests.feature.faces import moving_faces

ROOT = Path(settings.BASE_DIR)
README = ROOT / "examples" / "noise" / "README.md"
PROGRAM = ("detection", "deepfake_site", "relitalk", "templates", "static", "locale", "manage.py", "pyproject.toml")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program with the folder and the line that the README tells to add."""
    copy = tmp_path_factory.mktemp("installed")
    for name in PROGRAM:
        source = ROOT / name
        leave = shutil.ignore_patterns("vendor", "__pycache__")
        shutil.copytree(source, copy / name, ignore=leave) if source.is_dir() else shutil.copy(source, copy / name)
    shutil.copytree(ROOT / "examples" / "noise", copy / "detection" / "noise")
    (line,) = re.findall(r"^ *(ModuleSpec\(\"noise\".*\),)$", README.read_text(), re.MULTILINE)
    registry = copy / "detection" / "modules.py"
    text = registry.read_text()
    last = text.rindex("        ModuleSpec(")
    registry.write_text(f"{text[:last]}        {line}\n{text[last:]}")
    return copy


def run(program: Path, *arguments: str) -> str:
    environment = {**os.environ, "DEEPFAKE_MEDIA": str(program / "media"), "PYTHONPATH": ""}
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=program, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_detect_tells_its_score(installed: Path, tmp_path: Path) -> None:
    clip = write_astronaut(tmp_path / "clip.mp4", frames=30)
    told = json.loads(run(installed, "detect", "--json", "--module", "noise", str(clip)))
    noise = told["modules"]["noise"]
    assert 0 < noise["score"] < 1
    assert told["people"][0]["score"] == noise["score"] == told["score"]


PAGES = """
from django.test import Client
for address in ("/Noise_Upload_1/", "/Noise_result_history", "/help/", "/history/", "/analysis/", "/acc/"):
    answer = Client().get(address, follow=True)
    assert answer.status_code == 200 and "Noise" in answer.content.decode(), address
print("seen")
"""


def test_its_pages_are_there(installed: Path) -> None:
    assert run(installed, "shell", "-c", PAGES).strip().endswith("seen")


def test_the_measure_is_that_of_the_noise() -> None:
    (face,) = moving_faces(1)
    draw = np.random.default_rng(0)
    noise = draw.normal(0, 4, face.crop.shape)
    points = face.landmarks_px[:, :2] @ face.crop_from_frame[:, :2].T + face.crop_from_frame[:, 2]
    outline = cv2.fillConvexPoly(np.zeros(face.crop.shape[:2]), cv2.convexHull(points.astype(np.int32)), 1.0)
    as_noisy, twice = (
        np.clip(128 + noise * (1 + more * outline[..., None]), 0, 255).astype(np.uint8) for more in (0, 1)
    )
    assert ratio_of(replace(face, crop=as_noisy)) == pytest.approx(1, abs=0.05)
    assert ratio_of(replace(face, crop=twice)) == pytest.approx(2, abs=0.1)


def test_the_range_of_genuine_faces_was_measured() -> None:
    fitted = json.loads(FITTED.read_text())
    low, high = fitted["genuine_range"]
    assert 0 < low < 1 < high
    figures = fitted["calibration"]["figures"]
    assert f"AUC {figures['auc']:.2f}".replace("0.", ".") in (ROOT / "examples" / "noise" / "README.md").read_text()
