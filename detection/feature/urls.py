"""The Feature module's pages, under the names that they have always had."""

from __future__ import annotations

from detection.feature.pages import PAGE
from detection.web.module_urls import module_urls

urlpatterns = module_urls(PAGE)
