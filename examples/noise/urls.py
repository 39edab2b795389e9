"""The Noise example's pages."""

from __future__ import annotations

from detection.noise.pages import PAGE
from detection.web.module_urls import module_urls

urlpatterns = module_urls(PAGE)
