"""Decides for each request whether it may go on, as whom; and writes down those that change something."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from detection.web.access import audit, passphrase, tokens
from detection.web.access.exposure import comes_from_here, is_protected
from detection.web.middleware import GetResponse

SESSION_KEY = "signed_in"
OPEN = ("/healthz", "/readyz", "/i18n/setlang/")  # besides the page to sign in; static files never come here
FOR_PROGRAMS = ("/api/v", "/media/", "/metrics")
READS = ("GET", "HEAD", "OPTIONS")
NOT_AUDITED = ("PATCH",)  # the pieces of an upload, whose beginning is


def access(get_response: GetResponse) -> GetResponse:
    """Sets `request.who`: "local", "person" (the passphrase) or "token:NAME"."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        refusal = _refusal(request)
        response = refusal or get_response(request)
        changes = request.method not in (*READS, *NOT_AUDITED) and request.path != reverse("sign-in")
        if changes or (refusal is not None and refusal.status_code == 403):
            match = getattr(request, "resolver_match", None)
            audit.write(request, match.view_name if match else "refused", status=response.status_code)
        return response

    return middleware


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """What is answered to who may not go on; None for who may."""
    if not is_protected():
        return _unless_local(request)
    scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _unless_token(request, secret.strip())
    session = getattr(request, "session", {})
    if session.get(SESSION_KEY) == passphrase.fingerprint():
        _set_who(request, "person")
        return None
    if request.path in (*OPEN, reverse("sign-in")):
        return None
    if request.path.startswith(FOR_PROGRAMS):
        told = _("Sign in, or send an API token: Authorization: Bearer <token>.")
        return JsonResponse({"error": told}, status=401, headers={"WWW-Authenticate": "Bearer"})
    after = {"next": request.get_full_path()} if request.method in READS and request.path != "/" else {}
    return redirect(f"{reverse('sign-in')}?{urlencode(after)}" if after else reverse("sign-in"))


def _unless_local(request: HttpRequest) -> HttpResponse | None:
    if comes_from_here(request):
        _set_who(request, "local")
        return None
    if request.path in OPEN[:2]:
        return None
    told = _("This site serves its own machine only: no passphrase is set for others (DEEPFAKE_PASSPHRASE_HASH).")
    if request.path.startswith(FOR_PROGRAMS):
        return JsonResponse({"error": told}, status=403)
    return HttpResponse(told + "\n", status=403, content_type="text/plain; charset=utf-8")


def _unless_token(request: HttpRequest, secret: str) -> HttpResponse | None:
    token = tokens.find(Path(settings.MEDIA_ROOT), secret)
    if token is None:
        told = _("This API token is not known here, or was revoked.")
        return JsonResponse({"error": told}, status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    _set_who(request, f"token:{token.name}")
    scope = scope_of(request)
    if scope is not None and token.allows(scope):
        return None
    told = _("This API token may not do that: it lacks the scope %s.") % (scope or "–")
    return JsonResponse({"error": told}, status=403, headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'})


def scope_of(request: HttpRequest) -> str | None:
    """What a token must allow for this request; None where no token is enough: pages are for people."""
    if request.path in OPEN:
        return "read"
    if request.path == "/metrics":
        return "metrics"
    if not request.path.startswith(FOR_PROGRAMS):
        return None
    return "read" if request.method in READS else "write"


def _set_who(request: HttpRequest, who: str) -> None:
    request.who = who  # type: ignore[attr-defined]
