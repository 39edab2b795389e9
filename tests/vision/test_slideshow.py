from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from detection.vision.slideshow import write_slideshow


def test_every_picture_is_shown_for_its_time_and_can_be_jumped_to(tmp_path: Path) -> None:
    shades = (40, 120, 200)
    target = tmp_path / "new" / "show.mp4"
    count = write_slideshow((np.full((64, 96, 3), shade, np.uint8) for shade in shades), target, 1.5)
    assert count == 3
    with av.open(str(target)) as video:
        frames = list(video.decode(video=0))
    starts = [frame for frame in frames if frame.key_frame]
    assert [frame.time for frame in starts] == [0.0, 1.5, 3.0]
    assert len(frames) == 3 * 6
    assert [round(frame.to_ndarray(format="rgb24").mean()) for frame in starts] == pytest.approx(shades, abs=3)


def test_no_picture_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no picture"):
        write_slideshow([], tmp_path / "show.mp4", 1.0)
    assert list(tmp_path.iterdir()) == []


def test_a_fault_on_the_way_leaves_no_half_file(tmp_path: Path) -> None:
    def breaking_off() -> Iterator[np.ndarray]:
        yield np.zeros((64, 96, 3), np.uint8)
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        write_slideshow(breaking_off(), tmp_path / "show.mp4", 1.0)
    assert list(tmp_path.iterdir()) == []
