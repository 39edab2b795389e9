"""How far runs are, with the words that a page shows; the same for the pages, the API and the old names."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from detection import jobs
from detection.jobs import Progress, Step
from detection.modules import MODULES
from detection.records.schema import RunState
from detection.web.api_schema import RunProgress
from detection.web.module_pages import module_page
from detection.web.templatetags.deepfake import duration, per_cent, queue_place
from detection.web.words import STATES

STAGES = {
    "probe": gettext_lazy("Opening the file"),
    "decode": gettext_lazy("Looking for faces"),
    "space": gettext_lazy("Examining single frames"),
    "feature": gettext_lazy("Examining movement"),
    "blend": gettext_lazy("Examining seams and light"),
    "fuse": gettext_lazy("Weighing the results"),
    "relight_upload": gettext_lazy("Sending the video to the relighting server"),
    "relight_queued": gettext_lazy("Waiting on the relighting server"),
    "relight_analyse": gettext_lazy("Taking the light apart"),
    "relight_render": gettext_lazy("Relighting"),
    "relight_download": gettext_lazy("Fetching the relit video"),
    "light_cut": gettext_lazy("Cutting out the stretch"),
    "light_analyse": gettext_lazy("Taking the light apart"),
    "light_render": gettext_lazy("Relighting from five directions"),
    "light_judge": gettext_lazy("Judging the six clips"),
}

NOT_IN_FRAMES = {"relight_upload", "relight_download", "light_judge"}  # bytes, or whole clips


def run_progress(run_id: str) -> RunProgress:
    """Raises RunNotFound, RecordError."""
    return _shown(jobs.progress(run_id))


def runs_progress(run_ids: Iterable[str]) -> list[RunProgress]:
    """The same for several runs at once; those that are gone are left out. Raises RecordError."""
    return [_shown(progress) for progress in jobs.progress_of(run_ids)]


def _shown(progress: Progress) -> RunProgress:
    step = progress.step
    return RunProgress(
        id=progress.run,
        state=progress.state,
        is_final=progress.state.is_final,
        stage=step.stage if step else None,
        frames_done=step.done if step else None,
        frames_total=step.total if step else None,
        percent=step.percent if step else None,
        seconds_left=step.seconds_left if step else None,
        queue_position=progress.position,
        attempts=progress.attempts,
        error=progress.error,
        words=progress_words(progress),
        url=reverse("run", args=[progress.run]),
    )


def progress_words(progress: Progress) -> str:
    """One line: what is being done, how far it is, how long it will take."""
    if progress.state is RunState.QUEUED and progress.position:
        return f"{STATES[progress.state]} · {queue_place(progress.position)}"
    if progress.step is None or progress.state is not RunState.RUNNING:
        return str(STATES[progress.state])
    return step_words(progress.step)


def stage_words(stage: str) -> str:
    """What is being done; the stage of a module that has no words of its own goes by the module's title."""
    if stage in STAGES:
        return str(STAGES[stage])
    return str(module_page(stage).title) if stage in MODULES else stage


def step_words(step: Step) -> str:
    parts = [stage_words(step.stage)]
    if step.stage in NOT_IN_FRAMES:
        pass
    elif step.total and step.total > 1:  # opening and weighing go in one step
        parts.append(_("%(done)d of %(total)d frames") % {"done": step.done, "total": step.total})
    elif step.done > 1:
        parts.append(_("%(done)d frames") % {"done": step.done})
    parts.append(per_cent(step.percent))
    if step.seconds_left is not None:
        parts.append(_("about %s left") % duration(max(1, round(step.seconds_left))))
    return " · ".join(parts)
