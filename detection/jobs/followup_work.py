"""The work of a follow-up, from its record to its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detection.jobs import limits
from detection.jobs.control import Interrupt, Interrupted
from detection.jobs.reporting import StageReporter
from detection.records import followups, store
from detection.records.followups import FollowUp, Kind
from detection.records.lifecycle import PROGRESS
from detection.records.schema import RunRecord, RunState


@dataclass(frozen=True)
class Assignment:
    """What one kind of work is given: the run that it is about, what is wanted, and whom to tell how far it is."""

    run: RunRecord
    request: dict[str, Any]
    video: Path
    run_dir: Path
    report: StageReporter


@dataclass(frozen=True)
class Work:
    """One kind of follow-up. `do` gives the result, in JSON's types alone."""

    stages: tuple[str, ...]
    do: Callable[[Assignment], dict[str, Any]]


def work_of(kind: Kind) -> Work:
    """Imported when it is done: it loads the networks' libraries."""
    from detection.jobs import changed_light, relighting

    return {"relight": relighting.work(), "changed_light": changed_light.WORK}[kind]


@dataclass(frozen=True)
class FollowUpExecution:
    """One follow-up while a process works on it. The process holds it from before `begin` to the end."""

    root: Path
    run_id: str
    id: str

    def begin(self) -> FollowUp:
        return followups.life_of(self.root, self.run_id, self.id).begin()

    def do(self, followup: FollowUp) -> FollowUp:
        """Do the work and write down how it ended. Raises what ended it otherwise than with a result or a reason."""
        from relitalk.errors import RelightError

        try:
            run = store.load_run(self.root, self.run_id)
            work = work_of(followup.kind)
            life = followups.life_of(self.root, self.run_id, self.id)
            report = StageReporter(self.root, life.folder / PROGRESS, work.stages, life.cancel_requested)
            folder = store.run_dir(self.root, self.run_id)
            with limits.refusal_of_memory():
                result = work.do(Assignment(run, followup.request, self.root / run.upload, folder, report))
            report.finished()
            return self._finish(RunState.DONE, result=result)
        except Interrupted as interruption:
            self.settle(interruption.why)
            raise
        except RelightError as error:  # not this program's fault: it is told, with its reason
            return self._finish(RunState.FAILED, error=str(error), fault=error.reason)
        except Exception as error:
            self._finish(RunState.FAILED, error=str(error) or type(error).__name__)
            raise

    def _finish(self, state: RunState, **rest: Any) -> FollowUp:
        return followups.finish(self.root, self.run_id, self.id, state, **rest)

    def cancel_requested(self) -> bool:
        return followups.life_of(self.root, self.run_id, self.id).cancel_requested()

    def settle(self, why: Interrupt) -> None:
        """Write down an interruption; one that has ended meanwhile stays as it ended."""
        if why is Interrupt.CANCEL:
            self._finish(RunState.CANCELLED)
        elif (excess := limits.excess(why)) is not None:
            self._finish(RunState.FAILED, error=f"It took {excess}.")
        else:
            followups.life_of(self.root, self.run_id, self.id).put_back()
