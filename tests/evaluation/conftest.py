from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from detection import modules
from detection.evaluation.recompress import variants, write_variant
from detection.modules import ModuleSpec
from tests.clips import write_astronaut, write_noise
from tests.evaluation.brightness import BrightnessDetector

INDEX = """file\tlabel\tmethod\tpair
fake/one.mp4\tfake\tlamp <b>\tfirst
real/one.mp4\treal\t\tfirst
"""


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two genuine clips, two brightened ones as fakes, one of them with its twin, and a clip without a face."""
    folder = tmp_path_factory.mktemp("labelled")
    (folder / "real").mkdir()
    (folder / "fake").mkdir()
    (bright,) = variants("bright")
    for number, name in enumerate(("one.mp4", "two.mp4")):
        genuine = write_astronaut(folder / "real" / name, frames=16 + 2 * number, rate=10)
        write_variant(genuine, bright, folder / "fake" / name)
    write_noise(folder / "real" / "noise.mp4", frames=5)
    (folder / "real" / "notes.txt").write_text("no video")
    (folder / "index.tsv").write_text(INDEX)
    return folder


@pytest.fixture
def bright_module(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[BrightnessDetector]]:
    """Only the module "bright" is registered."""
    monkeypatch.setattr(modules, "_loaded", {})
    monkeypatch.setattr(BrightnessDetector, "analysed", 0)
    registered = dict(modules.MODULES)
    modules.MODULES.clear()
    modules.MODULES["bright"] = ModuleSpec("bright", "Bright", "tests.evaluation.brightness.BrightnessDetector")
    yield BrightnessDetector
    modules.MODULES.clear()
    modules.MODULES.update(registered)
