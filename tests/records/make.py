"""Records as an analysis would leave them, for tests that need no video."""

from __future__ import annotations

from pathlib import Path

from detection.records import store, uploads
from detection.records.schema import (
    Analysis,
    Deviation,
    Evidence,
    FrameScore,
    ModuleOutcome,
    PersonOutcome,
    PersonScore,
    Reason,
    RunRecord,
    RunState,
    Span,
    Thresholds,
    Verdict,
    VideoProperties,
)
from detection.records.uploads import Upload

THRESHOLDS = Thresholds(real_below=0.4, fake_from=0.6)


def video_properties(upload: Upload) -> VideoProperties:
    return VideoProperties(
        name=upload.name,
        sha256=upload.sha256,
        size_bytes=upload.size_bytes,
        container="mov,mp4",
        codec="h264",
        width=1280,
        height=720,
        rotation_deg=0,
        frame_rate=29.97,
        variable_frame_rate=False,
        duration_s=10.0,
        frames=300,
        audio_codec=None,
    )


def outcome(key: str, score: float | None, reason: Reason | None = None) -> ModuleOutcome:
    verdict = THRESHOLDS.verdict(score)
    scored = score is not None
    return ModuleOutcome(
        key=key,
        score=score,
        verdict=verdict,
        reason=reason,
        thresholds=THRESHOLDS,
        people=(PersonScore(1, score, verdict, 30),) if scored else (),
        timeline=(FrameScore(1, 4, 0.16, score),) if scored else (),
        evidence=(Evidence("mri", "mri/1_4.png", 1, 4, 0.16, score),),
        deviations=(Deviation("blink_rate", 1, 0.1, 8.0, 30.0, "1/min", (0.1, 0.2), (1.0, 2.0)),),
        versions={"weights": "abc"},
        seconds=1.5,
    )


def analysis(
    score: float | None = 0.9, modules: tuple[str, ...] = ("space",), reason: Reason | None = None
) -> Analysis:
    verdict: Verdict = THRESHOLDS.verdict(score)
    return Analysis(
        verdict=verdict,
        score=score,
        reason=reason,
        detail=None,
        thresholds=THRESHOLDS,
        modules={key: outcome(key, score, reason) for key in modules},
        people=(PersonOutcome(1, score, verdict, 30, (Span(0.0, 9.5),), modules={"space": score}),),
        duration_s=10.0,
        frames_decoded=300,
        frames_analysed=30,
        seconds=2.5,
        versions={"schema": "1"},
    )


def upload(root: Path, content: bytes = b"a video", name: str = "clip.mp4") -> Upload:
    return uploads.add_stream(root, name, [content])


def queued_run(root: Path, name: str = "clip.mp4", modules: tuple[str, ...] = ("space",)) -> RunRecord:
    return store.create_run(root, upload(root, name.encode(), name), modules)


def finished_run(
    root: Path,
    name: str = "clip.mp4",
    score: float | None = 0.9,
    modules: tuple[str, ...] = ("space",),
    reason: Reason | None = None,
) -> RunRecord:
    record = queued_run(root, name, modules)
    return store.finish_run(root, record.id, RunState.DONE, analysis=analysis(score, modules, reason))
