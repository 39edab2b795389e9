"""Signing in and out."""

from __future__ import annotations

import math
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from detection.web.access import attempts, audit, passphrase
from detection.web.access.exposure import client_address, is_protected
from detection.web.access.middleware import SESSION_KEY

MAX_LENGTH = 1024  # hashing a longer one only costs time


@sensitive_post_parameters("passphrase")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    after = _after(request)
    if not is_protected() or request.session.get(SESSION_KEY) == passphrase.fingerprint():
        return redirect(after)
    if request.method != "POST":
        return _form(request, after)
    given = request.POST.get("passphrase", "")[:MAX_LENGTH]
    try:
        is_right = attempts.attempt(
            Path(settings.MEDIA_ROOT), client_address(request), lambda: passphrase.is_right(given)
        )
    except attempts.TooMany as fault:
        audit.write(request, "sign-in", outcome="too many attempts", status=429)
        minutes = max(1, math.ceil(fault.seconds / 60))
        wait = ngettext("Try again in %d minute.", "Try again in %d minutes.", minutes) % minutes
        response = _form(request, after, _("That was wrong too often.") + " " + wait, 429)
        response["Retry-After"] = str(math.ceil(fault.seconds))
        return response
    if not is_right:
        audit.write(request, "sign-in", outcome="wrong passphrase", status=403)
        return _form(request, after, _("That is not the passphrase."), 403)
    request.session.flush()
    request.session[SESSION_KEY] = passphrase.fingerprint()
    request.who = "person"  # type: ignore[attr-defined]
    audit.write(request, "sign-in", outcome="signed in", status=302)
    return redirect(after)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    request.session.flush()
    return redirect("sign-in")


def _form(request: HttpRequest, after: str, problem: str = "", status: int = 200) -> HttpResponse:
    return render(request, "sign_in.html", {"after": after, "problem": problem}, status=status)


def _after(request: HttpRequest) -> str:
    """The page that was asked for, if it is one of this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else "/"
