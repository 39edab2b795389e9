"""The tasks that run outside the web process, declared with the django-tasks API."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings
from django_tasks import task

from detection.jobs.control import Interrupt, Interrupted, control
from detection.jobs.reporting import Reporter
from detection.records import store
from detection.records.schema import RunRecord, RunState

logger = logging.getLogger(__name__)


@task
def analyse_run(run_id: str) -> str:
    """Analyse a queued run and write down how it ended; the state that it is in then.

    A run that is not waiting (cancelled, deleted, done by somebody else) is left alone, so a task that is delivered
    twice does no harm.
    """
    root = Path(settings.MEDIA_ROOT)
    run = _Run(root, run_id)
    with ExitStack() as stack:
        try:
            stack.enter_context(store.holding(root, run_id))
            record = run.begin()
        except (store.RunNotFound, FileNotFoundError, BlockingIOError) as error:
            logger.warning("Run %s is not analysed: %s", run_id, error)
            return "skipped"
        if record.state is not RunState.RUNNING:
            return record.state
        stack.enter_context(control.running(run))
        return run.analyse(record).state


@dataclass(frozen=True)
class _Run:
    root: Path
    id: str

    def begin(self) -> RunRecord:
        """Count an attempt, unless the run has ended."""

        def begun(record: RunRecord) -> RunRecord:
            if record.state.is_final:
                return record
            return replace(record, state=RunState.RUNNING, started_at=store.now(), attempts=record.attempts + 1)

        return store.update_run(self.root, self.id, begun)

    def analyse(self, record: RunRecord) -> RunRecord:
        """Raises what ended the analysis, after writing it down."""
        from detection.pipeline import analyse

        try:
            store.clear_evidence(self.root, self.id)
            analysis = analyse(
                self.root / record.upload,
                record.modules,
                store.run_dir(self.root, self.id),
                Reporter(self.root, self.id),
            )
        except Interrupted as interruption:
            self.settle(interruption.why)
            raise
        except Exception as error:
            message = f"The analysis failed: {error or type(error).__name__}"
            store.finish_run(self.root, self.id, RunState.FAILED, error=message)
            raise
        return store.finish_run(self.root, self.id, RunState.DONE, analysis=analysis)

    def cancel_requested(self) -> bool:
        return store.cancel_requested(self.root, self.id)

    def settle(self, why: Interrupt) -> None:
        """Write down an interruption; a run that has ended meanwhile stays as it ended."""
        if why is Interrupt.CANCEL:
            store.finish_run(self.root, self.id, RunState.CANCELLED)
        elif why is Interrupt.TIMEOUT:
            limit = f"{settings.DEEPFAKE_RUN_TIMEOUT_S} s (DEEPFAKE_RUN_TIMEOUT_S)"
            store.finish_run(self.root, self.id, RunState.FAILED, error=f"The analysis took longer than {limit}.")
        else:
            attempts = store.load_run(self.root, self.id).attempts
            store.requeue_run(self.root, self.id, attempts=max(attempts - 1, 0))
