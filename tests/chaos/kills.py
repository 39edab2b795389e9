"""What is done up to a moment, what is killed at it, and what must be so afterwards."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from detection.jobs.reporting import read_step
from detection.records import followups, lifecycle, query, store
from detection.records.schema import RunState
from tests.chaos import verify
from tests.chaos.client import Client, Ledger, Unreachable
from tests.chaos.moments import Moment
from tests.chaos.site import Site
from tests.clips import write_astronaut
from tests.jobs.server import wait_for, worker_pids

ENDS_WITHIN_S = 240.0
FRAMES = 16


class Chaos:
    """One site over one media folder, through moments of all kinds."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, self._folder = site, folder
        self.ledger = Ledger()
        self._client = Client(site, self.ledger)
        self._clips = 0

    def go_through(self, moment: Moment) -> str:
        """Kill at that moment, wait until all has ended; what came of it. Raises AssertionError with what is wrong."""
        self.site.ensure()
        wait_for("the worker", lambda: worker_pids(self.site.media), within_s=120)
        note = getattr(self, f"_{moment.phase}")(moment)
        self.site.ensure()
        wait_for(f"the end after moment {moment}", lambda: verify.unfinished(self.site.media) is None, ENDS_WITHIN_S)
        faults = verify.faults(self.site.media, self.ledger)
        assert not faults, f"{moment}:\n  " + "\n  ".join(faults)
        return str(note or "")

    def _upload(self, moment: Moment) -> None:
        first = threading.Event()
        sender = _Thread(lambda: self._client.send(self._clip(), lambda piece: first.set()))
        first.wait(60)
        self._kill_after(moment)
        self._client_starts([sender.result()])

    def _queue(self, moment: Moment) -> None:
        files = [self._client.send(self._clip()) for _ in range(2)]
        starter = _Thread(lambda: self._client.start(files))
        self._kill_after(moment)
        with contextlib.suppress(Unreachable):
            starter.result()

    def _analysis(self, moment: Moment) -> None:
        (run_id,) = self._client.start([self._client.send(self._clip())])
        progress = store.run_dir(self.site.media, run_id) / lifecycle.PROGRESS
        wait_for("the analysis", lambda: read_step(progress), within_s=120)
        self._kill_after(moment)

    def _relight(self, moment: Moment) -> None:
        run_id = self._a_result()
        followup_id = self._client.relight(run_id, moment.number)
        wait_for(
            "the relighting",
            lambda: followups.load(self.site.media, run_id, followup_id).state is not RunState.QUEUED,
            within_s=120,
        )
        self._kill_after(moment)

    def _record(self, moment: Moment) -> str:
        before = self.site.pids(moment.victim)
        self.site.order(moment.victim, moment.step)
        file = self._client.send(self._clip())
        self._client_starts([file])
        try:
            wait_for("its death", lambda: not before & self.site.pids(moment.victim), within_s=30)
        except AssertionError:
            self.site.order(moment.victim, 0)  # taken back
            return "lived: it had less to write"
        return ""

    def _client_starts(self, files: list[str]) -> None:
        with contextlib.suppress(Unreachable):
            self._client.start(files)

    def _kill_after(self, moment: Moment) -> None:
        time.sleep(moment.delay_s)
        self.site.kill(moment.victim)

    def _a_result(self) -> str:
        """A finished run with people in it."""

        def of_history() -> str | None:
            rows = query.History(self.site.media).page(limit=10**6).rows
            return next((row.id for row in rows if row.verdict != "no_result"), None)

        found = of_history()
        if found is None:
            self._client.start([self._client.send(self._clip())])
            found = wait_for("a result", of_history, within_s=120)
        return found

    def _clip(self) -> Path:
        self._clips += 1
        return write_astronaut(self._folder / f"clip {self._clips}.mp4", frames=FRAMES, mark=self._clips)


class _Thread(threading.Thread):
    """A call beside this one, with its result."""

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self._value: Any = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._value = self._call()
        except BaseException as error:
            self._error = error

    def result(self) -> Any:
        self.join(300)
        if self._error is not None:
            raise self._error
        return self._value
