"""Pages that only tell."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from detection.web.module_pages import module_pages
from detection.web.words import PICTURES, REASONS, VERDICTS


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    context = {
        "modules": module_pages(),
        "verdicts": VERDICTS.items(),
        "reasons": REASONS.values(),
        "pictures": PICTURES.values(),
        "limit_mb": settings.DEEPFAKE_MAX_UPLOAD_MB,
    }
    return render(request, "help.html", context)
