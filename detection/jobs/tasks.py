"""The tasks that run outside the web process, declared with the django-tasks API."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path

from django.conf import settings
from django_tasks import task

from detection import logs
from detection.jobs.control import control
from detection.jobs.evaluation_work import EvaluationExecution
from detection.jobs.execution import Execution
from detection.jobs.followup_work import FollowUpExecution
from detection.jobs.reporting import Reporter
from detection.records import evaluations, followups, store
from detection.records.schema import RunState

logger = logging.getLogger(__name__)


@task
def analyse_run(run_id: str) -> str:
    """Analyse a queued run and write down how it ended; the state that it is in then.

    A run that is not waiting (cancelled, deleted, analysed by another process) is left alone, so a task that is
    delivered twice does no harm.
    """
    root = Path(settings.MEDIA_ROOT)
    execution = Execution(root, run_id)
    with ExitStack() as stack:
        stack.enter_context(logs.about(run=run_id))
        try:
            stack.enter_context(store.life_of(root, run_id).holding())
            record = execution.begin()
        except (store.RunNotFound, FileNotFoundError, BlockingIOError) as error:
            logger.warning("Run %s is not analysed: %s", run_id, error)
            return "skipped"
        if record.state is not RunState.RUNNING:
            return record.state
        stack.enter_context(control.running(execution))
        reporter = Reporter(root, run_id, record.modules)
        state = execution.analyse(record, reporter).state
        reporter.finished()
        return state


@task
def do_followup(run_id: str, followup_id: str) -> str:
    """Do a queued follow-up and write down how it ended; the state that it is in then. As safe to call twice."""
    root = Path(settings.MEDIA_ROOT)
    execution = FollowUpExecution(root, run_id, followup_id)
    with ExitStack() as stack:
        stack.enter_context(logs.about(run=run_id, followup=followup_id))
        try:
            stack.enter_context(followups.life_of(root, run_id, followup_id).holding())
            followup = execution.begin()
        except (followups.FollowUpNotFound, store.RunNotFound, FileNotFoundError, BlockingIOError) as error:
            logger.warning("Follow-up %s of run %s is not done: %s", followup_id, run_id, error)
            return "skipped"
        if followup.state is not RunState.RUNNING:
            return followup.state
        stack.enter_context(control.running(execution))
        return execution.do(followup).state


@task
def do_evaluation(evaluation_id: str) -> str:
    """Do the next step of an evaluation, and queue the one after it behind what waits; the state that it is in then."""
    root = Path(settings.MEDIA_ROOT)
    execution = EvaluationExecution(root, evaluation_id)
    with ExitStack() as stack:
        try:
            stack.enter_context(evaluations.life_of(root, evaluation_id).holding())
            record = execution.begin()
        except (evaluations.EvaluationNotFound, FileNotFoundError, BlockingIOError) as error:
            logger.warning("Evaluation %s is not done: %s", evaluation_id, error)
            return "skipped"
        if record.state is not RunState.RUNNING:
            return record.state
        stack.enter_context(control.running(execution))
        state = execution.do(record).state
    if state is RunState.QUEUED:
        do_evaluation.enqueue(evaluation_id)
    return state
