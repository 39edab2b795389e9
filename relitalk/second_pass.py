"""The second pass over a clip: every frame gets the new light.

Landmarks are smoothed over the frames on either side, and so is, after that, the light on the face (`relitalk.steady`):
a frame leaves a few frames after it came. Frames are lit in order, and no more are kept than that takes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from av.packet import Packet
from numpy.typing import NDArray

from relitalk.analysis import ClipPlan, TrackPlan
from relitalk.composite import Compositor
from relitalk.faces import FaceFollower, smooth
from relitalk.geometry import build_geometry
from relitalk.light import Light, sweep
from relitalk.measure import Measures
from relitalk.probe import Probe
from relitalk.render import overlay
from relitalk.request import ENGINE, NOT_EVIDENCE, VERSION
from relitalk.steady import STEADY_FRAMES, Lit, reach_s, steadied
from relitalk.video import ClipFrame, ClipReader, ClipWriter

Array = NDArray[Any]

DETECT_EVERY_S = 0.5
FADE_IN_S = 0.25  # of a face that turns up in the middle of a shot
LOOK_AHEAD = 3  # frames on either side that landmarks are smoothed over
LOOK_AHEAD_LARGE = 2  # … of pictures beyond 1440p, whose frames are heavy
_LARGE_PIXELS = 2560 * 1440
_NEAR = 1.0  # face sizes within which a followed face is the one that was analysed


@dataclass(frozen=True)
class Options:
    """`person` relights that one alone (numbers as in the report). `sweep_period_s` turns the light around the head.

    `frames_dir` gets every relit frame as PNG. `device` is auto, cpu or cuda.
    """

    person: int | None = None
    sweep_period_s: float | None = None
    frames_dir: Path | None = None
    device: str = "auto"


@dataclass
class _Track:
    """A followed face. `plan` is what the analysis knows of it, None for a face that is not to be relit."""

    plan: TrackPlan | None
    since_s: float
    from_start: bool  # of the shot: nothing to fade in from
    last_matte: Array | None = None


@dataclass
class _Moment:
    """One frame on its way through the window. By track number: `landmarks` as they were followed, and, once it is
    lit, what the light does to each face. `image` is let go of when the frame was written.
    """

    frame: ClipFrame
    shot: int
    image: Array | None
    landmarks: dict[int, Array]
    lit: dict[int, Lit] | None = None


class SecondPass:
    """Relights one clip. `frames`, `frames_relit`, `frames_without_face` and `measures` say what was done."""

    def __init__(self, plan: ClipPlan, light: Light, options: Options, compositor: Compositor) -> None:
        self.frames = self.frames_relit = self.frames_without_face = 0
        self._plan, self._light, self._options, self._compositor = plan, light, options, compositor
        self._shot = -1
        self._shot_start_s = 0.0
        self._tracks: dict[int, _Track] = {}
        self._probe = Probe(light, moving=options.sweep_period_s is not None)
        width, height = plan.size_px
        self._radius = LOOK_AHEAD_LARGE if width * height > _LARGE_PIXELS else LOOK_AHEAD
        self._reach_s = reach_s(options.sweep_period_s)
        self._window: deque[_Moment] = deque()

    def run(self, video: Path, out: Path, step: Callable[[int], None]) -> None:
        metadata = {"comment": f"{NOT_EVIDENCE}; {ENGINE} {VERSION}; {self._light}", "description": NOT_EVIDENCE}
        early: list[Packet[Any]] = []  # sound that comes before the first picture
        with ClipReader.open(video) as clip, ExitStack() as stack:
            writer: ClipWriter | None = None
            follower = FaceFollower(round(DETECT_EVERY_S * clip.rate))
            cuts = self._plan.cuts()

            def on_audio(packet: Packet[Any]) -> None:
                writer.write_audio(packet) if writer is not None else early.append(packet)

            for frame in clip.frames(on_audio):
                image = frame.image
                if writer is None:
                    size = (image.shape[1], image.shape[0])
                    writer = stack.enter_context(ClipWriter.open(out, clip.format, size, metadata))
                    for packet in early:
                        writer.write_audio(packet)
                if image.shape[:2] != (size[1], size[0]):
                    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
                self._take(frame, image, follower, frame.index in cuts)
                self._advance(writer)
                step(frame.index + 1)
            if writer is not None:
                self._advance(writer, at_end=True)

    def _take(self, frame: ClipFrame, image: Array, follower: FaceFollower, cut: bool) -> None:
        """Follows the faces into a new frame and puts it at the end of the window."""
        if cut:
            self._shot += 1
            self._shot_start_s = frame.time_s
            self._tracks = {n: t for n, t in self._tracks.items() if any(n in m.landmarks for m in self._window)}
        faces = follower.step(image, cut)
        for number, landmarks in faces.items():
            if number not in self._tracks:
                plan = self._plan_of(landmarks, frame.time_s)
                self._tracks[number] = _Track(plan, frame.time_s, frame.time_s <= self._shot_start_s)
            elif follower.refreshed and self._tracks[number].plan is None:
                self._tracks[number].plan = self._plan_of(landmarks, frame.time_s)
        self._window.append(_Moment(frame, self._shot, image, faces))

    def _plan_of(self, landmarks_px: Array, time_s: float) -> TrackPlan | None:
        tracks = self._plan.shots[self._shot].tracks
        found = min(tracks, key=lambda t: t.distance(landmarks_px, time_s), default=None)
        if found is None or found.distance(landmarks_px, time_s) > _NEAR:
            return None
        return found if self._options.person in (None, found.person) else None

    def _advance(self, writer: ClipWriter, at_end: bool = False) -> None:
        """Lights the frames whose neighbours have come, writes those whose neighbours are lit, and lets go of what is
        too old to matter.
        """
        unlit = [m for m in self._window if m.lit is None]
        for moment in unlit if at_end else unlit[: -self._radius]:
            moment.lit = self._light_up(moment)
        waiting = [m for m in self._window if m.lit is not None and m.image is not None]
        for moment in waiting if at_end else waiting[:-STEADY_FRAMES]:
            writer.write(self._render(moment), moment.frame.pts)
            moment.image = None
        while len(self._window) > self._radius + max(self._radius, 2 * STEADY_FRAMES):
            self._window.popleft()

    def _light_up(self, moment: _Moment) -> dict[int, Lit]:
        """What the light does to each face of a frame, from this frame alone."""
        assert moment.image is not None
        time_s, period = moment.frame.time_s, self._options.sweep_period_s
        light = self._light if period is None else sweep(self._light, time_s, period)
        smoothed = {number: self._smoothed(number, moment) for number in moment.landmarks}
        lit = {}
        for number, landmarks in smoothed.items():
            track = self._tracks[number]
            if track.plan is None:
                continue
            geometry = build_geometry(moment.image, landmarks, track.last_matte)
            track.last_matte = geometry.matte
            others = [points for other, points in smoothed.items() if other != number]
            found = track.plan.decomposition_at(time_s)
            presence = self._presence(number, track, moment)
            lit[number] = Lit(
                time_s, landmarks, geometry, overlay(geometry, found, light, presence=presence, others=others)
            )
        return lit

    def _render(self, moment: _Moment) -> Array:
        """A frame under its steadied light."""
        assert moment.image is not None
        assert moment.lit is not None
        self.frames += 1
        self.frames_without_face += not moment.landmarks
        overlays = [
            steadied(lit, self._neighbours(number, moment), self._reach_s) for number, lit in moment.lit.items()
        ]
        relit = self._compositor.apply(moment.image, overlays) if overlays else moment.image
        self.frames_relit += bool(overlays)
        if moment.lit:
            number, lit = next(iter(moment.lit.items()))
            self._probe.add(
                track=number,
                time_s=lit.time_s,
                geometry=lit.geometry,
                landmarks_px=lit.landmarks_px,
                source=moment.image,
                relit=relit,
            )
        if self._options.frames_dir is not None:
            _save_png(self._options.frames_dir, moment.frame.index, relit)
        return relit

    def _near(self, moment: _Moment, frames: int) -> list[_Moment]:
        """Itself and as many frames on either side, as far as they are in the window."""
        return [m for m in self._window if abs(m.frame.index - moment.frame.index) <= frames]

    def _neighbours(self, number: int, moment: _Moment) -> list[Lit]:
        """The same face in the frames just before and after, as far as it is followed."""
        near = (m.lit for m in self._near(moment, STEADY_FRAMES) if m is not moment)
        return [lit[number] for lit in near if lit and number in lit]

    def _smoothed(self, number: int, moment: _Moment) -> Array:
        near = [m for m in self._near(moment, self._radius) if number in m.landmarks]
        return smooth([m.frame.time_s for m in near], [m.landmarks[number] for m in near], moment.frame.time_s)

    def _presence(self, number: int, track: _Track, moment: _Moment) -> float:
        """1, less where the face has just come or is about to go in the middle of a shot."""
        since = 1.0 if track.from_start else (moment.frame.time_s - track.since_s) / FADE_IN_S
        following = [m for m in self._window if m.frame.index > moment.frame.index and m.shot == moment.shot]
        staying = sum(number in m.landmarks for m in following)
        return float(np.clip(min(since, (staying + 1) / (len(following) + 1)), 0, 1))

    def measures(self) -> Measures:
        rebuilt = self._plan.reconstruction
        before, after = self._probe.flicker
        return Measures(
            reconstruction_psnr_db=rebuilt.psnr_db if rebuilt else None,
            reconstruction_ssim=rebuilt.ssim if rebuilt else None,
            identity_similarity=self._probe.identity_similarity,
            flicker_source=before,
            flicker_relit=after,
            direction_error_deg=self._probe.direction_error_deg(),
        )


def _save_png(folder: Path, index: int, image: Array) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(".png", image[:, :, ::-1])
    assert done, "any uint8 picture can be written as PNG"
    (folder / f"{index:06d}.png").write_bytes(data.tobytes())
