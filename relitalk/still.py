"""One picture under another light, at once: what a page shows while a light is being chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from detection.records.schema import Reason
from relitalk.composite import CpuCompositor
from relitalk.decompose import Decomposition, LightFit, SourceLight, decompose, sample_surface
from relitalk.errors import RelightError
from relitalk.faces import detect
from relitalk.geometry import Geometry, build_geometry
from relitalk.light import Light
from relitalk.render import overlay

Array = NDArray[Any]


@dataclass(frozen=True)
class Still:
    """A picture taken apart: relighting it again, for another light, takes some 50 ms a face.

    `landmarks_px` (468, 3), `geometries` and `decompositions` belong together, the largest face first.
    """

    image: Array
    landmarks_px: tuple[Array, ...]
    geometries: tuple[Geometry, ...]
    decompositions: tuple[Decomposition, ...]

    @property
    def source_lights(self) -> tuple[SourceLight, ...]:
        """The light on each face as it was taken."""
        return tuple(d.light for d in self.decompositions)

    def relight(self, light: Light, face: int | None = None) -> Array:
        """The picture (H, W, 3) with every face, or only face number `face` (from 0), under `light`."""
        overlays = []
        for number, (geometry, found) in enumerate(zip(self.geometries, self.decompositions, strict=True)):
            if face is None or face == number:
                others = [points for other, points in enumerate(self.landmarks_px) if other != number]
                overlays.append(overlay(geometry, found, light, others=others))
        return CpuCompositor().apply(self.image, overlays)


def prepare_still(image: Array) -> Still:
    """Takes an RGB picture (H, W, 3) uint8 apart. Raises RelightError when no face is in it."""
    faces = detect(image)
    if not faces:
        raise RelightError(
            "No face of at least 40 pixels was found in this picture. Choose a moment at which one is seen.",
            Reason.NO_FACE,
        )
    geometries = tuple(build_geometry(image, landmarks) for landmarks in faces)
    lights = [LightFit([sample_surface(geometry)]).best() for geometry in geometries]
    found = tuple(decompose([geometry], light) for geometry, light in zip(geometries, lights, strict=True))
    return Still(image, tuple(faces), geometries, found)


def relight_still(image: Array, light: Light, face: int | None = None) -> Array:
    """An RGB picture (H, W, 3) uint8 under `light`. Raises RelightError when no face is in it."""
    return prepare_still(image).relight(light, face)
