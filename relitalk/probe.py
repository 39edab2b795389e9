"""Measures taken while a clip is rendered: a few frames now and then, of the face that is lit most."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from relitalk.decompose import SurfaceSample, sample_surface
from relitalk.geometry import Geometry
from relitalk.identity import embed
from relitalk.light import Light
from relitalk.measure import Flicker, read_back

Array = NDArray[Any]

EVERY_S = 1.0
BURST = 5  # neighbouring frames each time, for the flicker
MAX_SAMPLES = 12


class Probe:
    """Watches one face from source to relit frame. Bounded work and memory: a burst of frames every EVERY_S seconds."""

    def __init__(self, light: Light, moving: bool) -> None:
        self._light = light
        self._moving = moving  # the light turns: there is no one direction to read back
        self._source, self._relit = Flicker(), Flicker()
        self._track: int | None = None
        self._samples: list[SurfaceSample] = []
        self._step, self._bursts, self._in_burst = 1, 0, 0
        self._next_s = 0.0
        self._similarity: list[float] = []

    def add(
        self, *, track: int, time_s: float, geometry: Geometry, landmarks_px: Array, source: Array, relit: Array
    ) -> None:
        """One face of one frame: the frames (H, W, 3) before and after."""
        if track != self._track:
            self._gap()
            self._track = track
        if time_s < self._next_s:
            return
        before = sample_surface(geometry)
        after = sample_surface(geometry, geometry.canvas.cut(relit))
        self._source.add(before)
        self._relit.add(after)
        if self._in_burst == 0:
            self._similarity.append(float(embed(source, landmarks_px) @ embed(relit, landmarks_px)))
            if self._bursts % self._step == 0:
                self._samples.append(after)
                if len(self._samples) > MAX_SAMPLES:
                    self._samples, self._step = self._samples[::2], self._step * 2
            self._bursts += 1
        self._in_burst += 1
        if self._in_burst >= BURST:
            self._gap()
            self._next_s = time_s + EVERY_S

    def _gap(self) -> None:
        self._source.gap()
        self._relit.gap()
        self._in_burst = 0

    @property
    def identity_similarity(self) -> float | None:
        return float(np.mean(self._similarity)) if self._similarity else None

    @property
    def flicker(self) -> tuple[float | None, float | None]:
        """Of the source and of the relit frames."""
        return self._source.value, self._relit.value

    def direction_error_deg(self) -> float | None:
        """Between the light asked for and the one estimated from the relit frames; None for a soft or a moving
        light.
        """
        light = self._light
        if self._moving or light.softness > 0.5 or light.fixed_to == "head" or light.intensity < light.ambient:
            return None
        found = read_back(self._samples, light.direction)
        return found[1] if found else None
