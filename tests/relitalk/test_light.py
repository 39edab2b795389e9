from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relitalk.light import (
    PRESETS,
    Light,
    angle_between_deg,
    angles_of,
    direction_of,
    directions_grid,
    soft_cosine,
    spherical_harmonics,
    sweep,
)

azimuths = st.floats(-179, 179)
elevations = st.floats(-89, 89)


@given(azimuths, elevations)
def test_angles_and_direction_are_inverse(azimuth, elevation):
    back = angles_of(direction_of(azimuth, elevation))
    assert np.allclose(back, (azimuth, elevation), atol=1e-6)


def test_azimuth_is_the_viewers_right_and_elevation_is_up():
    assert np.allclose(direction_of(90, 0), (1, 0, 0))
    assert np.allclose(direction_of(0, 90), (0, 1, 0))
    assert np.allclose(direction_of(0, 0), (0, 0, 1))


@given(azimuths, elevations, st.floats(-1, 1), st.floats(0, 6.28))
def test_the_harmonics_shade_like_the_soft_cosine(azimuth, elevation, z, turn):
    radius = np.sqrt(1 - z * z)
    x, y = radius * np.cos(turn), radius * np.sin(turn)
    basis = np.array([1, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y])
    light = Light(azimuth, elevation, intensity=1.3, ambient=0.2)
    expected = 0.2 + 1.3 * soft_cosine(np.array([x, y, z]) @ light.direction)
    assert spherical_harmonics(light) @ basis == pytest.approx(float(expected), abs=1e-9)


def test_the_soft_cosine_follows_the_cosine():
    cosine = np.linspace(-1, 1, 101).astype(np.float32)
    assert np.abs(soft_cosine(cosine) - np.maximum(cosine, 0)).max() < 0.1


@pytest.mark.parametrize(
    "numbers",
    [
        {"azimuth_deg": 181},
        {"elevation_deg": -91},
        {"intensity": -1},
        {"intensity": 0, "ambient": 0},
        {"ambient": float("nan")},
        {"colour": (0, 0, 0)},
        {"softness": 2},
        {"fixed_to": "wall"},
    ],
)
def test_a_light_that_cannot_be_is_refused(numbers):
    with pytest.raises(ValueError):  # noqa: PT011 – each has its own words
        Light(**numbers)


def test_a_sweep_comes_round():
    light = PRESETS["left"]
    assert sweep(light, 0.0) == light
    assert sweep(light, 3.0, 6.0).azimuth_deg == pytest.approx(120)
    assert sweep(light, 6.0, 6.0).azimuth_deg == pytest.approx(light.azimuth_deg)


def test_the_grid_covers_the_viewers_hemisphere():
    grid = list(directions_grid())
    assert len(grid) == 36
    for azimuth in range(-80, 81, 20):
        for elevation in range(-60, 61, 20):
            wanted = direction_of(azimuth, elevation)
            assert min(angle_between_deg(wanted, d) for d in grid) < 30
