"""Stills as a program: `python -m relitalk.still_process` answers requests on its input until that is closed.

A process of its own, so that a decoder that crashes takes no page along. A request is a line of JSON, `{"video": path,
"time_s": 1.5, "light": {…}}`, without a light for the frame as it is; an answer is a line of JSON, `{"bytes": n,
"time_s": …, "source_lights": […]}` and n bytes of JPEG, or `{"error": …, "reason": …}`. The lights are those that the
faces were taken in, from left to right. The pictures of the last few requests stay taken apart, so that another light
costs some 50 ms.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import cv2
from numpy.typing import NDArray

from relitalk.decompose import SourceLight
from relitalk.errors import RelightError
from relitalk.excerpt import picture_at
from relitalk.request import Request
from relitalk.still import Still, prepare_still

Array = NDArray[Any]

MAX_SIDE_PX = 1280
JPEG_QUALITY = 88
KEPT = 4


@dataclass(frozen=True)
class _Picture:
    image: Array
    time_s: float

    @cached_property
    def still(self) -> Still:
        return prepare_still(self.image)


@lru_cache(KEPT)
def _picture(video: str, time_s: float) -> _Picture:
    image, shown_s = picture_at(Path(video), time_s)
    scale = MAX_SIDE_PX / max(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return _Picture(image, shown_s)


def answer(asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Header and JPEG of one request. Raises ValueError for what is none, RelightError."""
    picture = _picture(str(asked["video"]), round(float(asked["time_s"]), 3))
    header: dict[str, Any] = {"time_s": picture.time_s}
    image = picture.image
    if asked.get("light") is not None:
        image = picture.still.relight(Request.from_dict({"light": asked["light"]}).light)
        header["source_lights"] = [
            {"azimuth_deg": round(found.azimuth_deg, 1), "elevation_deg": round(found.elevation_deg, 1)}
            for found in _from_left_to_right(picture.still)
        ]
    done, jpeg = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert done, "any uint8 picture can be written as JPEG"
    data = jpeg.tobytes()
    return header | {"bytes": len(data)}, data


def _from_left_to_right(still: Still) -> list[SourceLight]:
    """The light on each face as it was taken."""
    faces = zip(still.landmarks_px, still.source_lights, strict=True)
    return [light for _, light in sorted(faces, key=lambda face: float(face[0][:, 0].mean()))]


def main() -> None:
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print must not come between the answers
    for line in sys.stdin.buffer:
        try:
            header, data = answer(json.loads(line))
        except RelightError as error:
            header, data = {"error": str(error), "reason": error.reason}, b""
        except (KeyError, TypeError, ValueError) as error:
            header, data = {"error": f"This is no request for a still: {error}", "reason": None}, b""
        output.write(json.dumps(header).encode() + b"\n" + data)
        output.flush()


if __name__ == "__main__":
    main()
