"""The door to the embedded engine: a clip goes in, the same clip under another light comes out.

Two passes. The first (`relitalk.analysis`) finds shots, people and the light of each; the second
(`relitalk.second_pass`) follows the faces through every frame and relights it. Neither keeps more than a few frames.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from relitalk.analysis import ClipPlan, analyse
from relitalk.composite import best_compositor
from relitalk.errors import Cancelled, Fault, RelightError
from relitalk.light import Light
from relitalk.report import Person, Report
from relitalk.request import ENGINE, VERSION
from relitalk.second_pass import Options, SecondPass
from relitalk.video import ClipReader

__all__ = ["Options", "Progress", "relight"]


@dataclass(frozen=True)
class Progress:
    """`stage` is "analyse" or "render"; `total` is None where the file does not say how many frames it has."""

    stage: str
    done: int
    total: int | None


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
    work = SecondPass(plan, light, options, compositor)
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
