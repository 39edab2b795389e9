"""What a hostile file is put through: the analysis of `detect`, poster and preview, the upload and its pages."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

from django.test import Client

from detection.management.isolation import Analyst, AnalystDied, Request
from detection.records import upload_trash
from detection.records.schema import Reason, Verdict
from detection.vision.confinement import confine_memory, end_after

LIMIT_S = 60.0
LIMIT_MB = 2048  # of resident memory; a sound clip takes 0.7 GB
PREVIEW_LIMIT_MB = 1024
MODULES = ("space", "feature")


@dataclass(frozen=True)
class Outcome:
    """What came of one case on one surface. `is_fault`: it is none of the ends that are promised."""

    surface: str
    word: str
    detail: str
    seconds: float
    is_fault: bool = False


def timed(surface: str, call: Callable[[], tuple[str, str, bool]]) -> Outcome:
    began = time.monotonic()
    word, detail, is_fault = call()
    return Outcome(surface, word, detail, time.monotonic() - began, is_fault)


def analysed(analyst: Analyst, path: Path, folder: Path, modules: tuple[str, ...]) -> Outcome:
    """The whole analysis, as `detect` does it: a verdict, or a reason of the design."""

    def call() -> tuple[str, str, bool]:
        folder.mkdir(exist_ok=True)
        try:
            answer = analyst.analyse(Request(path, "0" * 64, modules, folder), lambda *_: None)
        except AnalystDied as death:
            return "contained", f"in {death.stage or 'opening'}: {death}", False
        analysis = answer.analysis
        if analysis is None:
            return "fault", answer.problem or "", True
        word = analysis.reason or analysis.verdict
        promised = analysis.verdict in get_args(Verdict) and (analysis.score is None) == (
            analysis.reason in list(Reason)
        )
        return str(word), analysis.detail or "", not promised

    return timed("detect", call)


def previewed(path: Path, folder: Path) -> Outcome:
    """Facts, poster and browser's copy, in a child under the limits that the site gives it."""

    def call() -> tuple[str, str, bool]:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=_preview, args=(path, folder, theirs))
        child.start()
        theirs.close()
        child.join(LIMIT_S + 5)
        if child.is_alive():
            child.kill()
            return "fault", "the kernel's limit did not end it", True
        if child.exitcode == 0 and ours.poll():
            word, detail = ours.recv()
            return word, detail, word == "fault"
        return "contained", f"exit status {child.exitcode}", False

    return timed("preview", call)


def _preview(path: Path, folder: Path, answer: Any) -> None:
    from detection.vision.preview import inspect, write_preview
    from detection.vision.video import VideoError

    confine_memory(PREVIEW_LIMIT_MB)
    end_after(LIMIT_S)
    try:
        inspect(path, folder / "poster.jpg", 3600.0, "0" * 64)
        write_preview(path, folder / "preview.mp4")
    except VideoError as error:
        answer.send((str(error.reason), error.detail))
    except MemoryError:
        answer.send((str(Reason.UNREADABLE), "memory"))
    except Exception as error:
        answer.send(("fault", f"{type(error).__name__}: {error}"))
    else:
        answer.send(("made", ""))


def uploaded(media: Path, path: Path, name: str) -> Outcome:
    """The upload itself, then every page that shows it. The file stays below media/ under its hash."""

    def call() -> tuple[str, str, bool]:
        client = Client()
        data = path.read_bytes()
        response = client.post(
            f"/api/v1/uploads?name={quote(name, safe='')}", data, content_type="application/octet-stream"
        )
        if response.status_code != 201:
            known = response.status_code == 400 and "error" in response.json()
            return f"refused {response.status_code}", response.content.decode()[:200], not known
        sha256 = response.json()["sha256"]
        stored = response.json()["path"]
        if (media / stored).resolve().parent != (media / "uploads").resolve():
            return "escaped", stored, True
        for address in (
            "/Space_Upload_1/",
            f"/uploads/{sha256}/row/",
            f"/api/v1/uploads/{sha256}",
            f"/api/v1/uploads/{sha256}/playback",
            f"/media/uploads/{sha256}/source",
            f"/media/uploads/{sha256}/poster.jpg",
            "/keyframe/",
        ):
            status = client.get(address).status_code
            if status not in (200, 404):
                return f"{address} {status}", name, True
        problem = response.json()["problem"]
        upload_trash.delete_upload(media, sha256)
        upload_trash.purge_upload(media, sha256)
        return problem or "kept", "", problem is not None and problem not in list(Reason)

    return timed("upload", call)


def strays(folder: Path, media: Path) -> list[str]:
    """Files beside media/ that nobody asked for."""
    return [str(p) for p in folder.rglob("*escaped*") if media not in p.parents] + [
        str(p) for p in (Path("/tmp/escaped.mp4"), Path("/etc/cron.d/escaped")) if p.exists()
    ]


def as_line(number: int, kind: str, outcome: Outcome) -> str:
    return json.dumps(
        {"case": number, "kind": kind, **{k: getattr(outcome, k) for k in ("surface", "word", "detail", "seconds")}},
        ensure_ascii=False,
    )
