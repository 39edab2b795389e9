from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from detection.jobs.queue import FileQueue


@pytest.fixture
def media(tmp_path: Path, settings: Any) -> Path:
    """An empty media folder that the settings name."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    return Path(settings.MEDIA_ROOT)


@pytest.fixture
def queue(media: Path) -> FileQueue:
    return FileQueue(media)
