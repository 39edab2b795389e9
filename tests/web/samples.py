"""Clips, pictures and finished runs for the pages' tests, made from a face that is in the public domain."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import skimage.data

from detection.records import store, uploads
from detection.records.schema import (
    Analysis,
    Credentials,
    Deviation,
    Evidence,
    FrameScore,
    ModuleOutcome,
    PersonOutcome,
    PersonScore,
    Provenance,
    Reason,
    RunRecord,
    RunState,
    Span,
    StreamFacts,
    Thresholds,
)
from detection.records.uploads import Upload
from detection.vision.pictures import write_picture
from detection.web import previews

THRESHOLDS = Thresholds(real_below=0.35, fake_from=0.65)
QUARTER_TURN = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)  # a display matrix: shown 90° clockwise


def face_clip(
    path: Path,
    *,
    seconds: float = 2.0,
    codec: str = "libx264",
    size: tuple[int, int] = (480, 270),
    sound: bool = False,
    turned: bool = False,
    rate: int = 12,
    pixels: str = "yuv420p",
) -> Path:
    """The astronaut, drifting slowly over the picture."""
    width, height = size
    face = np.ascontiguousarray(skimage.data.astronaut())[0 : 512 * height // width]
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=rate)
        if codec == "libx265":
            stream.options = {"x265-params": "log-level=error"}
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        if turned:
            stream.set_display_matrix(QUARTER_TURN)
        tone = output.add_stream("aac", rate=48_000) if sound else None
        for index in range(round(rate * seconds)):
            picture = np.roll(face, round(12 * math.sin(index / 6)), axis=1)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(width, height, pixels)
            frame.pts, frame.time_base = index, Fraction(1, rate)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if tone is not None:
            _hum(output, tone, seconds)
    return path


def _hum(output: av.container.OutputContainer, stream: av.AudioStream, seconds: float) -> None:
    wave = 0.2 * np.sin(2 * np.pi * 220 * np.arange(48_000 * seconds) / 48_000)
    frame = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts = 48_000, 0
    output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def add_upload(root: Path, file: Path, name: str | None = None) -> Upload:
    """An inspected upload, as the upload page leaves it."""
    with file.open("rb") as stream:
        return previews.inspect(uploads.add_stream(root, name or file.name, uploads.read_chunks(stream)))


def finished_run(
    root: Path,
    upload: Upload,
    *,
    scores: tuple[float, ...] = (0.93,),
    reason: Reason | None = None,
    modules: tuple[str, ...] = ("space",),
    duration_s: float = 10.0,
) -> RunRecord:
    """A run over `upload` with one person per score, or without a result for `reason`, with its pictures on disk."""
    record = store.create_run(root, upload, modules)
    folder = store.run_dir(root, record.id)
    result = _no_result(reason, modules) if reason else _analysis(folder, scores, modules, duration_s)
    return store.finish_run(root, record.id, RunState.DONE, analysis=result)


def failed_run(root: Path, upload: Upload) -> RunRecord:
    record = store.create_run(root, upload, ("space",))
    return store.finish_run(root, record.id, RunState.FAILED, error="The worker was killed (signal 9).")


def _no_result(reason: Reason, modules: tuple[str, ...]) -> Analysis:
    outcomes = {key: ModuleOutcome(key, None, "no_result", reason) for key in modules}
    return Analysis(
        "no_result", None, reason, None, THRESHOLDS, outcomes, (), 10.0, 240, 120, 1.2, {"program": "0.1.0"}
    )


def _analysis(folder: Path, scores: tuple[float, ...], modules: tuple[str, ...], duration_s: float) -> Analysis:
    people = tuple(
        PersonOutcome(
            id=number,
            score=score,
            verdict=THRESHOLDS.verdict(score),
            frames=100,
            spans=(Span(0.0, duration_s * 0.45), Span(duration_s * 0.5, duration_s)),
            portrait=_picture(folder, f"portraits/{number}.png", 0.0),
            modules=dict.fromkeys(modules, score),
        )
        for number, score in enumerate(scores, 1)
    )
    top = max(scores)
    outcomes = {key: _outcome(folder, key, scores, duration_s) for key in modules}
    return Analysis(
        verdict=THRESHOLDS.verdict(top),
        score=top,
        reason=None,
        detail=None,
        thresholds=THRESHOLDS,
        modules=outcomes,
        people=people,
        duration_s=duration_s,
        frames_decoded=round(24 * duration_s),
        frames_analysed=100,
        seconds=2.4,
        versions={"program": "0.1.0", "onnxruntime": "1.31.1"},
        provenance=Provenance(
            {"encoder": "Lavf62", "title": "A morning’s walk"},
            (StreamFacts("video", "h264", 250_000, {"language": "und"}),),
            Credentials("valid", signer="Signer, Test Organisation", actions=("c2pa.created · Painter",)),
        ),
    )


def _outcome(folder: Path, key: str, scores: tuple[float, ...], duration_s: float) -> ModuleOutcome:
    points = [
        FrameScore(number, round(24 * time), float(time), _wobble(score, float(time)))
        for number, score in enumerate(scores, 1)
        for time in np.linspace(0, duration_s, 60)
    ]
    shown = [point for index, point in enumerate(points) if index % 60 % 9 == 0]  # seven moments of each person
    worst = {
        number: max((p for p in shown if p.person == number), key=lambda p: p.score)
        for number in range(1, len(scores) + 1)
    }
    evidence = [
        Evidence(
            kind,
            _picture(folder, f"{where}/{p.person}_{p.frame_index}.png", heat),
            p.person,
            p.frame_index,
            p.time_s,
            said,
            why,
        )
        for p in shown
        for kind, where, heat, said, why in (
            ("plain_frame", "plain_frames", 0.0, None, ("first_clear",) if p.time_s == 0 else ("best_of_stretch",)),
            ("mri", f"{key}/mri", p.score, p.score, ("most_suspicious",) if p is worst[p.person] else ()),
        )
    ]
    deviations = (
        _blinks(1),
        replace(_blinks(1), feature="identity_drift", value=0.12, genuine_low=0.0, genuine_high=0.2, unit=""),
    )
    return ModuleOutcome(
        key=key,
        score=max(scores),
        verdict=THRESHOLDS.verdict(max(scores)),
        thresholds=THRESHOLDS,
        people=tuple(PersonScore(n, s, THRESHOLDS.verdict(s), 100) for n, s in enumerate(scores, 1)),
        timeline=tuple(points),
        evidence=tuple(evidence),
        deviations=deviations if key == "feature" else (),
        versions={"weights": "sha256:0f3c"},
        seconds=1.6,
    )


def _wobble(score: float, time_s: float) -> float:
    return float(np.clip(score + 0.15 * math.sin(1.7 * time_s) * (0.3 + abs(math.sin(0.6 * time_s))), 0.001, 0.999))


def _blinks(person: int) -> Deviation:
    times = tuple(float(t) for t in np.arange(0, 10, 0.25))
    return Deviation("blink_rate", person, 2.0, 8.0, 30.0, "1/min", times, tuple(19 + 12 * math.sin(t) for t in times))


def _picture(folder: Path, name: str, heat: float) -> str:
    """The face, tinted towards the mouth by `heat`."""
    face = skimage.data.astronaut()[0:256, 96:352].astype(float)
    if heat:
        y, x = np.mgrid[0:256, 0:256]
        glow = heat * np.exp(-(((x - 128) / 50) ** 2 + ((y - 150) / 50) ** 2))[..., None]
        face = 0.35 * face + 255 * glow * np.array([1.0, 0.45, 0.1])
    write_picture(folder / name, face.clip(0, 255).astype(np.uint8))
    return name
