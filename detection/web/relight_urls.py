"""The addresses of relighting's pages, below the run that is relit; its JSON is in `relight_operations.py`."""

from __future__ import annotations

from django.urls import path

from detection.web import relight_pages

RUN = "runs/<str:run_id>/relight"

urlpatterns = [
    path(f"{RUN}/", relight_pages.page, name="relight"),
    path(f"{RUN}/still.jpg", relight_pages.still, name="relight-still"),
    path(f"{RUN}/work/", relight_pages.work_part, name="relight-work"),
    path(f"{RUN}/verdict/", relight_pages.examine, name="relight-verdict"),
    path(f"{RUN}/<str:followup_id>/", relight_pages.clip_page, name="relit"),
    path(f"{RUN}/<str:followup_id>/manifest.json", relight_pages.manifest, name="relit-manifest"),
    path(f"{RUN}/<str:followup_id>/frames.zip", relight_pages.frames, name="relit-frames"),
    path(f"{RUN}/<str:followup_id>/cancel/", relight_pages.cancel, name="relit-cancel"),
    path(f"{RUN}/<str:followup_id>/retry/", relight_pages.retry, name="relit-retry"),
    path(f"{RUN}/<str:followup_id>/delete/", relight_pages.remove, name="relit-delete"),
]
