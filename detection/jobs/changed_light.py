"""Does the verdict hold when the light is changed? Space's score of a stretch of the clip, as it is and relit from five
directions.

The stretch is written once, nearly without loss. From it six clips are encoded alike, five of them relit, and each is
analysed as any upload is: what differs between them is the light alone.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from detection.jobs.execution import analyse_video
from detection.jobs.followup_requests import AS_IT_IS, DIRECTIONS, MODULE, STRETCH_S
from detection.jobs.followup_work import Assignment, Work
from detection.jobs.relighting import Watch, check_video
from detection.records import codec
from detection.records.schema import Analysis, Reason, Span
from detection.vision.sampling import LOWEST_RATE_HZ
from relitalk.analysis import ClipPlan, analyse
from relitalk.engine import Options, relight
from relitalk.errors import Cancelled, RelightError
from relitalk.excerpt import CRF_NEARLY_LOSSLESS, write_stretch
from relitalk.light import PRESETS

SCRATCH = ".changed-light-"

CUT, LOOK, RENDER, JUDGE = "light_cut", "light_analyse", "light_render", "light_judge"


def examine(given: Assignment) -> dict[str, Any]:
    """The stretch, and one row per light with the score and verdict. Raises RelightError, Interrupted."""
    check_video(given)
    span = stretch_of(given.run.analysis)
    for left in given.run_dir.glob(f"{SCRATCH}*"):  # by an attempt whose process died
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=given.run_dir) as folder:
        clips = _Clips(given, Path(folder), span)
        rows = [_judge(given, name, clip, clips.paths) for name, clip in clips.paths.items()]
    first = rows[0]
    if first["score"] is None:
        raise RelightError("The stretch that was examined gives no score even as it is.", Reason(first["reason"]))
    return {"start_s": span.start_s, "end_s": span.end_s, "frames": clips.frames, "rows": rows}


def stretch_of(analysis: Analysis | None) -> Span:
    """The stretch of at most STRETCH_S that is examined: the middle of the longest sight of the most seen person."""
    people = analysis.people if analysis else ()
    if not people:
        raise RelightError("No face was found in this video that could be judged.", Reason.NO_FACE)
    most_seen = max(people, key=lambda person: person.frames)
    longest = max(most_seen.spans, key=lambda span: span.end_s - span.start_s)
    start_s = max(longest.start_s, (longest.start_s + longest.end_s - STRETCH_S) / 2)
    return Span(round(start_s, 3), round(min(longest.end_s, start_s + STRETCH_S), 3))


class _Clips:
    """The six clips of one stretch: `paths` by the name of the light."""

    def __init__(self, given: Assignment, folder: Path, span: Span) -> None:
        self._report, self._folder = given.report, folder
        self._watch = Watch(lambda stage, done, total: self._count(done))
        self._rendered = 0
        master = folder / "master.mp4"
        length_s = span.end_s - span.start_s
        expected = round(length_s * LOWEST_RATE_HZ)
        self.frames = write_stretch(
            given.video,
            master,
            start_s=span.start_s,
            length_s=length_s + 1e-3,  # with the frame that the span ends with
            rate_hz=LOWEST_RATE_HZ,
            crf=CRF_NEARLY_LOSSLESS,
            step=lambda done: given.report(CUT, done, max(expected, done)),
        )
        source = folder / "source.mp4"
        write_stretch(master, source, step=lambda done: given.report(CUT, self.frames, self.frames))
        plan = analyse(master, lambda done: given.report(LOOK, done, self.frames))
        self.paths = {AS_IT_IS: source} | {name: self._relit(name, master, plan) for name in DIRECTIONS}

    def _relit(self, name: str, master: Path, plan: ClipPlan) -> Path:
        clip = self._folder / f"{name}.mp4"
        watch = self._watch
        try:
            relight(
                master, PRESETS[name], clip, options=Options(), plan=plan, progress=watch.progress,
                cancelled=watch.cancelled,
            )  # fmt: skip
        except Cancelled:
            raise watch.interruption from None
        self._rendered += self.frames
        return clip

    def _count(self, done: int) -> None:
        self._report(RENDER, self._rendered + done, len(DIRECTIONS) * self.frames)


def _judge(given: Assignment, name: str, clip: Path, clips: dict[str, Path]) -> dict[str, Any]:
    """What Space says of one clip."""
    before = list(clips).index(name)

    def progress(stage: str, done: int, total: int) -> None:
        given.report(JUDGE, before, len(clips))

    with tempfile.TemporaryDirectory(dir=clip.parent) as evidence:  # pictures that nobody looks at
        outcome = analyse_video(clip, None, [MODULE], Path(evidence), progress).modules[MODULE]
    row = {"light": name, "score": outcome.score, "verdict": outcome.verdict, "reason": outcome.reason}
    return row | {"thresholds": codec.converter.unstructure(outcome.thresholds), "versions": outcome.versions}


WORK = Work((CUT, LOOK, RENDER, JUDGE), examine)
