"""The addresses below batches/."""

from __future__ import annotations

from django.urls import path

from detection.web import batch_pages

urlpatterns = [
    path("", batch_pages.batch_list, name="batches"),
    path("<str:batch_id>/", batch_pages.batch_page, name="batch"),
    path("<str:batch_id>/totals/", batch_pages.totals, name="batch-totals"),
    path("<str:batch_id>/rows/<str:run_id>/", batch_pages.row, name="batch-row"),
    path("<str:batch_id>/cancel/", batch_pages.cancel, name="batch-cancel"),
    path("<str:batch_id>/retry/", batch_pages.retry, name="batch-retry"),
    path("<str:batch_id>/results.csv", batch_pages.export_csv, name="batch-csv"),
    path("<str:batch_id>/results.json", batch_pages.export_json, name="batch-json"),
]
