"""Pages for what went wrong: each says what happened and the way out."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from detection.web import disk
from detection.web.receive import too_large


def _answer(request: HttpRequest, status: int, title: str, advice: str, detail: str = "") -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"error": f"{title} {detail}".strip(), "advice": advice}, status=status)
    return render(request, "error.html", {"title": title, "advice": advice, "detail": detail}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return _answer(request, 413, too_large(), _("Cut the video, or raise the limit and start the site again."))
    return _answer(request, 400, _("The request could not be understood."), _("Reload the page and try again."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403, _("This is not allowed."), _("Go back to the first page."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    advice = _("Reload the page and try again. Cookies must be allowed for this site; they never leave your browser.")
    if request.path.startswith("/api/"):
        advice = _(
            "Reload the page and try again. A program needs no token: it sends no cookie, and a body as "
            "application/json or application/octet-stream."
        )
    return _answer(request, 403, _("The form was not sent from this site, or has expired."), advice)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    advice = _("It may have been deleted. The history lists every result that there is.")
    detail = exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""
    return _answer(request, 404, _("There is nothing at this address."), advice, detail)


def disk_fault(request: HttpRequest, error: OSError) -> HttpResponse | None:
    """The answer to a page's error that is the disk's; None for any other."""
    told = disk.fault_of(error)
    return told and _answer(request, told[1], told[0], _("The page “Status” says more."))


def server_error(request: HttpRequest) -> HttpResponse:
    advice = _("The log of the server says why. Uploaded videos and finished results are safe.")
    return _answer(request, 500, _("The site made an error."), advice)
