"""The page that explains: verdicts, modules, figures, limits, keys, and how a module is added."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from detection.web import help_words, published
from detection.web.module_pages import module_pages
from detection.web.words import LIMITS, PICTURES, REASONS, VERDICTS


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    context = {
        "reading": help_words.READING,
        "uncertain": help_words.UNCERTAIN,
        "verdicts": VERDICTS.items(),
        "modules": module_pages(),
        "figures": published.figures(),
        "weaknesses": help_words.WEAKNESSES,
        "limits": LIMITS,
        "pictures": PICTURES.values(),
        "reasons": REASONS.values(),
        "keys": help_words.KEYS,
    }
    return render(request, "help.html", context)
