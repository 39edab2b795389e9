"""A client that keeps on until its file is there, and writes down what the site promised it."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tests.chaos.site import Site

GIVE_UP_S = 120.0
PIECES = 6
LAST_HEADER = "Cross-Origin-Opener-Policy"  # of every answer of the site

Headers = dict[str, str]


class Unreachable(Exception):
    """No answer came: whether it was done is not known."""


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Ledger:
    """What was acknowledged: files by hash, runs, follow-ups; `asked` counts the runs that were asked for in all."""

    files: dict[str, Path] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    followups: list[tuple[str, str]] = field(default_factory=list)
    asked: int = 0
    broken: list[str] = field(default_factory=list)  # promises that were seen to be broken on the way


class Client:
    def __init__(self, site: Site, ledger: Ledger) -> None:
        self.site = site
        self.ledger = ledger

    def send(self, clip: Path, acknowledged: Callable[[int], None] = lambda piece: None) -> str:
        """Upload by tus, piece by piece, going on after every interruption; the hash that the site gave it."""
        data = clip.read_bytes()
        metadata = f"filename {base64.b64encode(clip.name.encode()).decode()}"
        announced = self._keep_trying(
            "POST", "/api/v1/tus/", headers={"Upload-Length": str(len(data)), "Upload-Metadata": metadata}
        )
        place, promised, piece = announced.headers["Location"], 0, 0
        while True:
            state = self._keep_trying("HEAD", place)
            there = int(state.headers["Upload-Offset"])
            if there < promised:
                self.ledger.broken.append(f"{clip.name}: {promised} bytes were acknowledged, {there} are there")
            if sha256 := state.headers.get("Upload-Sha256"):
                self.ledger.files[sha256] = clip
                return str(sha256)
            end = min(there + len(data) // PIECES + 1, len(data))
            try:
                headers = {"Upload-Offset": str(there), "Content-Type": "application/offset+octet-stream"}
                answer = self.ask("PATCH", place, data[there:end], headers)
            except Unreachable:
                self.site.ensure()
                continue
            if answer.status == 204:
                promised, piece = int(answer.headers["Upload-Offset"]), piece + 1
                acknowledged(piece)
            elif answer.status == 423:  # the connection that was cut is still being noticed
                time.sleep(0.2)
            else:
                raise AssertionError(f"PATCH: {answer.status} {answer.body!r}")

    def start(self, files: list[str]) -> list[str]:
        """The runs that were promised; none if no answer came."""
        self.ledger.asked += len(files)
        answer = self.ask("POST", "/api/v1/runs", _json({"uploads": files, "modules": ["space"]}), JSON)
        assert answer.status == 202, answer.body
        runs = [run["id"] for run in answer.json["runs"]]
        self.ledger.runs += runs
        return runs

    def relight(self, run_id: str, azimuth: int) -> str:
        answer = self.ask("POST", f"/api/v1/runs/{run_id}/relight", _json({"azimuth": azimuth}), JSON)
        assert answer.status in (200, 202), answer.body
        followup_id = str(answer.json["id"])
        self.ledger.followups.append((run_id, followup_id))
        return followup_id

    def ask(self, method: str, path: str, body: bytes | None = None, headers: Headers | None = None) -> Answer:
        """Raises Unreachable."""
        request = urllib.request.Request(
            self.site.address + path, body, {"Tus-Resumable": "1.0.0", **(headers or {})}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                if LAST_HEADER not in answer.headers:  # killed while it sent them, which looks like their end
                    raise Unreachable("the answer broke off")
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())
        except (OSError, HTTPException) as error:
            raise Unreachable(str(error)) from error

    def _keep_trying(self, method: str, path: str, headers: Headers | None = None) -> Answer:
        deadline = time.monotonic() + GIVE_UP_S
        while time.monotonic() < deadline:
            try:
                answer = self.ask(method, path, None, headers)
            except Unreachable:
                self.site.ensure()
                continue
            if answer.status < 300:
                return answer
            assert answer.status == 423, (method, path, answer.status, answer.body)
            time.sleep(0.2)
        raise AssertionError(f"{method} {path}: no success within {GIVE_UP_S} s")


JSON = {"Content-Type": "application/json"}


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
