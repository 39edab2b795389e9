"""Relit clips kept under their run: the same request again is answered from there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detection.inference.weights import sha256_of
from relitalk.backends import Backend, Settings, produce
from relitalk.engine import Progress
from relitalk.request import Request

VIDEO, MANIFEST, FRAMES = "relit.mp4", "manifest.json", "frames"


@dataclass(frozen=True)
class Result:
    """One relit clip. `frames_dir` is there when PNG frames were asked for."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def video(self) -> Path:
        return self.folder / VIDEO

    @property
    def frames_dir(self) -> Path | None:
        return self.folder / FRAMES if (self.folder / FRAMES).is_dir() else None


def find(root: Path, video_sha256: str, request: Request) -> Result | None:
    """The kept result of a request under `root`, if it is whole: its video has the hash that its manifest says."""
    folder = root / request.key(video_sha256)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if sha256_of(folder / VIDEO) != manifest["result_sha256"]:
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Result(folder, manifest)


def relight_kept(
    video: Path,
    request: Request,
    root: Path,
    *,
    settings: Settings,
    backend: Backend = "embedded",
    keep_frames: bool = False,
    progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Result:
    """The result of a request, from `root` (a run's `relit/` folder) when it is there, else made and kept there.

    Raises RelightError, Cancelled. The manifest is written last: a folder without one is no result.
    """
    video_sha256 = sha256_of(video)
    kept = find(root, video_sha256, request)
    if kept is not None and (not keep_frames or kept.frames_dir is not None):
        return kept
    folder = root / request.key(video_sha256)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        manifest = produce(
            video, request, folder / VIDEO, settings=settings, backend=backend,
            frames_dir=folder / FRAMES if keep_frames else None, progress=progress, cancelled=cancelled,
        )  # fmt: skip
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    temporary = folder / f".{MANIFEST}"
    temporary.write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
    temporary.replace(folder / MANIFEST)
    return Result(folder, manifest)
