"""What a result is: the versioned record of one run.

Every class is a frozen dataclass whose field names carry their units. `detection.records.store` writes
them as JSON and reads them back; nothing here touches a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

SCHEMA_VERSION = 1

Verdict = Literal["fake", "real", "uncertain", "no_result"]


class Reason(StrEnum):
    """Why there is no result. A score is None exactly when one of these is given."""

    NO_FACE = "no_face"
    FACE_TOO_SMALL = "face_too_small"
    TOO_FEW_FRAMES = "too_few_frames"
    UNREADABLE = "unreadable"
    NO_VIDEO_STREAM = "no_video_stream"
    TOO_LONG = "too_long"
    MODULE_UNAVAILABLE = "module_unavailable"


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in (RunState.DONE, RunState.FAILED, RunState.CANCELLED)


@dataclass(frozen=True)
class Thresholds:
    """A score below `real_below` is called real, one of at least `fake_from` fake, any other uncertain."""

    real_below: float
    fake_from: float

    def verdict(self, score: float | None) -> Verdict:
        if score is None:
            return "no_result"
        if score >= self.fake_from:
            return "fake"
        return "real" if score < self.real_below else "uncertain"


@dataclass(frozen=True)
class VideoProperties:
    """What the container says of a video; sizes are those of the picture as it is shown (rotation applied)."""

    name: str
    sha256: str
    size_bytes: int
    container: str
    codec: str
    width: int
    height: int
    rotation_deg: int
    frame_rate: float
    variable_frame_rate: bool
    duration_s: float
    frames: int | None
    audio_codec: str | None


CredentialState = Literal["not_checked", "unsupported", "none", "valid", "invalid", "unreadable"]


@dataclass(frozen=True)
class Credentials:
    """The Content Credentials (C2PA manifest) in a file, validated offline.

    `valid`: file and manifest are as they were signed. `trusted` says whether the signer is on a list of trusted ones;
    None where no list was asked. `faults` are the codes of the checks that failed.
    """

    state: CredentialState
    detail: str | None = None
    title: str | None = None
    producer: str | None = None
    signer: str | None = None
    signed_at: str | None = None
    trusted: bool | None = None
    actions: tuple[str, ...] = ()
    ingredients: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class StreamFacts:
    """One stream of a file as its container describes it."""

    kind: str
    codec: str
    bit_rate_bps: int | None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Provenance:
    """What a file says of where it comes from. Tags are claims that anybody can write; only credentials are signed."""

    tags: dict[str, str]
    streams: tuple[StreamFacts, ...]
    credentials: Credentials


@dataclass(frozen=True)
class Span:
    """A stretch of time in which one person is followed without a break."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class FrameScore:
    """The calibrated probability that one person's face in one frame is forged."""

    person: int
    frame_index: int
    time_s: float
    score: float


@dataclass(frozen=True)
class Evidence:
    """One picture that a person can look at. `path` is relative to the run's folder.

    `reasons` say why this moment was chosen (`detection.vision.keyframes`, and what a module adds).
    """

    kind: str
    path: str
    person: int
    frame_index: int
    time_s: float
    score: float | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Deviation:
    """One measured feature of a person against the range of genuine faces (its 2.5th to 97.5th percentile)."""

    feature: str
    person: int
    value: float
    genuine_low: float
    genuine_high: float
    unit: str
    times_s: tuple[float, ...] = ()
    series: tuple[float, ...] = ()

    @property
    def deviates(self) -> bool:
        return not self.genuine_low <= self.value <= self.genuine_high


@dataclass(frozen=True)
class Course:
    """A quantity of one person over time that is shown and not judged."""

    name: str
    person: int
    unit: str
    times_s: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class PersonScore:
    """What one module says of one person."""

    id: int
    score: float | None
    verdict: Verdict
    frames: int
    reason: Reason | None = None


@dataclass(frozen=True)
class ModuleOutcome:
    """What one module says of one video."""

    key: str
    score: float | None
    verdict: Verdict
    reason: Reason | None = None
    thresholds: Thresholds | None = None
    people: tuple[PersonScore, ...] = ()
    timeline: tuple[FrameScore, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    courses: tuple[Course, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class PersonOutcome:
    """What the modules say of one person together. `portrait` is a picture's path relative to the run's folder;
    `thresholds` are those of the modules that judged this person, None in records from before they were kept.
    """

    id: int
    score: float | None
    verdict: Verdict
    frames: int
    spans: tuple[Span, ...]
    portrait: str | None = None
    reason: Reason | None = None
    modules: dict[str, float | None] = field(default_factory=dict)
    thresholds: Thresholds | None = None


@dataclass(frozen=True)
class Analysis:
    """The result of one run over one video."""

    verdict: Verdict
    score: float | None
    reason: Reason | None
    detail: str | None
    thresholds: Thresholds | None
    modules: dict[str, ModuleOutcome]
    people: tuple[PersonOutcome, ...]
    duration_s: float | None
    frames_decoded: int
    frames_analysed: int
    seconds: float
    versions: dict[str, str]
    provenance: Provenance | None = None


@dataclass(frozen=True)
class RunRecord:
    """The one truth about a run: `media/runs/<id>/record.json`. Times are ISO 8601 in UTC.

    `batch` names what the run was started together with; older records have none.
    """

    id: str
    created_at: str
    state: RunState
    upload: str
    video_name: str
    sha256: str
    modules: tuple[str, ...]
    video: VideoProperties | None = None
    analysis: Analysis | None = None
    error: str | None = None
    attempts: int = 0
    queued_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    batch: str | None = None
    schema_version: int = SCHEMA_VERSION
