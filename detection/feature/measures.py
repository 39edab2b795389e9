"""All that the module measures of one person, in the order in which it is shown."""

from __future__ import annotations

from detection.feature.eyes import measure_eyes
from detection.feature.flicker import measure_flicker
from detection.feature.identity import measure_identity
from detection.feature.measure import Measure
from detection.feature.motion import measure_motion
from detection.feature.regions import align
from detection.feature.sequence import Sequence
from detection.feature.texture import measure_texture


def measure_all(sequence: Sequence) -> list[Measure]:
    aligned = align(sequence)
    return [
        *measure_identity(sequence),
        *measure_eyes(sequence),
        *measure_motion(sequence),
        *measure_texture(sequence, aligned),
        *measure_flicker(sequence, aligned),
    ]
