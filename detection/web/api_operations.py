"""The operations of version 1 of the JSON interface. Each says what it takes and answers; /api/ is made from that."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop
from ninja import Query, Status

from detection import jobs
from detection.jobs import batches
from detection.modules import MODULES
from detection.records import codec, query, store, trash, upload_trash, uploads
from detection.records.schema import RunRecord
from detection.web import previews
from detection.web.api import BadRequest, api, faults
from detection.web.api_schema import (
    VERSION,
    BatchInfo,
    HistoryEntry,
    HistoryPage,
    HistoryQuery,
    Index,
    Limits,
    ModuleInfo,
    PlaybackInfo,
    Queue,
    RunList,
    RunProgress,
    StartRuns,
    UploadInfo,
    UploadList,
)
from detection.web.batch_rows import totals
from detection.web.following import run_progress, runs_progress
from detection.web.history_filter import FilterForm
from detection.web.receive import receive_body
from detection.web.rows import UploadRow, upload_row, upload_rows

ROWS_PER_PAGE = 50
MAX_FOLLOWED = 500
BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


@api.get("/", response={200: Index}, url_name="api", summary=noop("Modules, limits, state of the queue."))
def index(request: HttpRequest) -> Index:
    queue = jobs.queue_state()
    return Index(
        version=VERSION,
        csrf_token=get_token(request),
        modules={k: ModuleInfo(name=spec.name) for k, spec in MODULES.items()},
        limits=Limits(upload_mb=settings.DEEPFAKE_MAX_UPLOAD_MB, duration_s=settings.DEEPFAKE_MAX_DURATION_S),
        queue=Queue(worker_alive=queue.worker_alive, queued=queue.queued, running=list(queue.running)),
        documentation=reverse("api-page"),
        openapi=reverse("openapi"),
    )


@api.post(
    "/uploads",
    response={201: UploadInfo, **faults(400, 411, 413, 507)},
    url_name="api-uploads",
    summary=noop("Upload a file: its bytes are the body. The same file is kept once, whatever its name."),
    openapi_extra={"requestBody": {"required": True, "content": BYTES}},
)
def add_upload(request: HttpRequest, name: str = "") -> Status[UploadInfo]:
    if not name:
        raise BadRequest(_("The file's name is missing: add ?name=… to the address."))
    return Status(201, _upload_info(upload_row(previews.inspect(receive_body(request, name)))))


@api.get(
    "/uploads",
    response={200: UploadList, **faults(400)},
    summary=noop("The uploaded files, newest first, 50 to a page."),
)
def list_uploads(request: HttpRequest, page: int = 1) -> UploadList:
    if page < 1:
        raise BadRequest(_("%s must be a whole number from 1 on.") % "page")
    rows = upload_rows(offset=(page - 1) * ROWS_PER_PAGE, limit=ROWS_PER_PAGE)
    return UploadList(uploads=[_upload_info(row) for row in rows])


@api.get(
    "/uploads/{sha256}",
    response={200: UploadInfo, **faults(404)},
    url_name="api-upload",
    summary=noop("One uploaded file."),
)
def get_upload(request: HttpRequest, sha256: str) -> UploadInfo:
    return _upload_info(upload_row(uploads.find_upload(settings.MEDIA_ROOT, sha256)))


@api.delete(
    "/uploads/{sha256}",
    response={204: None, **faults(404, 409)},
    summary=noop("Move a file into the trash. Its results stay."),
)
def delete_upload(request: HttpRequest, sha256: str) -> HttpResponse:
    row = upload_row(uploads.find_upload(settings.MEDIA_ROOT, sha256))
    if row.active:
        raise store.RunIsActive(_("“%s” is being analysed: cancel that first.") % row.upload.name)
    upload_trash.delete_upload(settings.MEDIA_ROOT, sha256)
    return HttpResponse(status=204)


@api.post(
    "/uploads/{sha256}/restore",
    response={200: UploadInfo, **faults(404)},
    summary=noop("Bring a removed file back from the trash."),
)
def restore_upload(request: HttpRequest, sha256: str) -> UploadInfo:
    return _upload_info(upload_row(upload_trash.restore_upload(settings.MEDIA_ROOT, sha256)))


@api.get(
    "/uploads/{sha256}/playback",
    response={200: PlaybackInfo, **faults(404)},
    url_name="api-playback",
    summary=noop("What a browser can play of it; a copy is made where needed."),
)
def playback(request: HttpRequest, sha256: str) -> PlaybackInfo:
    return _playback_info(sha256, previews.playback(uploads.find_upload(settings.MEDIA_ROOT, sha256)))


@api.post(
    "/uploads/{sha256}/playback",
    response={200: PlaybackInfo, **faults(404)},
    summary=noop("Ask for a copy because this browser cannot play the file."),
)
def make_copy(request: HttpRequest, sha256: str) -> PlaybackInfo:
    return _playback_info(sha256, previews.make_copy(uploads.find_upload(settings.MEDIA_ROOT, sha256)))


@api.post(
    "/runs",
    response={202: RunList, **faults(400, 404, 507)},
    url_name="api-runs",
    summary=noop("Start the analysis: one run per file."),
)
def start(request: HttpRequest, body: StartRuns) -> Status[RunList]:
    ids = jobs.start(body.uploads, body.modules)
    return Status(202, RunList(runs=runs_progress(ids), batch=jobs.batch_of(ids[0])))


@api.post(
    "/runs/retry-failed",
    response={202: RunList, **faults()},
    url_name="api-retry-failed",
    summary=noop("Try all failed runs again."),
)
def retry_failed(request: HttpRequest) -> Status[RunList]:
    return Status(202, RunList(runs=runs_progress(jobs.retry_failed())))


@api.get(
    "/runs/{run_id}",
    response={200: RunRecord, **faults(404)},
    url_name="api-run",
    summary=noop("The whole record of a run: verdict, score, people, timeline, evidence, versions."),
)
def get_run(request: HttpRequest, run_id: str) -> HttpResponse:
    record = store.load_run(settings.MEDIA_ROOT, run_id)
    return HttpResponse(codec.to_json(record), content_type="application/json")


@api.delete(
    "/runs/{run_id}",
    response={204: None, **faults(404, 409)},
    summary=noop("Move a finished run, with its pictures, into the trash."),
)
def delete_run(request: HttpRequest, run_id: str) -> HttpResponse:
    jobs.delete(run_id)
    return HttpResponse(status=204)


@api.post(
    "/runs/{run_id}/restore",
    response={200: RunProgress, **faults(404)},
    summary=noop("Bring a deleted run back from the trash."),
)
def restore_run(request: HttpRequest, run_id: str) -> RunProgress:
    trash.restore_run(settings.MEDIA_ROOT, run_id)
    return run_progress(run_id)


@api.get(
    "/runs/{run_id}/progress",
    response={200: RunProgress, **faults(404)},
    url_name="api-run-progress",
    summary=noop("How far a run is."),
)
def progress(request: HttpRequest, run_id: str) -> RunProgress:
    return run_progress(run_id)


@api.post(
    "/runs/{run_id}/cancel",
    response={200: RunProgress, **faults(404)},
    url_name="api-run-cancel",
    summary=noop("Cancel a run."),
)
def cancel(request: HttpRequest, run_id: str) -> RunProgress:
    jobs.cancel(run_id)
    return run_progress(run_id)


@api.post(
    "/runs/{run_id}/retry",
    response={202: RunProgress, **faults(404, 409)},
    url_name="api-run-retry",
    summary=noop("Try a failed or cancelled run again."),
)
def retry(request: HttpRequest, run_id: str) -> Status[RunProgress]:
    jobs.retry(run_id)
    return Status(202, run_progress(run_id))


@api.get(
    "/progress",
    response={200: RunList, **faults()},
    url_name="api-progress",
    summary=noop(
        "How far the named runs are, or all unfinished ones, or those of a batch. A run that is gone is left out."
    ),
)
def progress_of_many(
    request: HttpRequest,
    run: Query[list[str]] = [],  # noqa: B006 read, never changed
    batch: str = "",
) -> RunList:
    if run and not batch:
        return RunList(runs=runs_progress(run[:MAX_FOLLOWED]))
    return RunList(runs=runs_progress(each.id for each in jobs.active() if not batch or each.batch == batch))


@api.get(
    "/batches/{batch_id}",
    response={200: BatchInfo, **faults(404)},
    url_name="api-batch",
    summary=noop("What was started together: totals, and every run."),
)
def get_batch(request: HttpRequest, batch_id: str) -> BatchInfo:
    batch = batches.find(batch_id)
    return BatchInfo(
        id=batch.id,
        started_at=batch.started_at,
        is_final=batch.is_finished,
        totals=totals(batch),
        unfinished=runs_progress([run.id for run in batch.active]),
        finished=[HistoryEntry.from_orm(row) for row in batch.finished],
    )


@api.get(
    "/history",
    response={200: HistoryPage, **faults(400)},
    url_name="api-history",
    summary=noop("The finished runs, filtered and sorted."),
)
def history(request: HttpRequest, where: Query[HistoryQuery]) -> dict[str, Any]:
    form = FilterForm(request.GET)
    if not form.is_valid():
        raise BadRequest("; ".join(f"{name}: {' '.join(map(str, faults))}" for name, faults in form.errors.items()))
    offset = (form.page_number - 1) * ROWS_PER_PAGE
    page = query.history(settings.MEDIA_ROOT).page(
        form.filter(), order=form.order(), offset=offset, limit=ROWS_PER_PAGE
    )
    return {"total": page.total, "page": form.page_number, "runs": page.rows}


def _upload_info(row: UploadRow) -> UploadInfo:
    upload = row.upload
    return UploadInfo(
        **vars(upload),
        active_run=row.active.id if row.active else None,
        latest_run=row.latest.id if row.latest else None,
        row_url=reverse("upload-row", args=[upload.sha256]),
    )


def _playback_info(sha256: str, state: previews.Playback) -> PlaybackInfo:
    names = {"source": "source", "copy": "preview"}
    return PlaybackInfo(state=state, url=reverse(names[state], args=[sha256]) if state in names else None)
