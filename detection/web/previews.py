"""Facts, poster and playable copy of an upload, each made in a process of its own: a decoder that crashes takes no page
along. They lie in `media/previews/<sha256>/` and can be made again at any time.
"""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from django.conf import settings

from detection.records import codec, uploads
from detection.records.schema import Reason, VideoProperties
from detection.records.uploads import Upload
from detection.vision.inspector import Crashed, Inspector, Unavailable
from detection.vision.preview import plays_everywhere

INSPECT_TIMEOUT_S = 60

logger = logging.getLogger(__name__)

# What a browser gets to play: the file itself, its copy, or nothing (yet).
Playback = Literal["source", "copy", "preparing", "failed"]


def folder(sha256: str) -> Path:
    return Path(settings.MEDIA_ROOT) / "previews" / sha256


def poster_path(sha256: str) -> Path:
    return folder(sha256) / "poster.jpg"


def copy_path(sha256: str) -> Path:
    return folder(sha256) / "preview.mp4"


def forget_unless_there(sha256: str) -> None:
    """Remove what was made of a file that is gone for good; it may have been uploaded anew."""
    try:
        uploads.find_upload(settings.MEDIA_ROOT, sha256)
    except uploads.UploadNotFound:
        shutil.rmtree(folder(sha256), ignore_errors=True)


def inspect(upload: Upload) -> Upload:
    """Keep what the file is, and its poster; a file that gives no frames is kept with the reason as its `problem`."""
    if upload.video is not None and poster_path(upload.sha256).exists():
        return upload
    limit = str(settings.DEEPFAKE_MAX_DURATION_S)
    answer = _run("inspect", upload, poster_path(upload.sha256), "--max-duration-s", limit, "--sha256", upload.sha256)
    if "reason" in answer:
        return uploads.describe_upload(settings.MEDIA_ROOT, upload.sha256, problem=answer["reason"])
    video = codec.converter.structure({**answer, "name": upload.name}, VideoProperties)
    return uploads.describe_upload(settings.MEDIA_ROOT, upload.sha256, video=video)


def playback(upload: Upload) -> Playback:
    """What there is to play now; a copy that is needed and missing begins to be made."""
    if upload.video is None and upload.problem is None:  # it came by the command line, which asks for no preview
        upload = inspect(upload)
    if upload.video is None:
        return "failed"
    if copy_path(upload.sha256).exists():
        return "copy"
    if plays_everywhere(upload.video, uploads.file_path(settings.MEDIA_ROOT, upload)):
        return "source"
    return _copies.request(upload)


def make_copy(upload: Upload) -> Playback:
    """Begin a copy even of a file that should play as it is: some browser said that it does not."""
    return "copy" if copy_path(upload.sha256).exists() else _copies.request(upload)


class _Copies:
    """Makes copies one after the other, beside the analysis, and remembers those that could not be made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[str, Literal["preparing", "failed"]] = {}
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="previews")

    def request(self, upload: Upload) -> Playback:
        with self._lock:
            if upload.sha256 not in self._states:
                self._states[upload.sha256] = "preparing"
                self._pool.submit(self._make, upload)
            return self._states[upload.sha256]

    def _make(self, upload: Upload) -> None:
        answer = _run("video", upload, copy_path(upload.sha256), timeout_s=settings.DEEPFAKE_RUN_TIMEOUT_S)
        with self._lock:
            if "reason" in answer:
                self._states[upload.sha256] = "failed"
            else:
                del self._states[upload.sha256]


_copies = _Copies()


_inspector = Inspector()


def _run(
    what: str, upload: Upload, target: Path, *options: str, timeout_s: float = INSPECT_TIMEOUT_S
) -> dict[str, str]:
    """What `detection.vision.preview` answers; a crash or a hang of it is a file that cannot be read."""
    source = uploads.file_path(settings.MEDIA_ROOT, upload)
    limits = ["--memory-mb", str(settings.DEEPFAKE_MAX_MEMORY_MB), "--seconds", str(timeout_s)]
    words = [what, str(source), str(target), *limits, *options]
    try:
        status, output = _inspected(words, timeout_s) if what == "inspect" else _in_own_python(words, timeout_s)
    except Crashed as crash:
        logger.warning("%s (%s): %s: %s", upload.name, upload.sha256, what, crash)
        return {"reason": Reason.UNREADABLE.value}
    if status not in (0, 2):
        logger.warning("%s (%s): %s ended with %d: %s", upload.name, upload.sha256, what, status, output)
        return {"reason": Reason.UNREADABLE.value}
    answer: dict[str, str] = json.loads(output or "{}")
    return answer


def _inspected(words: list[str], timeout_s: float) -> tuple[int, str]:
    try:
        return _inspector.ask(words, timeout_s)
    except Unavailable as fault:
        logger.warning("%s; a process is started for this file alone.", fault)
        return _in_own_python(words, timeout_s)


def _in_own_python(words: list[str], timeout_s: float) -> tuple[int, str]:
    """Exit status and output. Raises Crashed when it takes too long."""
    command = [sys.executable, "-m", "detection.vision.preview", *words]
    try:
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise Crashed(f"reading it took more than {timeout_s} s") from None
    return done.returncode, done.stdout if done.returncode in (0, 2) else done.stderr
