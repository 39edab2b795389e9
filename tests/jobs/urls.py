from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path


def pid(request: HttpRequest) -> HttpResponse:
    import os

    return HttpResponse(str(os.getpid()))


urlpatterns = [path("", pid)]
