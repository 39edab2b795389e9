"""The relighting service's jobs: files in a folder, one worker. Nothing is lost when the process dies.

`videos/<sha256>.part` grows until it is whole and its hash is right, then it is `videos/<sha256>`. `jobs/<id>/` holds
`job.json` (the state, replaced at one stroke) and `result.mp4`. A job that was running when the process ended is run
again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detection.inference.weights import sha256_of
from relitalk.backends import Settings, produce
from relitalk.engine import Progress
from relitalk.errors import Cancelled, RelightError
from relitalk.request import Request

SHA256 = re.compile(r"[0-9a-f]{64}")
WAITING = ("queued", "running")
LOG_TAIL_BYTES = 4000
MAX_VIDEO_BYTES = 16 * 1024**3


class Rejected(Exception):
    """The request cannot be served; `status` is the HTTP status that says so."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Service:
    """The state of one server, under `root`."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self._videos, self._jobs = root / "videos", root / "jobs"
        self._videos.mkdir(parents=True, exist_ok=True)
        self._jobs.mkdir(parents=True, exist_ok=True)
        self._settings = settings
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._cancelled: set[str] = set()
        for status in self._all():
            if status["state"] == "running":
                self._save(status | {"state": "queued", "stage": "queued", "done": 0})

    def offset(self, sha256: str) -> tuple[int, bool]:
        """How many bytes of a video are there, and whether that is all of it."""
        whole, part = self._video(sha256), self._part(sha256)
        if whole.is_file():
            return whole.stat().st_size, True
        return (part.stat().st_size if part.is_file() else 0), False

    def append(self, sha256: str, offset: int, length: int, data: bytes) -> None:
        """The next piece of a video of `length` bytes. Raises Rejected: 409 wrong place, 413 too large, 422 wrong
        hash.
        """
        with self._lock:
            have, whole = self.offset(sha256)
            if whole or offset != have:
                raise Rejected(409, f"{have} bytes of this video are here, not {offset}")
            if length > MAX_VIDEO_BYTES or have + len(data) > length:
                raise Rejected(413, "the video is larger than it may be, or than was said")
            part = self._part(sha256)
            with part.open("ab") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if have + len(data) == length:
                if sha256_of(part) != sha256:
                    part.unlink()
                    raise Rejected(
                        422, "the video's hash is wrong: it was damaged on its way; it is taken from its start again"
                    )
                part.replace(self._video(sha256))

    def submit(self, sha256: str, plain: dict[str, Any]) -> str:
        """Queues a request and gives its job. One that is known already goes on as it is, unless it failed."""
        try:
            request = Request.from_dict(plain)
        except ValueError as error:
            raise Rejected(400, str(error)) from error
        if not self._video(sha256).is_file():
            raise Rejected(409, "the video of this request was not uploaded")
        job = request.key(sha256)
        with self._lock:
            known = self._load(job)
            if known is None or known["state"] in ("failed", "cancelled"):
                self._cancelled.discard(job)
                self._save(
                    {"id": job, "state": "queued", "stage": "queued", "done": 0, "total": None, "error": None,
                     "manifest": None, "video_sha256": sha256, "request": request.as_dict()}
                )  # fmt: skip
        self._wake.set()
        return job

    def status(self, job: str) -> dict[str, Any]:
        """What `GET /jobs/<id>` answers. Raises Rejected (404)."""
        found = self._load(job)
        if found is None:
            raise Rejected(404, "there is no such job")
        log = self._jobs / job / "result.log"
        tail = log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace") if log.is_file() else ""
        return found | {"log_tail": tail}

    def result(self, job: str) -> Path:
        """The finished video of a job. Raises Rejected (404, 409)."""
        if self.status(job)["state"] != "done":
            raise Rejected(409, "the job is not done")
        return self._jobs / job / "result.mp4"

    def cancel(self, job: str) -> None:
        """Stops a job that waits or runs. Raises Rejected (404)."""
        with self._lock:
            found = self.status(job)
            self._cancelled.add(job)
            if found["state"] == "queued":
                self._finish(found, "cancelled")

    def work(self, stop: threading.Event) -> None:
        """Does the jobs, one after the other, until `stop` is set."""
        while not stop.is_set():
            waiting = sorted(
                (s for s in self._all() if s["state"] == "queued"), key=lambda s: (self._jobs / s["id"]).stat().st_mtime
            )
            if waiting:
                self._run(waiting[0], stop)
            else:
                self._wake.wait(timeout=0.5)
                self._wake.clear()

    def _run(self, status: dict[str, Any], stop: threading.Event) -> None:
        job = status["id"]
        request = Request.from_dict(status["request"])
        last = {"stage": ""}

        def report(progress: Progress) -> None:
            if progress.stage != last["stage"] or progress.done % 10 == 0 or progress.done == progress.total:
                last["stage"] = progress.stage
                status.update(stage=progress.stage, done=progress.done, total=progress.total)
                self._save(status)

        status["state"] = "running"
        self._save(status)
        try:
            manifest = produce(
                self._video(status["video_sha256"]), request, self._jobs / job / "result.mp4", settings=self._settings,
                backend="checkpoint" if request.subject else "embedded", progress=report,
                cancelled=lambda: job in self._cancelled or stop.is_set(),
            )  # fmt: skip
        except Cancelled:
            if not stop.is_set():
                self._finish(status, "cancelled")
        except RelightError as error:
            self._finish(status, "failed", error=str(error), reason=error.reason)
        except Exception as error:  # one job's fault must not end the service
            self._finish(status, "failed", error=f"{type(error).__name__}: {error}")
        else:
            self._finish(status, "done", stage="done", manifest=manifest)

    def _finish(self, status: dict[str, Any], state: str, **rest: Any) -> None:
        self._save(status | {"state": state} | rest)

    def _all(self) -> Iterator[dict[str, Any]]:
        for folder in sorted(self._jobs.iterdir()):
            status = self._load(folder.name)
            if status is not None:
                yield status

    def _load(self, job: str) -> dict[str, Any] | None:
        if not re.fullmatch(r"[0-9a-f]{24}", job):
            return None
        try:
            found: dict[str, Any] = json.loads((self._jobs / job / "job.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found

    def _save(self, status: dict[str, Any]) -> None:
        folder = self._jobs / status["id"]
        folder.mkdir(exist_ok=True)
        temporary = folder / f".job.{threading.get_ident()}.json"
        temporary.write_text(json.dumps(status), encoding="utf-8")
        temporary.replace(folder / "job.json")

    def _video(self, sha256: str) -> Path:
        if not SHA256.fullmatch(sha256):
            raise Rejected(404, "a video is named by its sha256")
        return self._videos / sha256

    def _part(self, sha256: str) -> Path:
        return self._video(sha256).with_suffix(".part")


def token_digest(token: str) -> bytes:
    """What tokens are compared by: of one length, whatever was sent."""
    return hashlib.sha256(token.encode()).digest()
