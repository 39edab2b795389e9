from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detection.evaluation.recompress import variants, write_variant
from detection.vision.reading import FrameReader
from detection.vision.sampling import plan_samples
from detection.vision.types import Frame
from detection.vision.video import VideoError, probe
from tests.clips import write_astronaut, write_sound


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_astronaut(tmp_path_factory.mktemp("source") / "clip.mp4", frames=12, rate=10)


def frames(path: Path) -> list[Frame]:
    video = probe(path)
    return [sample.frame for sample in FrameReader(path, video, plan_samples(video.duration_s, video.frame_rate))]


def changed(source: Path, name: str, folder: Path) -> Path:
    write_variant(source, *variants(name), folder / f"{name}.mp4")
    return folder / f"{name}.mp4"


def test_every_frame_keeps_its_time(source: Path, tmp_path: Path) -> None:
    before, after = frames(source), frames(changed(source, "crf23", tmp_path))
    assert [f.time_s for f in after] == pytest.approx([f.time_s for f in before])
    assert np.abs(after[5].image.astype(float) - before[5].image).mean() < 6


def test_a_higher_rate_factor_makes_a_smaller_file(source: Path, tmp_path: Path) -> None:
    sizes = [changed(source, name, tmp_path).stat().st_size for name in ("crf10", "crf23", "crf32", "crf45")]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 4


@pytest.mark.parametrize(("name", "side"), [("half", 224), ("crop", 376)])
def test_sides_shrink(source: Path, tmp_path: Path, name: str, side: int) -> None:
    video = probe(changed(source, name, tmp_path))
    assert (video.width, video.height) == (side, side)


def test_crop_keeps_the_centre(source: Path, tmp_path: Path) -> None:
    before, after = frames(source)[3].image, frames(changed(source, "crop", tmp_path))[3].image
    assert np.abs(before[36:412, 36:412].astype(float) - after).mean() < 6


def test_mirror_swaps_left_and_right(source: Path, tmp_path: Path) -> None:
    before, after = frames(source)[3].image, frames(changed(source, "mirror", tmp_path))[3].image
    assert np.abs(before[:, ::-1].astype(float) - after).mean() < 6
    assert np.abs(before.astype(float) - after).mean() > 20


def test_bright_raises_the_light(source: Path, tmp_path: Path) -> None:
    before, after = frames(source)[3].image, frames(changed(source, "bright", tmp_path))[3].image
    mid = (before.mean(axis=2) > 60) & (before.mean(axis=2) < 180)
    assert after[mid].mean() / before[mid].mean() == pytest.approx(1.2, abs=0.05)


@pytest.mark.parametrize("name", ["crf52", "crf", "sepia", "crf-3"])
def test_an_unknown_variant_is_named_with_those_there_are(name: str) -> None:
    with pytest.raises(ValueError, match=f"no variant '{name}': name crf0 to crf51 or half, crop, mirror, bright"):
        variants(f"half,{name}")


def test_a_list_may_repeat_and_space_its_names() -> None:
    assert [v.name for v in variants(" crf23, half,crf23,")] == ["crf23", "half"]


def test_a_file_without_a_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError):
        write_variant(write_sound(tmp_path / "sound.mp4"), *variants("half"), tmp_path / "half.mp4")
