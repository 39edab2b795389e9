"""Puts in order what a process left that died: jobs that it had claimed, runs that it had not finished."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from detection.jobs.evaluation_work import WAY_OUT, clip_in_hand
from detection.jobs.queue import FileQueue, JobError
from detection.jobs.tasks import analyse_run, do_evaluation, do_followup
from detection.records import evaluations, followups, log, store, times, trash
from detection.records.codec import RecordError
from detection.records.files import age_s
from detection.records.lifecycle import Lifecycle
from detection.records.schema import RunRecord, RunState

MAX_ATTEMPTS = 2
GRACE_S = 10.0  # somebody may be between two steps of creating or queueing a run

logger = logging.getLogger(__name__)


class WorkerDied(Exception):
    """The class that a job's error names when its worker process died."""


WORKER_DIED = f"{WorkerDied.__module__}.{WorkerDied.__qualname__}"


class Pending(Protocol):
    """A job as far as recovery looks at it."""

    @property
    def args(self) -> Sequence[Any]: ...


class Queue(Protocol):
    """Either queue: files or Redis."""

    def pending(self) -> Iterable[Pending]: ...


def settle_orphans(root: Path, queue: FileQueue, died: str | None) -> None:
    """Queue the claimed jobs of a dead worker again; give up those that ended it for the second time.

    The caller holds the queue's lock. `died` says how the worker ended, None if nobody saw it (the machine went down).
    """
    for job in queue.claimed():
        if job.status in ("FAILED", "SUCCESSFUL"):
            queue.finish(job)
        elif job.status == "READY" or len(job.workers) < MAX_ATTEMPTS:
            logger.warning("Job %s is queued again: its worker ended (%s).", job.args, died or "unknown cause")
            queue.release(job, counted=True)
        else:
            reason = give_up(root, job.task, job.args, len(job.workers), died)
            problem = JobError(WORKER_DIED, reason)
            queue.finish(replace(job, status="FAILED", errors=(*job.errors, problem), finished_at=times.now()))


def give_up(root: Path, task: str, args: Sequence[Any], deaths: int, died: str | None) -> str:
    """End the run or follow-up of a job that ended its worker too often; the reason that its record has then."""
    how = died or "for an unknown cause"
    what = "the analysis" if task == analyse_run.module_path else "this work"
    reason = f"The worker process died {deaths} times during {what}, the last time {how}."
    logger.error("Job %s is given up. %s", args, reason)
    try:
        if task == analyse_run.module_path:
            store.finish_run(root, args[0], RunState.FAILED, error=reason)
        elif task == do_followup.module_path:
            followups.finish(root, args[0], args[1], RunState.FAILED, error=reason)
        elif task == do_evaluation.module_path:
            reason = f"{clip_in_hand(root, args[0])}: {reason} {WAY_OUT}"
            evaluations.finish(root, args[0], RunState.FAILED, error=reason)
    except (store.RunNotFound, followups.FollowUpNotFound, evaluations.EvaluationNotFound, RecordError) as error:
        logger.error("What job %s was about: %s", args, error)
    return reason


def settle_runs(root: Path, queue: Queue) -> None:
    """Bring every run that is marked unfinished to where it belongs."""
    queued = {argument for job in queue.pending() for argument in job.args}
    for run_id in store.active_ids(root):
        run = store.life_of(root, run_id)
        if run_id in queued or run.untouched_for_s() < GRACE_S:
            continue
        try:
            _settle_run(run, run.load())
        except store.RunNotFound:
            if not trash.finish_move(root, run_id):
                store.forget_unborn(root, run_id)
        except RecordError as error:
            logger.error("%s", error)
    _finish_deletions(root)


def _settle_run(run: Lifecycle[RunRecord], record: RunRecord) -> None:
    if record.state.is_final:
        run.finish(record.state)  # enters it in the log, which is what was left to do
    elif record.state is RunState.QUEUED:
        logger.warning("Run %s was recorded, but not queued: it is queued now.", record.id)
        analyse_run.enqueue(record.id)
    elif not run.is_held():
        reason = "The process that analysed it ended before the result."
        logger.warning("Run %s failed: %s", record.id, reason)
        run.finish(RunState.FAILED, error=reason)


def settle_followups(root: Path, queue: Queue) -> None:
    """Bring every follow-up that is marked unfinished to where it belongs."""
    queued = {tuple(job.args) for job in queue.pending()}
    for run_id, followup_id in followups.active(root):
        work = followups.life_of(root, run_id, followup_id)
        if (run_id, followup_id) in queued or work.untouched_for_s() < GRACE_S:
            continue
        try:
            followup = work.load()
        except followups.FollowUpNotFound:  # never recorded, or its run is gone
            work.unmark()
            continue
        except RecordError as error:  # nobody can end it: its run could never be deleted
            logger.error("%s", error)
            work.unmark()
            continue
        if followup.state is RunState.QUEUED:
            logger.warning("Follow-up %s of %s was recorded, but not queued: it is queued now.", followup_id, run_id)
            do_followup.enqueue(run_id, followup_id)
        elif followup.state.is_final or not work.is_held():
            reason = "The process that worked on it ended before the result."
            work.finish(RunState.FAILED, error=reason)  # one that has ended stays so


def settle_evaluations(root: Path, queue: Queue) -> None:
    """Queue every unfinished evaluation again that no process works on and that does not wait in the queue."""
    unfinished = [record for record in evaluations.every(root) if not record.state.is_final]
    queued = {argument for job in queue.pending() for argument in job.args} if unfinished else set()
    for record in unfinished:
        work = evaluations.life_of(root, record.id)
        if record.id in queued or work.untouched_for_s() < GRACE_S:
            continue
        if not work.is_held():
            logger.warning("Evaluation %s is not finished and not queued: it is queued now.", record.id)
            evaluations.put_back(root, record.id)
            do_evaluation.enqueue(record.id)


def _finish_deletions(root: Path) -> None:
    going = root / "runs" / trash.GOING
    for folder in going.iterdir() if going.is_dir() else ():
        if age_s(folder.stat().st_ctime) > GRACE_S:
            log.remove(root, folder.name, log.modules(root))
            shutil.rmtree(folder)
