"""Who may send a request that changes something: this site's own pages, and programs. No other site's page may.

A page proves itself by Django's token, once as a cookie and once as a header or field. A program (curl, a script) has
no cookie to be misused, and need not fetch a token first: under /api/ a request is taken for a program's when it has
neither a cookie nor any of the headers that browsers add to what they send for a page, and its body, if it has one, is
of no type that a form can send. A page of another site can produce no such request: its browser adds `Origin` (to
every POST) and `Sec-Fetch-Site`, which no script can take away, and asks this site's leave before it sends a body of
another type or a DELETE, which this site never gives. That no foreign name leads here is `DEEPFAKE_HOSTS`' part.

Whether the person or program may use the site at all is decided by the middleware before this one, not here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase, HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware

ADDED_BY_BROWSERS = ("Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Mode")
# Servers say text/plain where a request names no type, so the type counts only where there is a body.
SENT_BY_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


def is_from_a_program(request: HttpRequest) -> bool:
    """Whether no browser can have sent the request on behalf of a page."""
    return (
        not request.COOKIES
        and not any(name in request.headers for name in ADDED_BY_BROWSERS)
        and not (_has_body(request) and request.content_type in SENT_BY_FORMS)
    )


def _has_body(request: HttpRequest) -> bool:
    return request.headers.get("Content-Length", "0") not in ("", "0") or "Transfer-Encoding" in request.headers


class CrossSiteMiddleware(CsrfViewMiddleware):
    """Django's check of the token, with the rule for programs above. It holds for every view, exempt or not."""

    def process_view(
        self, request: HttpRequest, callback: Callable[..., Any], callback_args: Any, callback_kwargs: Any
    ) -> HttpResponseForbidden | None:
        if request.path.startswith("/api/") and is_from_a_program(request):
            return None
        return super().process_view(request, _never_exempt, callback_args, callback_kwargs)


def _never_exempt(request: HttpRequest) -> HttpResponseBase:
    """Stands for the view, which django-ninja marks as exempt from the check of the token. It is not called."""
    raise NotImplementedError
