"""What changes between neighbouring frames once motion is taken away.

Each frame is compared with the next and with the one after that, both warped onto it by dense optical flow (DIS,
Kroeger et al., ECCV 2016). What a camera sees changes little and goes on changing: twice the time, more change. What a
generator paints anew in every frame "boils": it differs from the very next frame as much as from any later one.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.feature.measure import Measure, median, with_series
from detection.feature.regions import SIZE_PX, Aligned
from detection.feature.sequence import Sequence

MAX_TRIPLES = 64  # evenly spread over a longer sequence: each costs two flows
FINE_PX, COARSE_PX = 1.2, 4.0  # standard deviations that part fine, middle and coarse detail
POWER_FLOOR = 1e-3  # grey levels squared, far below the noise of any codec
COLOUR_FLOOR = 0.02  # grey levels

Floats = NDArray[np.float64]
BANDS = ("fine", "middle", "coarse")


def measure_flicker(sequence: Sequence, aligned: Aligned) -> list[Measure]:
    starts = np.flatnonzero(sequence.triples)
    if len(starts) > MAX_TRIPLES:
        starts = starts[np.unique(np.linspace(0, len(starts) - 1, MAX_TRIPLES).round().astype(int))]
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    looks = [_Look(aligned, int(start), flow) for start in starts]
    times_s = sequence.times_s[starts]

    def ratio(name: str, above: Floats, below: Floats) -> Measure:
        """Of two logarithms over time: the ratio of their medians, and its course."""
        return with_series(name, float(np.exp(median(above) - median(below))), times_s, np.exp(above - below))

    def near(band: str, region: str) -> Floats:
        return np.array([look.near[band, region] for look in looks])

    growth = {
        region: np.array([look.far["coarse", region] - look.near["coarse", region] for look in looks])
        for region in ("skin", "outside")
    }
    restless = np.array([look.near["middle", "inside"] - look.detail for look in looks])
    swing = np.abs(restless - restless.mean())
    colour = np.array([look.colour for look in looks])
    # The difference of two bands inside, less that outside: medians do not add up, so take them one by one.
    inside, outside = (median(near("fine", r)) - median(near("middle", r)) for r in ("inside", "outside"))
    course = near("fine", "inside") - near("middle", "inside") - near("fine", "outside") + near("middle", "outside")
    return [
        with_series("skin flicker growth", float(np.exp(median(growth["skin"]))), times_s, np.exp(growth["skin"])),
        with_series(
            "skin flicker growth against surroundings",
            float(np.exp(median(growth["skin"] - growth["outside"]))),
            times_s,
            np.exp(growth["skin"] - growth["outside"]),
        ),
        with_series("flicker variation", float(restless.std()), times_s, swing, unit=""),
        with_series("skin brightness flicker", median(colour), times_s, colour, unit="grey levels"),
        ratio("skin flicker grain", near("fine", "skin"), near("coarse", "skin")),
        ratio("border flicker grain", near("fine", "border"), near("coarse", "border")),
        ratio("mouth flicker", near("fine", "mouth"), near("fine", "skin")),
        with_series("flicker grain inside against outside", float(np.exp(inside - outside)), times_s, np.exp(course)),
    ]


class _Look:
    """One frame against the next (`near`) and the one after it (`far`): log strength of the change by band and region.

    `detail` is the log strength of the frame's own middle detail inside the face, `colour` the mean change of the skin.
    """

    def __init__(self, aligned: Aligned, start: int, flow: cv2.DISOpticalFlow) -> None:
        first = aligned.colour[start]
        grey = aligned.grey[start].astype(np.uint8)
        changes = []
        for other in (start + 1, start + 2):
            motion = flow.calc(grey, aligned.grey[other].astype(np.uint8), None)
            warped = cv2.remap(
                aligned.colour[other],
                *_grid(motion),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REFLECT_101,
            )
            changes.append(warped.astype(np.float32) - first)
        self.near, self.far = (_strengths(change, aligned.regions) for change in changes)
        self.detail = _log_rms(split_bands(aligned.grey[start])["middle"], aligned.regions["inside"])
        skin = changes[0].reshape(-1, 3)[aligned.regions["skin"]]
        self.colour = float(np.abs(skin.mean(axis=0)).mean() + COLOUR_FLOOR)


def split_bands(grey: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """A picture (H, W) in three parts that add up to it."""
    soft, coarse = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (FINE_PX, COARSE_PX))
    return dict(zip(BANDS, (grey - soft, soft - coarse, coarse), strict=True))


def _strengths(change: NDArray[np.float32], regions: dict[str, NDArray[np.int64]]) -> dict[tuple[str, str], float]:
    bands = split_bands(cv2.cvtColor(change, cv2.COLOR_RGB2GRAY))
    return {(b, r): _log_rms(part, pixels) for b, part in bands.items() for r, pixels in regions.items()}


def _log_rms(picture: NDArray[np.float32], pixels: NDArray[np.int64]) -> float:
    if not len(pixels):
        return float("nan")
    values = picture.ravel()[pixels]
    return 0.5 * float(np.log(np.dot(values, values) / len(values) + POWER_FLOOR))


_YS, _XS = np.mgrid[0:SIZE_PX, 0:SIZE_PX].astype(np.float32)


def _grid(motion: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return _XS + motion[..., 0], _YS + motion[..., 1]
