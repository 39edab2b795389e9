"""What every answer has that Django has no setting for."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, JsonResponse
from django.utils.translation import gettext as _

from detection import logs
from detection.web.errors import disk_fault

GetResponse = Callable[[HttpRequest], HttpResponseBase]

logger = logging.getLogger(__name__)


def browser_permissions(get_response: GetResponse) -> GetResponse:
    """No page uses a sensor, and no other site may embed what this one serves."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    return middleware


class NamedInLogs:
    """What is logged while a request is answered names it, and the run that its address names."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with logs.about(request_id=secrets.token_hex(4)):
            return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        if isinstance(run_id := kwargs.get("run_id"), str):
            logs.also_about(run=run_id)


class DiskFaults:
    """A page that cannot be made because the disk is full, or closed to writing, says that."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        answer = disk_fault(request, error) if isinstance(error, OSError) else None
        if answer is not None:
            logger.error("%s %s: %s", request.method, request.path, error)
        return answer


def refusals_in_json(get_response: GetResponse) -> GetResponse:
    """A method that an address of the interface does not know is answered in words, as its other faults are."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not (isinstance(response, HttpResponseNotAllowed) and request.path.startswith("/api/")):
            return response
        allowed = response["Allow"]
        fault = _("%(method)s is not possible here; possible: %(allowed)s.")
        told = fault % {"method": request.method, "allowed": allowed}
        return JsonResponse({"error": told}, status=response.status_code, headers={"Allow": allowed})

    return middleware
