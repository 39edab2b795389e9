"""The shapes of version 1 of the JSON interface: what it takes and what it answers.

A field may be added within a version; none is taken away or changes its meaning. The record of a run is not here: it is
`detection.records.schema.RunRecord` as it lies on disk, with a `schema_version` of its own.

Descriptions are marked for translation, and translated where they are shown (`api_page.py`).
"""

from __future__ import annotations

from typing import Any, Literal, get_args

from django.utils.translation import gettext_noop as _
from ninja import Schema
from pydantic import ConfigDict, Field

from detection.modules import MODULES
from detection.records.followups import Kind
from detection.records.orders import SORTS
from detection.records.schema import Reason, RunState, Verdict, VideoProperties
from relitalk.light import PRESETS

VERSION = 1


class Problem(Schema):
    """What every answer of status 400 and above is."""

    error: str = Field(description=_("What went wrong, in a sentence, in the language that was asked for."))
    advice: str | None = Field(default=None, description=_("The way out, where there is one."))


class ModuleInfo(Schema):
    name: str
    available: bool = Field(default=True, description=_("Whether it can be chosen; every module that is listed can."))


class Limits(Schema):
    upload_mb: int = Field(description=_("The largest file that is taken."))
    duration_s: int = Field(description=_("The longest video that is analysed."))


class Queue(Schema):
    worker_alive: bool = Field(description=_("Whether anything works off the queue."))
    queued: int
    running: list[str] = Field(description=_("The runs that are being analysed, by id."))


class Index(Schema):
    version: int
    csrf_token: str = Field(description=_("For pages of this site alone: programs need none."))
    modules: dict[str, ModuleInfo]
    limits: Limits
    queue: Queue
    documentation: str
    openapi: str = Field(description=_("Where this description is, for programs."))


class UploadInfo(Schema):
    """One uploaded file."""

    sha256: str = Field(description=_("Names the file: the same content is kept once, whatever it is called."))
    name: str
    path: str = Field(description=_("Relative to the media folder."))
    size_bytes: int
    uploaded_at: str
    video: VideoProperties | None = Field(description=_("What the container says; null for what is no video."))
    problem: Reason | None = Field(description=_("Why it cannot be analysed."))
    active_run: str | None = Field(description=_("The unfinished run over it."))
    latest_run: str | None = Field(
        description=_("The newest finished run over it: the same file need not be run again.")
    )
    row_url: str


class UploadList(Schema):
    uploads: list[UploadInfo]


class PlaybackInfo(Schema):
    state: Literal["source", "copy", "preparing", "failed"] = Field(
        description=_("The file itself plays in every browser, or its copy; the copy is being made; nothing plays.")
    )
    url: str | None


class StartRuns(Schema):
    uploads: list[str] = Field(min_length=1, description=_("SHA-256 of uploaded files: one run is started for each."))
    modules: list[str] = Field(min_length=1, description=_("Keys of modules, as the index names them."))


class RunProgress(Schema):
    """How far a run is. What is not known yet is null, never a guess."""

    id: str
    state: RunState
    is_final: bool = Field(description=_("Whether the state will not change by itself any more."))
    stage: str | None
    frames_done: int | None
    frames_total: int | None
    percent: float | None = Field(description=_("Of the whole run."))
    seconds_left: float | None = Field(description=_("Of the whole run; null until every stage's pace is known."))
    queue_position: int | None = Field(description=_("1 is the next one; null once it runs."))
    attempts: int
    error: str | None = Field(description=_("Why the run failed."))
    words: str = Field(description=_("The same in one line for people."))
    url: str = Field(description=_("The run's page."))


class RunList(Schema):
    runs: list[RunProgress]
    batch: str | None = Field(default=None, description=_("The batch that they were started in, if there are several."))


class ModuleVerdict(Schema):
    verdict: Verdict
    score: float | None
    reason: Reason | None


class HistoryEntry(Schema):
    """One finished run, as the log has it; the whole is in its record."""

    id: str
    created_at: str
    finished_at: str
    state: RunState
    verdict: Verdict
    score: float | None = Field(
        description=_("Calibrated probability of a forged face; null exactly when there is a reason.")
    )
    reason: Reason | None = Field(description=_("Why there is no score."))
    video_name: str
    sha256: str
    duration_s: float | None
    people: int
    seconds: float = Field(description=_("What the analysis took."))
    error: str | None
    modules: dict[str, ModuleVerdict]
    batch: str | None = Field(description=_("The batch that they were started in, if there are several."))


class BatchInfo(Schema):
    """What was started together."""

    id: str
    started_at: str
    is_final: bool = Field(description=_("Whether all its runs have ended."))
    totals: dict[str, int] = Field(description=_("How many runs by verdict, failed, cancelled and unfinished."))
    unfinished: list[RunProgress]
    finished: list[HistoryEntry]


class HistoryPage(Schema):
    total: int = Field(description=_("Of all pages."))
    page: int
    runs: list[HistoryEntry]


class HistoryQuery(Schema):
    """Documents what `FilterForm` reads; each may be left out."""

    q: str = Field(default="", max_length=200, description=_("Part of the name, SHA-256 or run."))
    module: str = Field(default="", json_schema_extra={"enum": ["", *MODULES]})
    verdict: str = Field(default="", json_schema_extra={"enum": ["", *get_args(Verdict)]})
    state: str = Field(default="", json_schema_extra={"enum": ["", *(s.value for s in RunState if s.is_final)]})
    since: str = Field(default="", description=_("A day, such as 2026-11-22; included."))
    until: str = Field(default="", description=_("A day; included."))
    min_percent: str = Field(default="", description=_("The lowest score, in whole per cents from 0 to 100."))
    max_percent: str = Field(default="", description=_("The highest score, likewise."))
    zone: str = Field(default="", description=_("The time zone of the days, such as Asia/Shanghai; else the site's."))
    sort: str = Field(
        default="", json_schema_extra={"enum": ["", *SORTS]}, description=_("With a minus the highest comes first.")
    )
    page: int = Field(default=1, ge=1, description=_("50 runs to a page."))


class LightFields(Schema):
    """A light, as the fields that ask for it."""

    azimuth: float = Field(description=_("Degrees; + is the viewer's right."))
    elevation: float = Field(description=_("Degrees; + is up."))
    intensity: float
    ambient: float
    softness: float
    colour: str = Field(description=_("#rrggbb, sRGB; only its hue counts."))
    fixed_to: Literal["scene", "head"]


class LightRequest(Schema):
    """What to relight a video with. Each may be left out: it is then that of the preset, or of a light from the front.

    Their limits are those of `LightForm`, which judges them.
    """

    model_config = ConfigDict(extra="forbid")

    azimuth: float | None = Field(default=None, ge=-180, le=180, description=_("Degrees; + is the viewer's right."))
    elevation: float | None = Field(default=None, ge=-90, le=90, description=_("Degrees; + is up."))
    intensity: float | None = Field(default=None, ge=0, le=10)
    ambient: float | None = Field(default=None, ge=0, le=10)
    softness: float | None = Field(default=None, ge=0, le=1)
    colour: str | list[float] | None = Field(default=None, description=_("#rrggbb, or three linear factors."))
    fixed_to: Literal["scene", "head"] | None = None
    sweep: float | None = Field(
        default=None, ge=0.5, le=600, description=_("The light goes once round the head in so many seconds.")
    )
    frames: bool | None = Field(default=None, description=_("Keep every frame as PNG, too."))
    preset: str | None = Field(default=None, json_schema_extra={"enum": [*PRESETS, None]})


class FollowUpProgress(Schema):
    """What was asked of a finished run, and how far it is. What is not known yet is null."""

    id: str
    run: str
    kind: Kind = Field(description=_("A clip under another light, or the verdict under changed light."))
    state: RunState
    is_final: bool = Field(description=_("Whether the state will not change by itself any more."))
    attempts: int
    stage: str | None
    done: int | None
    total: int | None
    percent: float | None
    seconds_left: float | None
    before: int | None = Field(description=_("How many are done first."))
    words: str = Field(description=_("The same in one line for people."))
    error: str | None
    fault: str | None = Field(description=_("The name of what went wrong, where it has one."))
    request: dict[str, Any]
    result: dict[str, Any] | None = Field(
        description=_("Manifest and measures, or the verdicts; null until it is done.")
    )
    created_at: str
    finished_at: str | None
    video_url: str | None = Field(description=_("The clip, once it is made. It is generated, not evidence."))
    url: str = Field(description=_("Its page."))


class FollowUpList(Schema):
    work: list[FollowUpProgress]
    presets: dict[str, LightFields]
