"""Relighting the video of a run: the follow-up that makes the clip, and the engines that the settings name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from django.conf import settings

from detection.inference import session
from detection.jobs.control import Interrupted, control
from detection.jobs.followup_work import Assignment, Work
from detection.records.schema import Reason
from relitalk.backends import Backend, Settings
from relitalk.engine import Progress
from relitalk.errors import Cancelled, RelightError
from relitalk.request import Request
from relitalk.results import relight_kept

FOLDER = "relit"
EMBEDDED_STAGES = ("relight_analyse", "relight_render")
REMOTE_STAGES = ("relight_upload", "relight_analyse", "relight_render", "relight_download")


def engine_settings() -> Settings:
    """Where relighting runs, from the environment (README, "Configuration")."""
    return Settings(
        device=settings.DEEPFAKE_DEVICE,
        relitalk_root=Path(settings.RELITALK_ROOT) if settings.RELITALK_ROOT else None,
        relitalk_python=Path(settings.RELITALK_PYTHON) if settings.RELITALK_PYTHON else None,
        remote_url=settings.RELITALK_URL,
        remote_token=settings.RELITALK_TOKEN,
    )


def backend() -> Backend:
    """The engine of another machine where one is set, else the one that is embedded."""
    return "remote" if settings.RELITALK_URL else "embedded"


def work() -> Work:
    return Work(REMOTE_STAGES if backend() == "remote" else EMBEDDED_STAGES, relight_run)


def relight_run(given: Assignment) -> dict[str, Any]:
    """Make the clip, or find it among those that are kept; its manifest. Raises RelightError, Interrupted."""
    check_video(given)
    watch = Watch(given.report)
    try:
        kept = relight_kept(
            given.video,
            Request.from_dict(given.request["request"]),
            given.run_dir / FOLDER,
            settings=engine_settings(),
            backend=backend(),
            keep_frames=given.request["keep_frames"],
            progress=watch.progress,
            cancelled=watch.cancelled,
        )
    except Cancelled:
        raise watch.interruption from None
    return kept.manifest


def check_video(given: Assignment) -> None:
    """Raises RelightError when the run's video was removed; else the networks are opened where the settings say."""
    if not given.video.is_file():
        message = f"The video {given.run.video_name} was removed. Upload it again."
        raise RelightError(message, Reason.UNREADABLE)
    session.configure(device=cast(session.Device, settings.DEEPFAKE_DEVICE), threads=settings.DEEPFAKE_THREADS)


class Watch:
    """Between an engine, which asks whether to go on, and a reporter, which raises when the work is to stop: so an
    engine on another machine is told of a cancellation, too.
    """

    def __init__(self, report: Callable[[str, int, int | None], None], prefix: str = "relight_") -> None:
        self._report, self._prefix = report, prefix
        self._interrupted: Interrupted | None = None

    def progress(self, progress: Progress) -> None:
        self._listen(lambda: self._report(self._prefix + progress.stage, progress.done, progress.total))

    def cancelled(self) -> bool:
        self._listen(control.check)
        return self._interrupted is not None

    @property
    def interruption(self) -> Interrupted:
        """Why the engine was stopped."""
        assert self._interrupted is not None, "an engine stops when it is told to"
        return self._interrupted

    def _listen(self, ask: Callable[[], None]) -> None:
        try:
            ask()
        except Interrupted as interrupted:
            self._interrupted = self._interrupted or interrupted
