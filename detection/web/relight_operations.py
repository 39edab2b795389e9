"""The operations of relighting: what is done with the video of a finished run, and how far it is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop as noop
from ninja import Status

from detection.jobs import followups as work
from detection.records import store
from detection.web.api import BadRequest, api, faults
from detection.web.api_schema import FollowUpList, FollowUpProgress, LightRequest
from detection.web.relight_form import as_fields, from_json
from detection.web.relit import followup_json
from relitalk.light import PRESETS

ITEM = "/runs/{run_id}/relight/{followup_id}"
ASKED = {200: FollowUpProgress, 202: FollowUpProgress}  # there already, or still to be done
NO_WISH = LightRequest()


@api.get(
    "/runs/{run_id}/relight",
    response={200: FollowUpList, **faults(404)},
    url_name="api-relight",
    summary=noop("All that was asked of the video of a run, and the lights that have a name."),
)
def list_relit(request: HttpRequest, run_id: str) -> dict[str, Any]:
    store.load_run(settings.MEDIA_ROOT, run_id)
    presets = {name: as_fields(light) for name, light in PRESETS.items()}
    return {"work": [followup_json(each) for each in work.of_run(run_id)], "presets": presets}


@api.post(
    "/runs/{run_id}/relight",
    response={**ASKED, **faults(400, 404, 409, 507)},
    summary=noop("Relight the video of a finished run. The same light again answers with the clip that is there."),
)
def relight(request: HttpRequest, run_id: str, body: LightRequest = NO_WISH) -> Status[Any]:
    store.load_run(settings.MEDIA_ROOT, run_id)
    form = from_json(body.model_dump(exclude_none=True))
    if not form.is_valid():
        raise BadRequest(form.faults())
    followup = work.ask_to_relight(run_id, form.request(), keep_frames=form.cleaned_data["frames"])
    return _asked(run_id, followup.id)


@api.post(
    "/runs/{run_id}/relight/verdict",
    response={**ASKED, **faults(404, 409, 507)},
    url_name="api-relight-verdict",
    summary=noop("Ask for the verdict under changed light."),
)
def judge_relit(request: HttpRequest, run_id: str) -> Status[Any]:
    return _asked(run_id, work.ask_for_changed_light(run_id).id)


@api.get(
    ITEM,
    response={200: FollowUpProgress, **faults(404)},
    url_name="api-followup",
    summary=noop("How far a piece of work is, and what it gave."),
)
def get_relit(request: HttpRequest, run_id: str, followup_id: str) -> dict[str, Any]:
    return _progress(run_id, followup_id)


@api.delete(
    ITEM, response={204: None, **faults(404, 409)}, summary=noop("Remove a finished piece of work and its files.")
)
def delete_relit(request: HttpRequest, run_id: str, followup_id: str) -> HttpResponse:
    work.remove(run_id, followup_id)
    return HttpResponse(status=204)


@api.post(
    f"{ITEM}/cancel",
    response={200: FollowUpProgress, **faults(404)},
    url_name="api-followup-cancel",
    summary=noop("Cancel it."),
)
def cancel_relit(request: HttpRequest, run_id: str, followup_id: str) -> dict[str, Any]:
    work.cancel(run_id, followup_id)
    return _progress(run_id, followup_id)


@api.post(
    f"{ITEM}/retry",
    response={**ASKED, **faults(404, 409)},
    url_name="api-followup-retry",
    summary=noop("Try again what failed or was cancelled."),
)
def retry_relit(request: HttpRequest, run_id: str, followup_id: str) -> Status[Any]:
    work.retry(run_id, followup_id)
    return _asked(run_id, followup_id)


def _progress(run_id: str, followup_id: str) -> dict[str, Any]:
    return followup_json(work.progress(run_id, followup_id))


def _asked(run_id: str, followup_id: str) -> Status[Any]:
    told = _progress(run_id, followup_id)
    return Status(200 if told["is_final"] else 202, told)
