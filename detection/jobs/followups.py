"""What the pages do with follow-ups: ask for them, follow, cancel, try again, remove.

All functions work on `settings.MEDIA_ROOT`. Each raises RunNotFound or FollowUpNotFound for what is not there, and may
raise RecordError, and OSError when media/ cannot be used.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

from detection.jobs import followup_requests
from detection.jobs.queue import QueueUnreachable
from detection.jobs.reporting import Step, read_step
from detection.jobs.runs import media_root
from detection.jobs.tasks import do_followup
from detection.records import followups, query, store
from detection.records.codec import RecordError
from detection.records.followups import FollowUp
from detection.records.lifecycle import PROGRESS
from detection.records.schema import RunState
from relitalk.request import Request

logger = logging.getLogger(__name__)

RELIT_FOLDER, RELIT_VIDEO, RELIT_FRAMES = "relit", "relit.mp4", "frames"


class RunNotFinished(Exception):
    """Only on a run that was analysed can more be done."""


@dataclass(frozen=True)
class FollowUpProgress:
    """What a page shows of a follow-up. `before` counts what is done first; `step` is None until the first frame."""

    followup: FollowUp
    step: Step | None
    before: int | None


def ask_to_relight(run_id: str, request: Request, *, keep_frames: bool = False) -> FollowUp:
    """The follow-up that makes this clip: the one that is there (waiting, running or done), else a new one.

    Raises RunNotFinished.
    """
    root, sha256 = media_root(), _finished(run_id)
    followup_id, wanted = followup_requests.relight(sha256, request, keep_frames=keep_frames)

    def is_whole(known: FollowUp) -> bool:
        folder = relit_folder(run_id, followup_id)
        return (folder / RELIT_VIDEO).is_file() and (not keep_frames or (folder / RELIT_FRAMES).is_dir())

    followup, is_new = followups.request(root, run_id, followup_id, "relight", wanted, is_whole)
    return _queued(followup) if is_new else followup


def ask_for_changed_light(run_id: str) -> FollowUp:
    """The follow-up that judges the clip under five lights, new or not. Raises RunNotFinished."""
    followup_id, wanted = followup_requests.changed_light(_finished(run_id))
    followup, is_new = followups.request(media_root(), run_id, followup_id, "changed_light", wanted)
    return _queued(followup) if is_new else followup


def progress(run_id: str, followup_id: str) -> FollowUpProgress:
    return _progress(followups.load(media_root(), run_id, followup_id))


def of_run(run_id: str) -> list[FollowUpProgress]:
    """All of a run, the latest first."""
    return [_progress(followup) for followup in followups.of_run(media_root(), run_id)]


def cancel(run_id: str, followup_id: str) -> FollowUp:
    """End a waiting one at once, a running one at its next step; others stay."""
    return followups.life_of(media_root(), run_id, followup_id).cancel()


def retry(run_id: str, followup_id: str) -> FollowUp:
    """Queue one again that failed or was cancelled; others stay."""
    known = followups.load(media_root(), run_id, followup_id)
    followup, is_new = followups.request(media_root(), run_id, followup_id, known.kind, known.request)
    return _queued(followup) if is_new else followup


def remove(run_id: str, followup_id: str) -> None:
    """Forget one that has ended, and what it made. Raises RunIsActive."""
    followups.remove(media_root(), run_id, followup_id)
    shutil.rmtree(relit_folder(run_id, followup_id), ignore_errors=True)


def relit_folder(run_id: str, followup_id: str) -> Path:
    """Where the result of a relighting is kept."""
    return store.run_dir(media_root(), run_id) / RELIT_FOLDER / followup_id


def _finished(run_id: str) -> str:
    """The hash of the video of a run that was analysed."""
    run = store.load_run(media_root(), run_id)
    if run.state is not RunState.DONE:
        raise RunNotFinished(f"Run {run_id} is {run.state}: only of a finished one can more be asked.")
    return run.sha256


def _queued(followup: FollowUp) -> FollowUp:
    """The record says that it waits: if the queue cannot be told now, a worker that finds it so tells it later."""
    try:
        do_followup.enqueue(followup.run, followup.id)
    except QueueUnreachable:
        logger.exception("Follow-up %s of run %s is recorded, but not queued yet.", followup.id, followup.run)
    return followup


def _progress(followup: FollowUp) -> FollowUpProgress:
    step = None
    if followup.state is RunState.RUNNING:
        step = read_step(followups.folder(media_root(), followup.run, followup.id) / PROGRESS)
    return FollowUpProgress(followup, step, _before(followup) if followup.state is RunState.QUEUED else None)


def _before(followup: FollowUp) -> int:
    """How many runs and follow-ups are worked on first."""
    root = media_root()
    others = [each for each in followups.active(root) if each != (followup.run, followup.id)]
    queued = [run.queued_at or run.created_at for run in query.active_runs(root)]
    for run_id, followup_id in others:
        try:
            queued.append(followups.load(root, run_id, followup_id).queued_at)
        except (followups.FollowUpNotFound, store.RunNotFound, RecordError):
            continue  # ended meanwhile, or damaged: `detection.jobs.recovery` sees to it
    return sum(each < followup.queued_at for each in queued)
