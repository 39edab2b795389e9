"""The addresses below `/acc/`: labelled clips in, evaluations out."""

from __future__ import annotations

from django.urls import path

from detection.web import evaluation_pages, labelled_pages

ONE = "<str:evaluation_id>"

urlpatterns = [
    path("", labelled_pages.page, name="evaluation"),
    path("clips/", labelled_pages.add, name="labelled-add"),
    path("clips/clear/", labelled_pages.clear, name="labelled-clear"),
    path("clips/<str:sha256>/", labelled_pages.clip, name="labelled"),
    path("clips/<str:sha256>/remove/", labelled_pages.remove, name="labelled-remove"),
    path("start/", labelled_pages.start, name="evaluation-start"),
    path("folder/", labelled_pages.start_folder, name="evaluation-folder"),
    path(f"{ONE}/", evaluation_pages.result, name="evaluation-result"),
    path(f"{ONE}/progress/", evaluation_pages.progress, name="evaluation-progress"),
    path(f"{ONE}/evaluation.json", evaluation_pages.as_json, name="evaluation-json"),
    path(f"{ONE}/evaluation.csv", evaluation_pages.as_csv, name="evaluation-csv"),
    path(f"{ONE}/evaluation.html", evaluation_pages.as_page, name="evaluation-page"),
    path(f"{ONE}/cancel/", evaluation_pages.cancel, name="evaluation-cancel"),
    path(f"{ONE}/retry/", evaluation_pages.retry, name="evaluation-retry"),
    path(f"{ONE}/delete/", evaluation_pages.delete, name="evaluation-delete"),
]
