"""The addresses that all modules share; each module adds its own in `detection/<module>/urls.py`."""

from __future__ import annotations

from django.urls import include, path, re_path
from django.views.i18n import set_language

from detection.web import (
    analysis_pages,
    api_page,
    comparison_pages,
    help_pages,
    history_pages,
    keyframe_pages,
    media,
    old_names,
    run_pages,
    status_pages,
    trash_pages,
    tus,
    upload_pages,
)
from detection.web.access import pages as access_pages
from detection.web.api import api
from detection.web.reports import pages as reports

pages = [
    path("", upload_pages.home, name="home"),
    path("uploads/<str:sha256>/row/", upload_pages.row, name="upload-row"),
    path("uploads/<str:sha256>/remove/", upload_pages.remove, name="upload-remove"),
    path("runs/retry-failed/", run_pages.retry_failed, name="retry-failed"),
    path("runs/<str:run_id>/", run_pages.run_page, name="run"),
    path("runs/<str:run_id>/again/", run_pages.again, name="run-again"),
    path("runs/<str:run_id>/cancel/", run_pages.cancel, name="run-cancel"),
    path("runs/<str:run_id>/retry/", run_pages.retry, name="run-retry"),
    path("runs/<str:run_id>/delete/", run_pages.delete, name="run-delete"),
    path("runs/<str:run_id>/report.pdf", reports.pdf, name="report-pdf"),
    path("runs/<str:run_id>/report.json", reports.json, name="report-json"),
    path("runs/<str:run_id>/scores.csv", reports.scores, name="scores-csv"),
    path("runs/<str:run_id>/frames.csv", reports.frames, name="frames-csv"),
    path("compare/", comparison_pages.compare, name="compare"),
    path("history/", history_pages.history, name="history"),
    path("history/delete/", trash_pages.delete_runs, name="runs-delete"),
    path("trash/", trash_pages.trash_page, name="trash"),
    path("trash/restore/", trash_pages.restore, name="restore"),
    path("trash/empty/", trash_pages.empty, name="trash-empty"),
    path("analysis/", analysis_pages.analysis, name="analysis"),
    path("help/", help_pages.help_page, name="help"),
    path("api/", api_page.api_page, name="api-page"),
    path("keyframe/", keyframe_pages.keyframes, name="keyframes"),
    path("keyframe/archive.zip", keyframe_pages.archive, name="keyframes-archive"),
    path("runs/<str:run_id>/keyframes.mp4", keyframe_pages.video, name="keyframes-video"),
    path("keyframe_batch/", keyframe_pages.keyframes, {"many": True}, name="keyframes-batch"),
    re_path(r"^get_detection_progress/?$", old_names.detection_progress, name="detection-progress"),
    path("sign-in/", access_pages.sign_in, name="sign-in"),
    path("sign-out/", access_pages.sign_out, name="sign-out"),
    path("i18n/setlang/", set_language, name="set_language"),
]

watched = [
    path("healthz", status_pages.healthz, name="healthz"),
    path("readyz", status_pages.readyz, name="readyz"),
    path("metrics", status_pages.metrics, name="metrics"),
    path("status/", status_pages.status_page, name="status"),
]

files = [
    path("media/uploads/<str:sha256>/source", media.source, name="source"),
    path("media/uploads/<str:sha256>/preview.mp4", media.preview, name="preview"),
    path("media/uploads/<str:sha256>/poster.jpg", media.poster, name="poster"),
    path("media/runs/<str:run_id>/<path:path>", media.evidence, name="evidence"),
]

api_v1 = [
    path("api/v1/openapi.json", api_page.openapi, name="openapi"),
    path("api/v1/", include(api.urls[0])),
]

resumable_uploads = [
    path("api/v1/tus/", tus.collection, name="tus"),
    path("api/v1/tus/<str:upload_id>", tus.item, name="tus-upload"),
]

relighting = [path("", include("detection.web.relight_urls"))]

evaluating = [path("acc/", include("detection.web.evaluation_urls"))]

batches = [path("batches/", include("detection.web.batch_urls"))]

# Patterns are tried in turn, so what is asked for most often stands first: how far runs are.
urlpatterns = [*resumable_uploads, *api_v1, *batches, *pages, *watched, *evaluating, *files, *relighting]
