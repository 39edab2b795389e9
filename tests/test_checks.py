from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from detection import checks
from detection.inference import weights


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the weights that a test may damage."""
    copy = shutil.copytree(weights.ASSETS, tmp_path / "assets")
    monkeypatch.setattr(weights, "ASSETS", copy)
    monkeypatch.setattr(weights, "MANIFEST", copy / "manifest.json")
    weights.verified_path.cache_clear()
    yield copy
    weights.verified_path.cache_clear()


def test_an_installation_that_works_has_nothing_to_report(tmp_path: Path, settings: Any, assets: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    began = time.perf_counter()
    assert checks.media_is_writable() == []
    assert checks.weights_are_intact() == []
    assert checks.videos_can_be_encoded() == []
    assert time.perf_counter() - began < 2.0  # they run before every start


def test_media_that_cannot_be_written_are_named_with_the_way_out(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "file").touch()
    settings.MEDIA_ROOT = tmp_path / "file" / "media"
    (error,) = checks.media_is_writable()
    assert error.id == "detection.E001"
    assert str(settings.MEDIA_ROOT) in error.msg
    assert "DEEPFAKE_MEDIA" in str(error.hint)


def test_a_missing_and_a_damaged_weight_file_are_both_named(assets: Path) -> None:
    first, second, *_ = weights.manifest().values()
    (assets / first.file).unlink()
    content = bytearray((assets / second.file).read_bytes())
    content[len(content) // 2] ^= 1
    (assets / second.file).write_bytes(content)
    missing, damaged = sorted(checks.weights_are_intact(), key=lambda error: second.file in error.msg)
    assert (missing.id, damaged.id) == ("detection.E002", "detection.E002")
    assert first.file in missing.msg
    assert second.file in damaged.msg
    assert "git checkout" in damaged.msg


def test_an_encoder_that_is_missing_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "VIDEO_ENCODER", "libx264_that_is_not_there")
    (error,) = checks.videos_can_be_encoded()
    assert error.id == "detection.E003"
    assert "pip install" in str(error.hint)
