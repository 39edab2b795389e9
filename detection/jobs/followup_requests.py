"""What can be asked for of a finished run: its video under another light, its verdict under changed light."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from relitalk.light import PRESETS
from relitalk.request import ENGINE, VERSION, Request

MODULE = "space"  # whose verdict is looked at
DIRECTIONS = ("front", "left", "right", "top", "below")  # presets of relitalk.light
AS_IT_IS = "source"
STRETCH_S = 5.0  # two dozen faces of a person, as many as Space looks at


def relight(video_sha256: str, request: Request, *, keep_frames: bool) -> tuple[str, dict[str, Any]]:
    """Id and request of the follow-up that relights a run's video. The id is also the folder of its result."""
    return request.key(video_sha256), {"request": request.as_dict(), "keep_frames": keep_frames}


def changed_light(video_sha256: str) -> tuple[str, dict[str, Any]]:
    """The same for the verdict under changed light. A new engine makes it a new follow-up."""
    lights = {name: [PRESETS[name].azimuth_deg, PRESETS[name].elevation_deg] for name in DIRECTIONS}
    wanted = {"module": MODULE, "lights": lights, "stretch_s": STRETCH_S, "engine": ENGINE, "version": VERSION}
    text = json.dumps(["changed_light", video_sha256, wanted], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24], wanted
