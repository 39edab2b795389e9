"""One request, whichever engine serves it: embedded, a ReliTalk checkout, or either of them on another machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from detection.inference.weights import sha256_of
from relitalk import checkpoint
from relitalk.engine import Options, Progress, relight
from relitalk.errors import Fault, RelightError
from relitalk.remote import RemoteEngine
from relitalk.request import CHECKPOINT_ENGINE, NOT_EVIDENCE, VERSION, Request
from relitalk.video import write_frames

Backend = Literal["embedded", "checkpoint", "remote"]
BACKENDS: tuple[Backend, ...] = ("embedded", "checkpoint", "remote")


@dataclass(frozen=True)
class Settings:
    """Where the engines are. `relitalk_root` and `relitalk_python` belong to a user's ReliTalk checkout."""

    device: str = "auto"
    relitalk_root: Path | None = None
    relitalk_python: Path | None = None
    remote_url: str = ""
    remote_token: str = ""


def produce(
    video: Path,
    request: Request,
    out: Path,
    *,
    settings: Settings,
    backend: Backend,
    frames_dir: Path | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Makes `out` and gives the manifest of it (JSON's types alone). Raises RelightError, Cancelled."""
    if not video.is_file():
        raise RelightError(f"There is no file {video}.")
    if backend == "remote":
        if not settings.remote_url:
            raise RelightError(
                "No relighting server is set: give RELITALK_URL its address and RELITALK_TOKEN its token.",
                Fault.NO_SERVER,
            )
        engine = RemoteEngine(settings.remote_url, settings.remote_token)
        return engine.relight(video, request.as_dict(), out, progress=progress, cancelled=cancelled)
    manifest: dict[str, Any] = {"video_sha256": sha256_of(video), "request": request.as_dict(), "mark": NOT_EVIDENCE}
    if backend == "checkpoint":
        manifest |= _run_checkpoint(video, request, out, settings=settings, progress=progress, cancelled=cancelled)
    else:
        options = Options(request.person, request.sweep_period_s, frames_dir, settings.device)
        report = relight(video, request.light, out, options=options, progress=progress, cancelled=cancelled)
        manifest |= {"engine": report.engine, "version": report.version, "report": report.as_dict()}
    return manifest | {"result_sha256": sha256_of(out), "result_bytes": out.stat().st_size}


def _run_checkpoint(
    video: Path,
    request: Request,
    out: Path,
    *,
    settings: Settings,
    progress: Callable[[Progress], None],
    cancelled: Callable[[], bool],
) -> dict[str, Any]:
    if settings.relitalk_root is None or settings.relitalk_python is None:
        raise RelightError(
            "No ReliTalk checkout is set: give RELITALK_ROOT its folder and RELITALK_PYTHON its interpreter, or use "
            "the embedded engine.",
            Fault.NO_CHECKOUT,
        )
    if not request.subject:
        raise RelightError("The checkpoint engine renders a trained subject: name it.", Fault.NO_CHECKOUT)
    checkout = checkpoint.Checkout(
        settings.relitalk_root, request.subject, settings.relitalk_python, request.checkpoint or "latest"
    )
    rendered = checkpoint.render(
        checkout,
        request.light,
        log=out.with_suffix(".log"),
        progress=lambda done, total: progress(Progress("render", done, total)),
        cancelled=cancelled,
    )
    frames = (checkpoint.read_frame(path) for path in rendered.frames)
    comment = {"comment": f"{NOT_EVIDENCE}; {CHECKPOINT_ENGINE}; {request.light}", "description": NOT_EVIDENCE}
    count = write_frames(frames, checkpoint.FRAME_RATE_HZ, out, comment, sound_of=video)
    return {
        "engine": CHECKPOINT_ENGINE,
        "version": VERSION,
        "frames": count,
        "command": list(rendered.command),
        "coefficients": list(rendered.coefficients),
    }
