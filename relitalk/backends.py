"""One request, whichever engine serves it: embedded, a ReliTalk checkout, or either of them on another machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from detection.inference.weights import sha256_of
from relitalk import checkpoint
from relitalk.engine import Options, Progress, relight
from relitalk.errors import RelightError
from relitalk.light import Light
from relitalk.remote import RemoteEngine
from relitalk.report import ENGINE, NOT_EVIDENCE, VERSION
from relitalk.video import write_frames

Backend = Literal["embedded", "checkpoint", "remote"]
BACKENDS: tuple[Backend, ...] = ("embedded", "checkpoint", "remote")


@dataclass(frozen=True)
class Request:
    """What is asked for. `subject` and `checkpoint` name a trained ReliTalk model; empty: the embedded engine."""

    light: Light
    person: int | None = None
    sweep_period_s: float | None = None
    subject: str = ""
    checkpoint: str = "latest"

    def as_dict(self) -> dict[str, Any]:
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Request:
        """Raises ValueError for anything that is not a request."""
        try:
            light = dict(plain["light"])
            light["colour"] = tuple(light.get("colour", (1.0, 1.0, 1.0)))
            rest = {key: value for key, value in plain.items() if key != "light"}
            return cls(light=Light(**light), **rest)
        except (KeyError, TypeError) as error:
            raise ValueError(f"this is no relighting request: {error}") from error

    def key(self, video_sha256: str) -> str:
        """Names the result: the same video, light, engine and version give the same one."""
        engine = [checkpoint.BACKEND, self.subject] if self.subject else [ENGINE]
        text = json.dumps([video_sha256, self.as_dict(), *engine, VERSION], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]


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
                "No relighting server is set: give RELITALK_URL its address and RELITALK_TOKEN its token."
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
            "the embedded engine."
        )
    if not request.subject:
        raise RelightError("The checkpoint engine renders a trained subject: name it.")
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
    comment = {"comment": f"{NOT_EVIDENCE}; {checkpoint.BACKEND}; {request.light}", "description": NOT_EVIDENCE}
    count = write_frames(frames, checkpoint.FRAME_RATE_HZ, out, comment, sound_of=video)
    return {
        "engine": checkpoint.BACKEND,
        "version": VERSION,
        "frames": count,
        "command": list(rendered.command),
        "coefficients": list(rendered.coefficients),
    }
