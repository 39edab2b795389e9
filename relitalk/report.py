"""What a relit clip is: the account that is kept beside the video."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from relitalk.light import Light
from relitalk.measure import Measures
from relitalk.request import NOT_EVIDENCE


@dataclass(frozen=True)
class FoundLight:
    """The light that a person was taken in, from `from_s` on; degrees as the viewer sees them.

    `ambient` 0..1 is the even part of the whole; `misfit` 0 would be a perfect explanation.
    """

    person: int
    from_s: float
    azimuth_deg: float
    elevation_deg: float
    ambient: float
    misfit: float


@dataclass(frozen=True)
class Person:
    """Someone in the clip. Numbers begin at 1."""

    number: int
    first_seen_s: float


@dataclass(frozen=True)
class Report:
    """What was done to a clip. `frames_without_face` were kept as they are; so were frames in which only others are
    seen.
    """

    engine: str
    version: str
    device: str
    light: Light
    person: int | None
    sweep_period_s: float | None
    frames: int
    frames_relit: int
    frames_without_face: int
    shots: int
    people: tuple[Person, ...]
    source_lights: tuple[FoundLight, ...]
    measures: Measures
    seconds: float
    frames_per_second: float
    mark: str = NOT_EVIDENCE

    def as_dict(self) -> dict[str, Any]:
        """JSON's types alone."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain
