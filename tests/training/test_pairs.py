"""Training pairs: a forgery differs from its twin where its mask says, and is the same again for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from detection.training import degrade, forgeries, masks, warps
from detection.training.dataset import MASK_PX, PairStream, make_pair
from detection.vision.types import CROP_SIZE_PX

SELF, SWAP, REGENERATED = (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)


@pytest.mark.parametrize("kind", masks.REGIONS)
def test_a_region_covers_its_landmarks(portraits, kind):
    portrait = portraits.portrait(0)
    mask = masks.region(kind, portrait.landmarks, portrait.image.shape[0], np.random.default_rng(0))
    expected = {"eyes": masks.LEFT_EYE, "nose": (4,), "lower": (13, 14), "mouth": (13, 14)}.get(kind, (4, 13, 33, 263))
    for x, y in portrait.landmarks[list(expected)]:
        assert mask[round(float(y)), round(float(x))] == 1
    assert 0 < mask.mean() < 0.6


@pytest.mark.parametrize("weights", [SELF, SWAP])
def test_a_forgery_changes_its_region_alone(portraits, weights):
    portrait = portraits.portrait(1)
    for seed in range(8):
        forgery = forgeries.forge(portrait.image, portraits, 1, np.random.default_rng(seed), weights)
        changed = np.abs(forgery.image.astype(int) - portrait.image).max(-1)
        if forgery.kind.startswith("swap"):
            assert changed[forgery.mask == 0].max() <= 1
            assert changed[forgery.mask > 0.9].mean() > 3
        assert forgery.image.shape == portrait.image.shape
        assert forgery.mask.min() >= 0
        assert forgery.mask.max() <= 1


def test_a_whole_portrait_is_marked_everywhere(portraits, monkeypatch):
    painted = np.stack([np.full_like(portraits.portrait(i).image, 40) for i in range(len(portraits))])
    monkeypatch.setattr(portraits, "painted", {"latent8": painted, "face96": painted})
    base = portraits.portrait(0).image
    forgery = forgeries.forge(base, portraits, 0, np.random.default_rng(0), (0, 0, 0, 1))
    assert forgery.kind == "portrait"
    assert forgery.mask.min() == 1
    assert abs(float(forgery.image.mean()) - 40) < 2
    pasted = forgeries.forge(base, portraits, 0, np.random.default_rng(1), REGENERATED)
    assert pasted.kind.startswith("regenerated/")
    assert pasted.mask.min() == 0


def test_the_same_number_gives_the_same_pair_whatever_came_before(portraits):
    stream = PairStream(portraits, 4, seed=3)
    later = PairStream(portraits, 2, seed=3, start=2)
    for mine, theirs in zip(stream[2], later[0], strict=True):
        assert mine.equal(theirs)
    assert not stream[0][0].equal(stream[1][0])


def test_a_pair_has_crops_as_vision_cuts_them(portraits):
    pair = make_pair(portraits, 0, np.random.default_rng(5))
    assert pair.genuine.shape == pair.forged.shape == (CROP_SIZE_PX, CROP_SIZE_PX, 3)
    assert pair.mask.shape == (MASK_PX, MASK_PX)


def test_both_twins_make_the_same_journey(portraits):
    """Where nothing was forged nothing may differ: quality must never tell the two apart."""
    picture = portraits.portrait(0).image
    for seed in range(6):
        recipe = degrade.Recipe.draw(np.random.default_rng(seed))
        assert np.array_equal(recipe.apply(picture, 128), recipe.apply(picture.copy(), 128))


@pytest.mark.parametrize(("codec", "fine", "coarse"), [("libx264", 18, 36), ("mpeg1video", 2, 12), ("mpeg4", 2, 12)])
def test_video_coding_keeps_the_picture_and_costs_what_its_quality_says(portraits, codec, fine, coarse):
    picture = portraits.portrait(0).image

    def error(quality):
        return np.abs(degrade.video_coded(picture, codec, quality, 3, 1).astype(int) - picture).mean()

    assert 0.2 < error(fine) < error(coarse) < 12


def test_lay_over_puts_landmarks_on_landmarks():
    source = np.zeros((64, 64, 3), np.uint8)
    source[20:25, 30:35] = 255
    moved = warps.lay_over(source, np.array([[32, 22]], np.float32), np.array([[40, 40]], np.float32), 64)
    assert moved[40, 40, 0] > 200
    assert moved[22, 32, 0] < 50
