from __future__ import annotations

import cv2
import numpy as np
import pytest

from detection.training import feature_recipe
from detection.training.feature_recipe import (
    GENUINE,
    LABELLED_MEASURE,
    WEIGHED,
    Row,
    fit,
    read_rows,
    write_logits,
    write_rows,
)
from detection.training.forgeries import Portrait
from detection.training.sequences import KINDS, Boiling, Journey, Shot, _Fields, forge_shot, reduced
from detection.vision.reading import FrameReader
from detection.vision.sampling import plan_samples
from detection.vision.video import probe
from tests.feature.faces import portrait

SIDE = 200


@pytest.fixture(scope="module")
def shot() -> Shot:
    image, landmarks = portrait()
    crop = cv2.resize(image[:300, 75:375], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    points = ((landmarks[:, :2] - (75, 0)) * SIDE / 300).astype(np.float32)
    shifts = [round(4 * np.sin(i)) for i in range(8)]
    return Shot(
        np.stack([np.roll(crop, s, axis=1) for s in shifts]),
        np.stack([np.add(points, (s, 0)) for s in shifts]).astype(np.float32),
        12.5,
    )


@pytest.fixture(scope="module")
def still(shot) -> Portrait:
    return Portrait(np.ascontiguousarray(shot.frames[0][:, ::-1]), (SIDE - 1, 0) + shot.landmarks[0] * (-1, 1))


@pytest.mark.parametrize("kind", KINDS)
def test_a_forgery_changes_the_face_and_repeats_with_its_seed(shot, still, kind):
    forged = forge_shot(shot, kind, still, np.random.default_rng(5))
    assert forged.shape == shot.frames.shape
    assert forged.dtype == np.uint8
    assert np.array_equal(forged, forge_shot(shot, kind, still, np.random.default_rng(5)))
    x, y = shot.landmarks[0][[13, 14]].mean(axis=0).astype(int)
    change = np.abs(forged[0].astype(int) - shot.frames[0])[y - 8 : y + 8, x - 12 : x + 12]
    assert change.mean() > 1


@pytest.mark.parametrize("kind", ["swap", "self", "mouth"])
def test_what_is_pasted_leaves_the_surroundings_alone(shot, still, kind):
    forged = forge_shot(shot, kind, still, np.random.default_rng(5))
    assert np.array_equal(forged[:, -20:], shot.frames[:, -20:])


def test_boiling_with_a_memory_changes_less_from_frame_to_frame(shot):
    def change(memory: float) -> float:
        boiling = Boiling(0.3, 8, 0.2, 1.5, 2, 20, memory)
        fields = _Fields(boiling, SIDE, np.random.default_rng(0))
        frames = np.stack([fields.boil(shot.frames[0]) for _ in range(12)]).astype(float)
        return float(np.abs(np.diff(frames, axis=0)).mean())

    assert change(0.85) < 0.75 * change(0.0)


def test_a_reduced_shot_keeps_its_landmarks_on_the_face(shot):
    small = reduced(shot, 100, 2)
    assert small.frames.shape == (4, 100, 100, 3)
    assert small.rate_hz == 6.25
    assert np.allclose(small.landmarks, (shot.landmarks[::2] + 0.5) / 2 - 0.5)


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_a_journey_ends_in_a_file_that_reads_back(shot, codec, tmp_path):
    Journey(160, (("noise", 2.0),), codec, 5, 1).write(shot.frames, shot.rate_hz, tmp_path / "shot.mkv")
    video = probe(tmp_path / "shot.mkv")
    assert (video.width, video.height) == (160, 160)
    assert video.frame_rate == pytest.approx(12.5)
    frames = list(FrameReader(tmp_path / "shot.mkv", video, plan_samples(video.duration_s, video.frame_rate)))
    assert len(frames) == 8


def rows(seed: int = 0, mouth: float = 1.0) -> list[Row]:
    rng = np.random.default_rng(seed)
    made = []
    for number in range(60):
        for kind in (GENUINE, "swap"):
            names = (*WEIGHED, LABELLED_MEASURE, *feature_recipe.SHOWN)
            values = {name: float(np.exp(rng.normal(0, 0.2))) for name in names}
            values[LABELLED_MEASURE] *= mouth if kind == "swap" else 1.0
            values["nose tremble"] *= 1.5 if kind == "swap" else 1.0
            values["skin flicker growth"] /= 1.5 if kind == "swap" else 1.0
            values["blink rate"] = float("nan") if number % 2 else 12.0
            made.append(Row(f"c{number}-{kind}", kind, f"g{number % 6}", 40, values))
    return made


def test_fitting_finds_what_tells_forgeries_apart():
    model = fit(rows(), rows(1))
    weights = {name: term.weight for name, term in model.terms.items()}
    assert weights["nose tremble"] > 0 > weights["skin flicker growth"]
    assert abs(weights["outline tremble"]) < 0.3 * weights["nose tremble"]
    assert all(weights[name] == 0 for name in feature_recipe.SHOWN)
    assert model.terms["nose tremble"].genuine_low < 1 < model.terms["nose tremble"].genuine_high < 1.6
    of_kind = [
        np.median([model.logit(row.measures) for row in rows(1) if (row.kind == GENUINE) is k]) for k in (True, False)
    ]
    assert of_kind[0] < 0 < of_kind[1]  # 0 says nothing


@pytest.mark.parametrize(("mouth", "low", "high"), [(1.3, 0.3, 3), (1 / 1.3, -3, -0.3), (1.0, -0.2, 0.2)])
def test_one_measure_is_weighed_by_labelled_clips_and_not_by_forged_ones(mouth, low, high):
    model = fit(rows(mouth=1.5), rows(1, mouth))
    assert low < model.terms[LABELLED_MEASURE].weight < high


def test_tables_survive_their_files(tmp_path):
    made = rows()[:4]
    write_rows(made, tmp_path / "table.tsv")
    read = read_rows(tmp_path / "table.tsv")
    assert [(r.clip, r.kind, r.group, r.faces) for r in read] == [(r.clip, r.kind, r.group, 40) for r in made]
    assert read[0].values == pytest.approx(made[0].values, rel=1e-5, nan_ok=True)
    write_logits(fit(rows(), rows(1)), read, tmp_path / "logits.tsv")
    lines = (tmp_path / "logits.tsv").read_text().splitlines()
    assert lines[0].split("\t") == ["clip", "label", "logit", "group"]
    assert [line.split("\t")[1] for line in lines[1:]] == ["real", "fake", "real", "fake"]
