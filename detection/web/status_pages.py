"""How the site is: for whoever watches over it by a program, and as a page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import choose_encoder

from detection.jobs import health
from detection.web import status
from detection.web.metrics import registry


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Whoever gets no answer starts it anew."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """503 and what is wrong, unless videos can be taken and analysed. Strangers are told which check fails, not why."""
    checks = health.checks()
    is_known = hasattr(request, "who")
    faults = {check.name: check.fault if is_known else "not in order" for check in checks if check.fault}
    answer = {"ready": not faults, "checks": [check.name for check in checks], "faults": faults}
    return JsonResponse(answer, status=503 if faults else 200)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """In the format that the asker prefers."""
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)


@never_cache
@require_safe
def status_page(request: HttpRequest) -> HttpResponse:
    return render(request, "status.html", {"section": "status", **status.context()})
