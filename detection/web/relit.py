"""Follow-ups of a run as their pages show them: relit clips with light and measures, and the verdict under other
lights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from detection.jobs.followup_requests import AS_IT_IS
from detection.jobs.followups import RELIT_FOLDER, RELIT_FRAMES, RELIT_VIDEO, FollowUpProgress, relit_folder
from detection.records.followups import FollowUp
from detection.records.schema import RunState, Thresholds, Verdict
from detection.web import relight_words as words
from detection.web.following import step_words
from detection.web.relight_form import hex_colour
from detection.web.words import ReasonWords
from relitalk.request import Request


@dataclass(frozen=True)
class Measure:
    name: str | Promise
    value: str
    note: str | Promise


@dataclass(frozen=True)
class LightRow:
    """Space's word on the clip under one light. `holds`: the verdict is that of the clip as it is."""

    name: str | Promise
    score: float | None
    verdict: Verdict
    thresholds: Thresholds | None
    holds: bool | None


@dataclass(frozen=True)
class WorkRow:
    """A follow-up in a list: what it is, how far, why it failed. `address` is that of its JSON."""

    followup: FollowUp
    title: str
    words: str
    fault: ReasonWords | None
    percent: float | None
    address: str

    @property
    def is_active(self) -> bool:
        return not self.followup.state.is_final

    @property
    def is_done(self) -> bool:
        return self.followup.state is RunState.DONE


def work_row(progress: FollowUpProgress) -> WorkRow:
    followup = progress.followup
    is_clip = followup.kind == "relight"
    return WorkRow(
        followup=followup,
        title=words.request_words(request_of(followup)) if is_clip else _("Verdict under changed light"),
        words=followup_words(progress),
        fault=words.fault_words(followup.fault),
        percent=progress.step.percent if progress.step else None,
        address=reverse("api-followup", args=[followup.run, followup.id]),
    )


def followup_words(progress: FollowUpProgress) -> str:
    """One line: what is being done, how far it is, how long it will take."""
    state = progress.followup.state
    if state is RunState.QUEUED and progress.before:
        return _("Waiting · %d before it") % progress.before
    if state is RunState.RUNNING and progress.step is not None:
        return step_words(progress.step)
    return str(words.STATES[state])


def followup_json(progress: FollowUpProgress) -> dict[str, Any]:
    followup, step = progress.followup, progress.step
    is_clip = followup.kind == "relight"
    page = reverse("relit", args=[followup.run, followup.id]) if is_clip else reverse("relight", args=[followup.run])
    return {
        "id": followup.id,
        "run": followup.run,
        "kind": followup.kind,
        "state": followup.state.value,
        "is_final": followup.state.is_final,
        "attempts": followup.attempts,
        "stage": step.stage if step else None,
        "done": step.done if step else None,
        "total": step.total if step else None,
        "percent": step.percent if step else None,
        "seconds_left": step.seconds_left if step else None,
        "before": progress.before,
        "words": followup_words(progress),
        "error": followup.error,
        "fault": followup.fault,
        "request": followup.request,
        "result": followup.result,
        "created_at": followup.created_at,
        "finished_at": followup.finished_at,
        "video_url": video_address(followup) if is_clip and followup.state is RunState.DONE else None,
        "url": page,
    }


def video_address(followup: FollowUp) -> str:
    return reverse("evidence", args=[followup.run, f"{RELIT_FOLDER}/{followup.id}/{RELIT_VIDEO}"])


def has_frames(followup: FollowUp) -> bool:
    return (relit_folder(followup.run, followup.id) / RELIT_FRAMES).is_dir()


def request_of(followup: FollowUp) -> Request:
    return Request.from_dict(followup.request["request"])


def light_facts(request: Request) -> list[tuple[str, str]]:
    """What was asked for, name by name."""
    light = request.light
    return [
        (_("Direction"), words.direction_words(light.azimuth_deg, light.elevation_deg)),
        (_("Intensity"), f"{light.intensity:g}"),
        (_("Ambient light"), f"{light.ambient:g}"),
        (_("Softness"), f"{light.softness:g}"),
        (_("Colour"), hex_colour(light.colour)),
        (_("The light stays with"), _("the scene") if light.fixed_to == "scene" else _("the head")),
    ]


def measures(report: dict[str, Any] | None) -> list[Measure]:
    """What was measured on the clip; nothing, where its engine measures nothing."""
    found = report["measures"] if report else {}
    return [
        Measure(each.name, "–" if found[key] is None else each.form.format(found[key]), each.note)
        for key, each in words.MEASURES.items()
        if key in found
    ]


def source_lights(report: dict[str, Any] | None) -> list[str]:
    """The light that each person was taken in, in words."""
    return [
        _("Person %(person)d, from %(from)s s on: %(direction)s, %(ambient)s %% of it from all around")
        % {
            "person": found["person"],
            "from": f"{found['from_s']:.1f}",
            "direction": words.direction_words(found["azimuth_deg"], found["elevation_deg"]),
            "ambient": f"{100 * found['ambient']:.0f}",
        }
        for found in (report["source_lights"] if report else [])
    ]


def light_rows(followup: FollowUp) -> list[LightRow]:
    """The table of the verdict under changed light; the clip as it is comes first."""
    rows = followup.result["rows"] if followup.result else []
    return [
        LightRow(
            _("As it is") if row["light"] == AS_IT_IS else words.PRESET_NAMES[row["light"]],
            row["score"],
            row["verdict"],
            Thresholds(**row["thresholds"]) if row["thresholds"] else None,
            None if row["light"] == AS_IT_IS else row["verdict"] == rows[0]["verdict"],
        )
        for row in rows
    ]
