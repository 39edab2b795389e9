"""The light: what a person asks for, and what the shading needs of it.

Directions are as the viewer sees the picture: azimuth + is right, elevation + is up, (0, 0) comes from the camera.
Vectors are (right, up, towards the viewer).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Frame = Literal["scene", "head"]


@dataclass(frozen=True)
class Light:
    """One directional key light and an even ambient light.

    `intensity` and `ambient` are irradiances relative to the reference exposure: a face lit from the front with
    intensity 1 and ambient 0.15 is as bright as it was in the clip. `softness` 0 is a point-like source with a cast
    shadow, 1 a source as large as the sky's half (order-2 spherical harmonics, no shadow edge). `fixed_to` says what
    the direction is relative to: the scene, or the head as it turns.
    """

    azimuth_deg: float = 0.0
    elevation_deg: float = 0.0
    intensity: float = 1.0
    ambient: float = 0.15
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    softness: float = 0.0
    fixed_to: Frame = "scene"

    def __post_init__(self) -> None:
        numbers = (self.azimuth_deg, self.elevation_deg, self.intensity, self.ambient, self.softness, *self.colour)
        if not all(math.isfinite(n) for n in numbers):
            raise ValueError("A light's numbers must be finite.")
        if not -180 <= self.azimuth_deg <= 180:
            raise ValueError(f"azimuth {self.azimuth_deg:g}° is outside -180..180; + is the viewer's right")
        if not -90 <= self.elevation_deg <= 90:
            raise ValueError(f"elevation {self.elevation_deg:g}° is outside -90..90; + is up")
        if not 0 <= self.intensity <= 10 or not 0 <= self.ambient <= 10:
            raise ValueError("intensity and ambient must be between 0 and 10")
        if self.intensity + self.ambient <= 0:
            raise ValueError("a light without intensity and ambient shows nothing; give one of them")
        if len(self.colour) != 3 or not all(0 <= c <= 4 for c in self.colour) or max(self.colour) <= 0:
            raise ValueError("colour is three linear-light factors between 0 and 4, not all 0")
        if not 0 <= self.softness <= 1:
            raise ValueError("softness must be between 0 and 1")
        if self.fixed_to not in ("scene", "head"):
            raise ValueError('a light is fixed to the "scene" or to the "head"')

    @property
    def direction(self) -> Vector:
        """Unit vector from the face towards the light, shape (3,)."""
        return direction_of(self.azimuth_deg, self.elevation_deg)


def direction_of(azimuth_deg: float, elevation_deg: float) -> Vector:
    """Unit vector (right, up, viewer) of a direction in degrees, shape (3,)."""
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    flat = math.cos(elevation)
    return np.array([math.sin(azimuth) * flat, math.sin(elevation), math.cos(azimuth) * flat])


def angles_of(direction: Vector) -> tuple[float, float]:
    """Azimuth and elevation in degrees of a vector (right, up, viewer); the inverse of `direction_of`."""
    x, y, z = direction / np.linalg.norm(direction)
    return math.degrees(math.atan2(x, z)), math.degrees(math.asin(min(1.0, max(-1.0, y))))


def angle_between_deg(one: Vector, other: Vector) -> float:
    """The angle between two directions, in degrees."""
    cosine = float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
    return math.degrees(math.acos(min(1.0, max(-1.0, cosine))))


def soft_cosine(cosine: NDArray[np.float32]) -> NDArray[np.float32]:
    """Irradiance of a directional light in order-2 spherical harmonics, per unit of the light (Ramamoorthi and
    Hanrahan 2001).

    `cosine` is n·l; the result approximates max(0, n·l) without its kink, and is never negative above -0.04.
    """
    soft: NDArray[np.float32] = 0.25 + 0.5 * cosine + (5 / 32) * (3 * cosine * cosine - 1)
    return soft


def spherical_harmonics(light: Light) -> NDArray[np.float64]:
    """The light as 9 grey irradiance coefficients over the basis 1, y, z, x, xy, yz, 3z²−1, xz, x²−y², shape (9,).

    Shading a unit normal is the dot product of these with that basis (no further constants).
    """
    x, y, z = light.direction
    k = light.intensity
    c2 = 5 / 32  # of 3(n·l)² − 1, split over the five second-order terms
    key = [0.25, 0.5 * y, 0.5 * z, 0.5 * x, 6 * c2 * x * y, 6 * c2 * y * z, c2 * (3 * z * z - 1) / 2, 6 * c2 * x * z]
    key.append(3 * c2 * (x * x - y * y) / 2)
    coefficients = k * np.array(key)
    coefficients[0] += light.ambient
    return coefficients


PRESETS: dict[str, Light] = {
    "front": Light(0, 10),
    "left": Light(-60, 15, intensity=1.3),
    "right": Light(60, 15, intensity=1.3),
    "top": Light(0, 60, intensity=1.4),
    "below": Light(0, -40, intensity=1.2),
    "rembrandt": Light(-45, 40, intensity=1.4, ambient=0.12),
    "split": Light(90, 5, intensity=1.5, ambient=0.08),
    "sunset": Light(65, 8, intensity=1.5, ambient=0.15, colour=(1.0, 0.72, 0.45), softness=0.15),
    "normalised": Light(0, 10, intensity=0.75, ambient=0.4, softness=1.0),
}


def sweep(light: Light, seconds: float, period_s: float = 6.0) -> Light:
    """`light` turned around the head: a full circle every `period_s`, starting at the light's own azimuth."""
    azimuth = light.azimuth_deg + 360.0 * seconds / period_s
    return replace(light, azimuth_deg=(azimuth + 180.0) % 360.0 - 180.0)


def directions_grid(count: int = 36) -> Iterator[Vector]:
    """`count` directions spread evenly over the hemisphere of the viewer and a little behind (Fibonacci lattice)."""
    golden = math.pi * (3 - math.sqrt(5))
    for i in range(count):
        z = 1 - 1.25 * (i + 0.5) / count  # down to 14° behind the picture plane: rim light
        radius = math.sqrt(max(0.0, 1 - z * z))
        yield np.array([radius * math.cos(golden * i), radius * math.sin(golden * i), z])
