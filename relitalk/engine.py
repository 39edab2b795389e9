"""The door to the embedded engine: a clip goes in, the same clip under another light comes out.

Two passes. The first (`relitalk.analysis`) finds shots, people and the light of each; the second, here, follows the
faces through every frame and relights it. Neither keeps more than a few frames.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from av.packet import Packet
from numpy.typing import NDArray

from relitalk.analysis import ClipPlan, TrackPlan, analyse
from relitalk.composite import Compositor, best_compositor
from relitalk.errors import Cancelled, Fault, RelightError
from relitalk.faces import FaceFollower, smooth
from relitalk.geometry import Geometry, build_geometry
from relitalk.light import Light, sweep
from relitalk.measure import Measures
from relitalk.probe import Probe
from relitalk.render import Overlay, overlay
from relitalk.report import Person, Report
from relitalk.request import ENGINE, NOT_EVIDENCE, VERSION
from relitalk.steady import Steadier, memory_s
from relitalk.video import ClipFrame, ClipReader, ClipWriter

Array = NDArray[Any]

DETECT_EVERY_S = 0.5
FADE_IN_S = 0.25  # of a face that turns up in the middle of a shot
LOOK_AHEAD = 3  # frames on either side that landmarks are smoothed over
LOOK_AHEAD_LARGE = 2  # … of pictures beyond 1440p, whose frames are heavy
_LARGE_PIXELS = 2560 * 1440
_NEAR = 1.0  # face sizes within which a followed face is the one that was analysed


@dataclass(frozen=True)
class Progress:
    """`stage` is "analyse" or "render"; `total` is None where the file does not say how many frames it has."""

    stage: str
    done: int
    total: int | None


@dataclass(frozen=True)
class Options:
    """`person` relights that one alone (numbers as in the report). `sweep_period_s` turns the light around the head.

    `frames_dir` gets every relit frame as PNG. `device` is auto, cpu or cuda.
    """

    person: int | None = None
    sweep_period_s: float | None = None
    frames_dir: Path | None = None
    device: str = "auto"


def relight(
    video: Path,
    light: Light,
    out: Path,
    *,
    options: Options | None = None,
    plan: ClipPlan | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Report:
    """Writes `video` under `light` to `out` (MP4) and says what was done. `out` appears when it is whole, or not at
    all. `plan` is the first pass over this very file (`relitalk.analysis.analyse`), where it was made before.

    Raises RelightError (with the reason), Cancelled when `cancelled()` turned true, and what `progress` raises.
    """
    options = options or Options()
    begun = time.monotonic()
    if options.sweep_period_s is not None and not 0.5 <= options.sweep_period_s <= 600:
        raise RelightError("A sweep takes between 0.5 and 600 seconds.")
    compositor = best_compositor(options.device)

    def step(stage: str, total: int | None) -> Callable[[int], None]:
        def stepped(done: int) -> None:
            if cancelled():
                raise Cancelled(f"Relighting {video.name} was cancelled.")
            progress(Progress(stage, done, total))

        return stepped

    plan = plan or analyse(video, step("analyse", _declared_frames(video)))
    if options.person is not None and options.person not in {number for number, _ in plan.people}:
        known = ", ".join(f"{number} (from {first:.1f} s)" for number, first in plan.people)
        raise RelightError(
            f"There is no person {options.person} in {video.name}; there are {known}.", Fault.NO_SUCH_PERSON
        )
    work = _Rendering(plan, light, options, compositor)
    work.run(video, out, step("render", plan.frames))
    seconds = time.monotonic() - begun
    return Report(
        engine=ENGINE,
        version=VERSION,
        device=compositor.name,
        light=light,
        person=options.person,
        sweep_period_s=options.sweep_period_s,
        frames=work.frames,
        frames_relit=work.frames_relit,
        frames_without_face=work.frames_without_face,
        shots=len(plan.shots),
        people=tuple(Person(number, round(first, 3)) for number, first in plan.people),
        source_lights=plan.found_lights(),
        measures=work.measures(),
        seconds=round(seconds, 3),
        frames_per_second=round(work.frames / max(seconds, 1e-6), 3),
    )


def _declared_frames(video: Path) -> int | None:
    with ClipReader.open(video) as clip:
        return clip.stream.frames or None


@dataclass
class _Track:
    """A followed face. `plan` is what the analysis knows of it, None for a face that is not to be relit."""

    plan: TrackPlan | None
    since_s: float
    from_start: bool  # of the shot: nothing to fade in from
    steadier: Steadier
    last_matte: Array | None = None


@dataclass
class _Moment:
    """One frame on its way through the window, and the landmarks by track number."""

    frame: ClipFrame
    shot: int
    image: Array | None
    faces: dict[int, Array] = field(default_factory=dict)


class _Rendering:
    """The second pass."""

    def __init__(self, plan: ClipPlan, light: Light, options: Options, compositor: Compositor) -> None:
        self.frames = self.frames_relit = self.frames_without_face = 0
        self._plan, self._light, self._options, self._compositor = plan, light, options, compositor
        self._memory_s = memory_s(options.sweep_period_s)
        self._shot = -1
        self._shot_start_s = 0.0
        self._tracks: dict[int, _Track] = {}
        self._probe = Probe(light, moving=options.sweep_period_s is not None)
        width, height = plan.size_px
        self._radius = LOOK_AHEAD_LARGE if width * height > _LARGE_PIXELS else LOOK_AHEAD
        self._window: deque[_Moment] = deque()
        self._ahead = 0  # moments at the window's end that are not rendered yet

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
                if self._ahead > self._radius:
                    self._emit(writer)
                step(frame.index + 1)
            while writer is not None and self._ahead:
                self._emit(writer)

    def _take(self, frame: ClipFrame, image: Array, follower: FaceFollower, cut: bool) -> None:
        """Follows the faces into a new frame and puts it at the end of the window."""
        if cut:
            self._shot += 1
            self._shot_start_s = frame.time_s
            self._tracks = {n: t for n, t in self._tracks.items() if any(n in m.faces for m in self._window)}
        faces = follower.step(image, cut)
        for number, landmarks in faces.items():
            if number not in self._tracks:
                plan = self._plan_of(landmarks, frame.time_s)
                self._tracks[number] = _Track(
                    plan, frame.time_s, frame.time_s <= self._shot_start_s, Steadier(self._memory_s)
                )
            elif follower.refreshed and self._tracks[number].plan is None:
                self._tracks[number].plan = self._plan_of(landmarks, frame.time_s)
        self._window.append(_Moment(frame, self._shot, image, faces))
        self._ahead += 1

    def _plan_of(self, landmarks_px: Array, time_s: float) -> TrackPlan | None:
        tracks = self._plan.shots[self._shot].tracks
        found = min(tracks, key=lambda t: t.distance(landmarks_px, time_s), default=None)
        if found is None or found.distance(landmarks_px, time_s) > _NEAR:
            return None
        return found if self._options.person in (None, found.person) else None

    def _emit(self, writer: ClipWriter) -> None:
        """Renders the oldest moment that is not rendered yet, and lets go of what is too old to matter."""
        moment = self._window[-self._ahead]
        writer.write(self._render(moment), moment.frame.pts)
        moment.image = None
        self._ahead -= 1
        if len(self._window) - self._ahead > self._radius:
            self._window.popleft()

    def _render(self, moment: _Moment) -> Array:
        assert moment.image is not None
        self.frames += 1
        self.frames_without_face += not moment.faces
        period = self._options.sweep_period_s
        light = self._light if period is None else sweep(self._light, moment.frame.time_s, period)
        smoothed = {number: self._smoothed(number, moment) for number in moment.faces}
        overlays: list[Overlay] = []
        lit: list[tuple[int, Geometry]] = []
        for number, landmarks in smoothed.items():
            track = self._tracks[number]
            if track.plan is None:
                continue
            geometry = build_geometry(moment.image, landmarks, track.last_matte)
            track.last_matte = geometry.matte
            others = [points for other, points in smoothed.items() if other != number]
            found = track.plan.decomposition_at(moment.frame.time_s)
            presence = self._presence(number, track, moment)
            here = overlay(geometry, found, light, presence=presence, others=others)
            overlays.append(track.steadier.step(here, geometry.points_px, moment.frame.index, moment.frame.time_s))
            lit.append((number, geometry))
        relit = self._compositor.apply(moment.image, overlays) if overlays else moment.image
        self.frames_relit += bool(overlays)
        if lit:
            number, geometry = lit[0]
            self._probe.add(
                track=number,
                time_s=moment.frame.time_s,
                geometry=geometry,
                landmarks_px=smoothed[number],
                source=moment.image,
                relit=relit,
            )
        if self._options.frames_dir is not None:
            _save_png(self._options.frames_dir, moment.frame.index, relit)
        return relit

    def _smoothed(self, number: int, moment: _Moment) -> Array:
        near = [m for m in self._window if number in m.faces]
        return smooth([m.frame.time_s for m in near], [m.faces[number] for m in near], moment.frame.time_s)

    def _presence(self, number: int, track: _Track, moment: _Moment) -> float:
        """1, less where the face has just come or is about to go in the middle of a shot."""
        since = 1.0 if track.from_start else (moment.frame.time_s - track.since_s) / FADE_IN_S
        following = [m for m in self._window if m.frame.index > moment.frame.index and m.shot == moment.shot]
        staying = sum(number in m.faces for m in following)
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
