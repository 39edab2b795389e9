"""The client of a relighting service on another machine: uploads, waits, downloads; survives cut lines and restarts.

The video goes up once, named by its hash, and goes on from where it broke off; so does the result on its way down.
Every file is checked against its sha256. A request names its own job, so asking twice starts it once.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detection.inference.weights import sha256_of
from detection.records.schema import Reason
from relitalk.engine import Progress
from relitalk.errors import Cancelled, Fault, RelightError

PIECE_BYTES = 4 * 1024 * 1024
POLL_S = 1.0
TIMEOUT_S = 30.0
PATIENCE_S = 120.0  # without any answer, before the server counts as gone

_UNREACHABLE = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


class _Refused(Exception):
    """The server answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class RemoteEngine:
    """Relights on the server at `url`, which knows `token`. `patience_s`: how long the server may be out of reach."""

    def __init__(self, url: str, token: str, *, patience_s: float = PATIENCE_S, poll_s: float = POLL_S) -> None:
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise RelightError(
                f"The relighting server's address {url!r} must begin with http:// or https://.", Fault.NO_SERVER
            )
        self._url, self._token = url.rstrip("/"), token
        self._patience_s, self._poll_s = patience_s, poll_s

    def relight(
        self,
        video: Path,
        request: dict[str, Any],
        out: Path,
        *,
        progress: Callable[[Progress], None] = lambda _: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> dict[str, Any]:
        """Makes `out` on the server and fetches it; gives its manifest. Raises RelightError, Cancelled."""
        sha256, size = sha256_of(video), video.stat().st_size
        job = ""
        try:
            while True:
                self._upload(video, sha256, size, progress, cancelled)
                job = self._start(sha256, request, cancelled)
                status = self._wait(job, progress, cancelled)
                if status is not None:
                    break  # else the server lost the job or the video, with its disk: begin again
            self._download(job, status, out, progress, cancelled)
        except Cancelled:
            if job:
                self._try_to_cancel(job)
            raise
        manifest: dict[str, Any] = status["manifest"]
        return manifest

    def _upload(
        self, video: Path, sha256: str, size: int, progress: Callable[[Progress], None], cancelled: Callable[[], bool]
    ) -> None:
        path = f"/videos/{sha256}"
        with video.open("rb") as file:
            while True:
                answer = self._ask("HEAD", path, cancelled=cancelled, expected=(200, 404))
                offset = int(answer.headers.get("upload-offset", "0"))
                progress(Progress("upload", offset, size))
                if answer.headers.get("upload-complete") == "1":
                    return
                file.seek(offset)
                headers = {"Upload-Offset": str(offset), "Upload-Length": str(size)}
                # 409: the server has more or less of it than was thought; its next answer to HEAD says how much.
                self._ask("PATCH", path, file.read(PIECE_BYTES), headers, cancelled=cancelled, expected=(200, 409))

    def _start(self, sha256: str, request: dict[str, Any], cancelled: Callable[[], bool]) -> str:
        body = json.dumps({"video_sha256": sha256, "request": request}).encode()
        answer = self._ask("POST", "/jobs", body, {"Content-Type": "application/json"}, cancelled=cancelled)
        return str(json.loads(answer.body)["id"])

    def _wait(
        self, job: str, progress: Callable[[Progress], None], cancelled: Callable[[], bool]
    ) -> dict[str, Any] | None:
        while True:
            answer = self._ask("GET", f"/jobs/{job}", cancelled=cancelled, expected=(200, 404))
            if answer.status == 404:
                return None
            status: dict[str, Any] = json.loads(answer.body)
            if status["state"] == "failed":
                raise RelightError(f"The relighting server could not do it: {status['error']}", _reason(status))
            if status["state"] == "cancelled":
                raise RelightError("The job was cancelled on the relighting server.")
            progress(Progress(status["stage"], status["done"], status["total"]))
            if status["state"] == "done":
                return status
            self._pause(cancelled)

    def _download(
        self,
        job: str,
        status: dict[str, Any],
        out: Path,
        progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
    ) -> None:
        size, sha256 = int(status["manifest"]["result_bytes"]), str(status["manifest"]["result_sha256"])
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = out.with_name(f".{os.getpid()}-{out.name}")
        digest = hashlib.sha256()
        try:
            with temporary.open("wb") as file:
                while file.tell() < size:
                    end = min(size, file.tell() + PIECE_BYTES) - 1
                    wanted = {"Range": f"bytes={file.tell()}-{end}"}
                    answer = self._ask(
                        "GET", f"/jobs/{job}/result", headers=wanted, cancelled=cancelled, expected=(206,)
                    )
                    file.write(answer.body)
                    digest.update(answer.body)
                    progress(Progress("download", file.tell(), size))
            if digest.hexdigest() != sha256:
                raise RelightError("The result was damaged on its way from the relighting server. Ask for it again.")
            temporary.replace(out)
        finally:
            temporary.unlink(missing_ok=True)

    def _try_to_cancel(self, job: str) -> None:
        try:
            self._once("DELETE", f"/jobs/{job}", None, {})
        except (_Refused, *_UNREACHABLE):
            pass  # it is cancelled here; the server will finish for nobody

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        *,
        cancelled: Callable[[], bool],
        expected: tuple[int, ...] = (200, 201),
    ) -> _Answer:
        """One exchange, tried again while the server is out of reach, for `patience_s` at most."""
        gives_up_at = time.monotonic() + self._patience_s
        while True:
            if cancelled():
                raise Cancelled("The remote relighting was cancelled.")
            try:
                return self._once(method, path, body, headers or {}, expected)
            except _Refused as error:
                if error.status not in (502, 503, 504):
                    raise RelightError(
                        f"The relighting server {self._url} refused: {error}", Fault.SERVER_REFUSED
                    ) from error
                trouble: Exception = error
            except _UNREACHABLE as error:
                trouble = error
            if time.monotonic() > gives_up_at:
                raise RelightError(
                    f"The relighting server {self._url} does not answer ({trouble}). Start it (`manage.py "
                    "relight_server`), check RELITALK_URL, or use the embedded engine.",
                    Fault.SERVER_UNREACHABLE,
                ) from trouble
            self._pause(cancelled)

    def _once(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], expected: tuple[int, ...] = (200,)
    ) -> _Answer:
        request = urllib.request.Request(self._url + path, data=body, method=method)
        for name, value in {"Authorization": f"Bearer {self._token}", **headers}.items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
                answer = _Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, response.read())
        except urllib.error.HTTPError as error:
            with error:
                answer = _Answer(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())
        if answer.status in expected:
            return answer
        try:
            message = str(json.loads(answer.body)["error"])
        except (ValueError, KeyError, TypeError):
            message = f"HTTP status {answer.status}"  # as for HEAD, whose answers have no body
        if answer.status == 401:
            message = "the token is missing or wrong; RELITALK_TOKEN must be the server's"
        raise _Refused(answer.status, message)

    def _pause(self, cancelled: Callable[[], bool]) -> None:
        ends_at = time.monotonic() + self._poll_s
        while time.monotonic() < ends_at and not cancelled():
            time.sleep(min(0.1, self._poll_s))


def _reason(status: dict[str, Any]) -> Reason | Fault | None:
    """Why a job failed on the server; None where it gave no reason, or one that is not known here."""
    for kind in (Reason, Fault):
        if status.get("reason") in list(kind):
            return kind(status["reason"])
    return None
