"""What else befalls a machine that is left running: a disk that fills up, one that is closed to writing, a clock that
jumps. Each scenario says in a line what came of it, raises AssertionError for what is wrong, and Unavailable where this
machine cannot play it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from detection.jobs.reporting import read_step
from detection.records import lifecycle, store
from detection.records.schema import RunState
from tests.chaos import clock, death, verify
from tests.chaos.client import JSON, Client, Ledger
from tests.chaos.site import Site, running
from tests.clips import write_astronaut
from tests.jobs.server import wait_for, worker_pids

ENDS_WITHIN_S = 240.0
DISK_MB = 48
DAY_S = 86_400
PAGES = ("/Space_Upload_1/", "/history/", "/status/", "/api/v1/", "/api/v1/history", "/api/v1/progress")


class Unavailable(Exception):
    """This machine lacks what the scenario needs; the message says what."""


def disk_full(folder: Path) -> str:
    """The disk fills up to its last byte in the middle of an analysis, and has room again later."""
    media = folder / "media"
    with _small_disk(media), running(media, DEEPFAKE_MIN_FREE_MB="0") as site:
        client = Client(site, Ledger())
        run_id = _in_the_middle(client, folder)
        _fill(media / "ballast")
        _refuses(client, folder, 507)
        (media / "ballast").unlink()
        return _ends_well(client, run_id)


def read_only(folder: Path) -> str:
    """Nothing can be written any more, as when a kernel saw errors of the disk and mounted it read-only."""
    media = folder / "media"
    media.mkdir()
    with running(media) as site:
        client = Client(site, Ledger())
        run_id = _in_the_middle(client, folder)
        death.read_only_flag(media).touch()
        _refuses(client, folder, 503)
        death.read_only_flag(media).unlink()
        return _ends_well(client, run_id)


def clock_jumps(folder: Path) -> str:
    """The clock is set back by a day in the middle of an analysis, and ahead by three in that of another, whose worker
    is killed.
    """
    media = folder / "media"
    media.mkdir()
    with running(media) as site:
        client = Client(site, Ledger())
        first = _in_the_middle(client, folder)
        clock.setting(media).write_text(str(-DAY_S))
        _wait_for_the_end(site)
        assert store.load_run(media, first).attempts == 1, "a jump of the clock ended an analysis"
        second = _in_the_middle(client, folder)
        clock.setting(media).write_text(str(2 * DAY_S))
        site.kill("worker")
        return _ends_well(client, second)


SCENARIOS = {"disk full": disk_full, "read-only": read_only, "clock jumps": clock_jumps}


def _in_the_middle(client: Client, folder: Path) -> str:
    """A run that is being analysed."""
    number = client.ledger.asked + 1
    clip = write_astronaut(folder / f"clip {number}.mp4", frames=40, mark=number)
    (run_id,) = client.start([client.send(clip)])
    media = client.site.media
    wait_for("the analysis", lambda: read_step(store.run_dir(media, run_id) / lifecycle.PROGRESS), within_s=120)
    return run_id


def _refuses(client: Client, folder: Path, status: int) -> None:
    """The site lives and shows what there is, and says why it takes nothing."""
    clip = write_astronaut(folder / "refused.mp4", frames=8, mark=999)
    for page in PAGES:
        answer = client.ask("GET", page)
        assert answer.status == 200, f"{page}: {answer.status}"
    assert client.ask("GET", "/healthz").status == 200
    ready = client.ask("GET", "/readyz")
    assert (ready.status, "media" in ready.json["faults"]) == (503, True), ready.body
    octets = {"Content-Type": "application/octet-stream"}
    answer = client.ask("POST", "/api/v1/uploads?name=refused.mp4", clip.read_bytes(), octets)
    assert (answer.status, bool(answer.json["error"])) == (status, True), (answer.status, answer.body)
    announced = client.ask("POST", "/api/v1/tus/", headers={"Upload-Length": str(clip.stat().st_size)})
    assert announced.status == status, (announced.status, announced.body)
    body = b'{"uploads": ["%s"], "modules": ["space"]}' % next(iter(client.ledger.files)).encode()
    started = client.ask("POST", "/api/v1/runs", body, JSON)
    assert started.status == status, (started.status, started.body)


def _ends_well(client: Client, run_id: str) -> str:
    """What was begun ends, nothing is torn, and new work is done as before."""
    site = client.site
    _wait_for_the_end(site)
    record = store.load_run(site.media, run_id)
    assert record.state is RunState.DONE or record.error, record
    wait_for("readiness", lambda: client.ask("GET", "/readyz").status == 200, within_s=60)
    after = _in_the_middle(client, client.site.media.parent)
    _wait_for_the_end(site)
    assert store.load_run(site.media, after).state is RunState.DONE
    faults = verify.faults(site.media, client.ledger)
    assert not faults, "\n".join(faults)
    return f"the run in hand is {record.state.value} after {record.attempts} attempts; the next one is done"


def _wait_for_the_end(site: Site) -> None:
    wait_for("the worker", lambda: worker_pids(site.media), within_s=120)
    wait_for("the end of all runs", lambda: verify.unfinished(site.media) is None, ENDS_WITHIN_S)


def _fill(ballast: Path) -> None:
    """Write until nothing more goes in."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


@contextlib.contextmanager
def _small_disk(place: Path) -> Iterator[None]:
    """A file system in memory. Raises Unavailable for who may not mount one."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        raise Unavailable("only root may mount a small disk, and not in every container")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)
