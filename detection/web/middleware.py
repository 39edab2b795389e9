"""What every answer has that Django has no setting for."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed, JsonResponse
from django.utils.translation import gettext as _

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def browser_permissions(get_response: GetResponse) -> GetResponse:
    """No page uses a sensor, and no other site may embed what this one serves."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    return middleware


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
