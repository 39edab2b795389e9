from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from relitalk.decompose import Decomposition, LightFit, SourceLight, decompose, sample_surface
from relitalk.geometry import GAMMA, Geometry
from relitalk.light import Light, angle_between_deg, direction_of
from relitalk.measure import gain_aligned, psnr_db, read_back, reconstruction
from relitalk.render import overlay, source_as_light


def painted(geometry: Geometry, light: SourceLight, albedo: float = 0.35, seed: int = 0) -> Geometry:
    """The same surface with skin of one albedo, a little noise, and brows, under a known light."""
    grain = np.random.default_rng(seed).normal(0, 0.03, geometry.matte.shape)
    even = albedo * np.exp(grain) * np.where(geometry.skin, 1.0, 0.6)
    linear = np.clip(even * light.irradiance(geometry), 0, 1)
    image = np.round(linear ** (1 / GAMMA) * 255).astype(np.uint8)
    return replace(geometry, image=np.repeat(image[..., None], 3, axis=2))


@pytest.mark.parametrize(
    ("azimuth", "elevation", "ambient"), [(-50, 20, 0.2), (35, 45, 0.3), (5, 30, 0.5), (70, 0, 0.15)]
)
def test_a_known_light_is_found_again(geometry, azimuth, elevation, ambient):
    true = SourceLight(azimuth, elevation, ambient, exposure=1.5)
    found = LightFit([sample_surface(painted(geometry, true))]).best()
    assert angle_between_deg(found.direction, true.direction) < 10
    assert found.ambient == pytest.approx(ambient, abs=0.1)
    assert found.misfit < 0.1


def test_read_back_says_how_far_off_the_light_is(geometry):
    sample = sample_surface(painted(geometry, SourceLight(-50, 20, 0.2, exposure=1.5)))
    _, error = read_back([sample], direction_of(0, 20))
    assert error == pytest.approx(47, abs=12)  # 50° of azimuth at 20° of elevation


def test_exposure_is_that_of_the_reference_light(geometry):
    front = SourceLight(0, 0, 0.15 / 1.15)
    found = LightFit([sample_surface(painted(geometry, front, 0.3))]).best()
    assert found.exposure * (found.ambient + 1 - found.ambient) == pytest.approx(1.15, abs=0.2)


def test_even_skin_has_an_even_albedo(geometry):
    light = SourceLight(-40, 20, 0.3, exposure=1.5)
    found = decompose([painted(geometry, light, albedo=0.35)], light)
    assert np.exp(found.skin_log) == pytest.approx(0.35, abs=0.03)
    assert np.abs(found.log_albedo).max() < 0.3
    assert np.median(np.abs(found.log_albedo)) < 0.03


def test_a_known_light_explains_its_picture(geometry):
    light = SourceLight(-40, 20, 0.3, exposure=1.5)
    wrong = SourceLight(70, -20, 0.1, exposure=1.5)
    frames = [painted(geometry, light, seed=seed) for seed in range(3)]
    good = reconstruction(frames, decompose(frames, light))
    assert good.psnr_db > 28
    turned = [frames[0], painted(geometry, SourceLight(60, 20, 0.3, exposure=1.5))]
    bad = reconstruction(turned, decompose(turned, wrong))
    assert bad.psnr_db < good.psnr_db - 5


def test_relighting_gives_what_the_other_light_would_have_given(geometry):
    light, other = SourceLight(-40, 20, 0.3, exposure=1.4), SourceLight(40, 20, 0.3, exposure=1.4)
    taken, wanted = painted(geometry, light), painted(geometry, other)
    asked = source_as_light(Decomposition(other, np.zeros((64, 64), np.float32), np.zeros(3)))
    made = overlay(taken, decompose([taken], light), asked)
    image = np.clip(taken.image / 255 * made.gain + made.added, 0, 1)
    mask = geometry.skin
    before = psnr_db(gain_aligned(taken.image / 255, wanted.image / 255, mask), wanted.image / 255, mask)
    after = psnr_db(gain_aligned(image, wanted.image / 255, mask), wanted.image / 255, mask)
    assert after > before + 8


def test_fits_fade_into_each_other():
    one = Decomposition(SourceLight(-40, 0, 0.2, 1.0), np.zeros((64, 64), np.float32), np.zeros(3))
    other = Decomposition(SourceLight(40, 0, 0.4, 4.0), np.ones((64, 64), np.float32), np.ones(3))
    middle = one.faded(other, 0.5)
    assert middle.light.azimuth_deg == pytest.approx(0)
    assert middle.light.exposure == pytest.approx(2)
    assert middle.log_albedo[0, 0] == pytest.approx(0.5)


def test_a_preset_light_leaves_what_is_not_the_person(geometry):
    found = decompose([geometry], LightFit([sample_surface(geometry)]).best())
    made = overlay(geometry, found, Light(60, 10))
    outside = geometry.matte == 0
    assert outside.any()
    assert np.all(made.gain[outside] == 1)
    assert np.all(made.added[outside] == 0)
