"""The JSON interface of relighting: what is done with the video of a finished run, and how far it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from detection.jobs import followups as work
from detection.records import store
from detection.records.codec import RecordError
from detection.records.followups import FollowUpNotFound
from detection.web.api import BadRequest, problem
from detection.web.relight_form import LightForm, as_fields, from_json
from detection.web.relit import followup_json
from relitalk.light import PRESETS

NAMES = sorted(LightForm.base_fields)

View = Callable[..., HttpResponse]


STATUS: dict[type[Exception], int] = {
    BadRequest: 400,
    store.RunNotFound: 404,
    FollowUpNotFound: 404,
    work.RunNotFinished: 409,
    store.RunIsActive: 409,
    RecordError: 500,
}


def answers_json(view: View) -> View:
    """Faults that are foreseen become `{"error": …}` with a fitting status."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except tuple(STATUS) as fault:
            status = next(status for kind, status in STATUS.items() if isinstance(fault, kind))
            return problem(str(fault), status)

    return wrapped


@require_http_methods(["GET", "HEAD", "POST"])
@answers_json
def collection(request: HttpRequest, run_id: str) -> HttpResponse:
    """GET: all that was asked of the run. POST: relight it; 200 when that clip is there already, else 202."""
    if request.method != "POST":
        store.load_run(settings.MEDIA_ROOT, run_id)
        presets = {name: as_fields(light) for name, light in PRESETS.items()}
        return JsonResponse({"work": [followup_json(each) for each in work.of_run(run_id)], "presets": presets})
    given = _body(request)
    if unknown := ", ".join(sorted(set(given) - set(NAMES))):
        raise BadRequest(_("Unknown: %(names)s. There are %(known)s.") % {"names": unknown, "known": ", ".join(NAMES)})
    form = from_json(given)
    if not form.is_valid():
        raise BadRequest(form.faults())
    followup = work.ask_to_relight(run_id, form.request(), keep_frames=form.cleaned_data["frames"])
    return _answer(followup.run, followup.id, asked=True)


@require_POST
@answers_json
def changed_light(request: HttpRequest, run_id: str) -> HttpResponse:
    """Ask for the verdict under changed light."""
    followup = work.ask_for_changed_light(run_id)
    return _answer(followup.run, followup.id, asked=True)


@require_http_methods(["GET", "HEAD", "DELETE"])
@answers_json
def item(request: HttpRequest, run_id: str, followup_id: str) -> HttpResponse:
    if request.method == "DELETE":
        work.remove(run_id, followup_id)
        return HttpResponse(status=204)
    return _answer(run_id, followup_id)


@require_POST
@answers_json
def cancel(request: HttpRequest, run_id: str, followup_id: str) -> HttpResponse:
    work.cancel(run_id, followup_id)
    return _answer(run_id, followup_id)


@require_POST
@answers_json
def retry(request: HttpRequest, run_id: str, followup_id: str) -> HttpResponse:
    work.retry(run_id, followup_id)
    return _answer(run_id, followup_id, asked=True)


def _answer(run_id: str, followup_id: str, *, asked: bool = False) -> JsonResponse:
    plain: dict[str, Any] = followup_json(work.progress(run_id, followup_id))
    return JsonResponse(plain, status=202 if asked and not plain["is_final"] else 200)


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        given = json.loads(request.body or b"{}")
    except ValueError as error:
        raise BadRequest(_("The body is not JSON: %s") % error) from None
    if not isinstance(given, dict):
        raise BadRequest(_("The body must be a JSON object."))
    return given
