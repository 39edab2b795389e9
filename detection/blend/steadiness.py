"""Whether the light on a face agrees with itself over time, with the face's shape, with the neck and with other faces.

Measured and shown against genuine faces, and not weighed in the score: most of these quantities tell cameras and rooms
apart, and the one that may tell forgeries was seen to do so on the development clips alone (README of the module).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from detection.blend.light import FaceLight, light_on
from detection.inference.weights import WAY_OUT, WeightsCorrupt, verified_path
from detection.records.schema import Course, Deviation
from detection.vision.types import Person

ASSET = "blend_light"
FORMAT = 1
MAX_FACES = 60  # of a person, evenly over time: a chart needs no more
MIN_FACES = 10
UNITS = {"light swing": "°", "shading misfit": "", "light directedness": "×", "neck against face": "×"}
TOGETHER_S = 0.05  # two faces this close in time are in one frame

Floats = NDArray[np.float64]


def lights_on(person: Person) -> list[FaceLight]:
    """The light on the person's usable faces, in order of time; empty where they are too few."""
    usable = [face for face in person.faces if face.quality.usable]
    chosen = usable[:: -(-len(usable) // MAX_FACES) or 1]
    found = [light for face in chosen if (light := light_on(face)) is not None]
    return found if len(found) >= MIN_FACES else []


def measure(lights: Sequence[FaceLight]) -> dict[str, Floats]:
    """The quantities of UNITS over time, each of shape (N,)."""
    keys = np.array([light.key for light in lights])
    usual = np.median(keys, axis=0)
    return {
        "light swing": np.array([angle_deg(key, usual) for key in keys]),
        "shading misfit": np.array([light.misfit for light in lights]),
        "light directedness": np.linalg.norm(keys, axis=1),
        "neck against face": np.array([light.neck / max(light.brightness, 1e-4) for light in lights]),
    }


def value_of(series: Floats) -> float:
    """One number for a quantity over time: its median; NaN where it was not seen often enough."""
    seen = series[np.isfinite(series)]
    return float(np.median(seen)) if len(seen) >= MIN_FACES else float("nan")


def deviations(person: int, lights: Sequence[FaceLight]) -> list[Deviation]:
    """Every quantity of one person against genuine faces; none where no light was measured."""
    if not lights:
        return []
    times_s = np.array([light.time_s for light in lights])
    found = []
    for name, series in measure(lights).items():
        value, seen = value_of(series), np.isfinite(series)
        if np.isfinite(value):
            low, high = genuine_ranges()[name]
            found.append(
                Deviation(name, person, value, low, high, UNITS[name], _short(times_s[seen]), _short(series[seen]))
            )
    return found


def courses(person: int, lights: Mapping[int, Sequence[FaceLight]]) -> list[Course]:
    """Where one person's light comes from over time, and the angle between it and that on each other person."""
    own = lights[person]
    if not own:
        return []
    times_s = tuple(round(light.time_s, 3) for light in own)
    found = [
        Course("light azimuth", person, "°", times_s, _short([light.azimuth_deg for light in own])),
        Course("light elevation", person, "°", times_s, _short([light.elevation_deg for light in own])),
    ]
    for other in sorted(set(lights) - {person}):
        pairs = [(a, b) for a in own for b in lights[other] if abs(a.time_s - b.time_s) < TOGETHER_S]
        if pairs:
            angles = [angle_deg(a.key, b.key) for a, b in pairs]
            name = f"light against person {other}"
            found.append(Course(name, person, "°", _short([a.time_s for a, _ in pairs]), _short(angles)))
    return found


def angle_deg(a: Floats, b: Floats) -> float:
    """Between two directions."""
    length = max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12)
    return float(np.degrees(np.arccos(np.clip(a @ b / length, -1, 1))))


def _short(values: Sequence[float] | Floats) -> tuple[float, ...]:
    return tuple(float(f"{value:.4g}") for value in values)


@cache
def genuine_ranges() -> dict[str, tuple[float, float]]:
    """The 2.5th and 97.5th percentile of genuine clips, by quantity. Raises WeightsMissing, WeightsCorrupt."""
    path = verified_path(ASSET)
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["format"] != FORMAT:
            raise ValueError("another format")
        return {name: (float(stored["ranges"][name][0]), float(stored["ranges"][name][1])) for name in UNITS}
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise WeightsCorrupt(f"{path} does not hold the ranges ({error}). {WAY_OUT}") from error
