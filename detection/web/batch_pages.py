"""Batches: what was started together, on one page while it is worked off and afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from detection import jobs
from detection.jobs import batches
from detection.jobs.batches import Batch, BatchNotFound
from detection.records import times
from detection.records.schema import RunState
from detection.web import batch_export, batch_rows
from detection.web.batch_rows import SORTS, BatchRow, Choice
from detection.web.downloads import csv_download, download
from detection.web.history_filter import SearchInput
from detection.web.paging import Pages, last_page, page_number
from detection.web.words import STATES, VERDICTS, Text

ROWS_PER_PAGE = 100
BATCHES_PER_PAGE = 25
KINDS: dict[str, Text] = {
    **{verdict: VERDICTS[verdict].label for verdict in ("fake", "uncertain", "real", "no_result")},
    **{state.value: STATES[state] for state in (RunState.FAILED, RunState.CANCELLED)},
    "unfinished": gettext_lazy("Not finished yet"),
}


class ChoiceForm(forms.Form):
    """Which rows of a batch are shown, in what order."""

    q = forms.CharField(label=gettext_lazy("Name, SHA-256 or run"), required=False, max_length=200, widget=SearchInput)
    show = forms.ChoiceField(
        label=gettext_lazy("Show"), required=False, choices=[("", gettext_lazy("all")), *KINDS.items()]
    )
    sort = forms.ChoiceField(
        required=False,
        choices=[(each, each) for by in ("", *SORTS) for each in (by, f"-{by}")],
        widget=forms.HiddenInput,
    )
    page = forms.IntegerField(required=False, min_value=1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["show"].widget.attrs["class"] = "form-select"

    def choice(self) -> Choice:
        """Only of a valid form."""
        return Choice(self.cleaned_data["q"], self.cleaned_data["show"], self.cleaned_data["sort"] or "started")


@require_safe
def batch_list(request: HttpRequest) -> HttpResponse:
    page = page_number(request)
    found, total = batches.page(offset=(page - 1) * BATCHES_PER_PAGE, limit=BATCHES_PER_PAGE)
    pages = Pages(page, total, BATCHES_PER_PAGE)
    if pages.is_beyond:
        return redirect(last_page(request, pages))
    context = {
        "section": "history",
        "batches": [(batch, _counts(batch)) for batch in found],
        "total": total,
        "pages": pages,
    }
    return render(request, "batches.html", context)


@require_safe
def batch_page(request: HttpRequest, batch_id: str) -> HttpResponse:
    batch = get_batch(batch_id)
    form = ChoiceForm(request.GET)
    if not form.is_valid():
        return redirect("batch", batch_id)
    choice, number = form.choice(), form.cleaned_data["page"] or 1
    rows = choice.apply(batch_rows.rows_of(batch))
    pages = Pages(number, len(rows), ROWS_PER_PAGE)
    if pages.is_beyond:
        return redirect(last_page(request, pages))
    offset = (number - 1) * ROWS_PER_PAGE
    context = {
        "section": "history",
        "form": form,
        "sort": choice.sort,
        "is_narrow": bool(choice.text or choice.show),
        "rows": rows[offset : offset + ROWS_PER_PAGE],
        "pages": pages,
        "queue": jobs.queue_state() if batch.active else None,  # it warns of runs that nobody works off
        **row_context(batch),
        **_totals(batch),
    }
    return render(request, "batch.html", context)


@require_safe
def totals(request: HttpRequest, batch_id: str) -> HttpResponse:
    """The part of the page that counts, for its script."""
    batch = get_batch(batch_id)
    return render(request, "parts/batch_totals.html", {"batch": batch, **_totals(batch)})


@require_safe
def row(request: HttpRequest, batch_id: str, run_id: str) -> HttpResponse:
    """One row of the table, for the page's script."""
    batch = get_batch(batch_id)
    alone = replace(
        batch,
        active=tuple(run for run in batch.active if run.id == run_id),
        finished=tuple(each for each in batch.finished if each.id == run_id),
    )
    found: list[BatchRow] = batch_rows.rows_of(alone)
    if not found:
        raise Http404(run_id)
    return render(request, "parts/batch_row.html", {"row": found[0], **row_context(batch)})


@require_POST
def cancel(request: HttpRequest, batch_id: str) -> HttpResponse:
    """The named run (`run`), or all that are not finished."""
    batch = get_batch(batch_id)
    if run_id := request.POST.get("run"):
        _check_is_of(batch, run_id)
        jobs.cancel(run_id)
    else:
        count = batches.cancel_all(batch_id)
        messages.success(request, ngettext("%d run is cancelled.", "%d runs are cancelled.", count) % count)
    return redirect("batch", batch_id)


@require_POST
def retry(request: HttpRequest, batch_id: str) -> HttpResponse:
    """The named run (`run`), or all that failed, or with `state=cancelled` all that were cancelled."""
    batch = get_batch(batch_id)
    if run_id := request.POST.get("run"):
        _check_is_of(batch, run_id)
        try:
            jobs.retry(run_id)
        except jobs.NotRetryable as error:
            messages.error(request, str(error))
    else:
        state = RunState.CANCELLED if request.POST.get("state") == RunState.CANCELLED else RunState.FAILED
        count = len(batches.retry_all(batch_id, [state]))
        messages.success(request, ngettext("%d run is tried again.", "%d runs are tried again.", count) % count)
    return redirect("batch", batch_id)


@require_safe
def export_csv(request: HttpRequest, batch_id: str) -> HttpResponseBase:
    batch = get_batch(batch_id)
    modules = batch_export.modules_of(batch)
    rows = batch_export.csv_rows(batch, modules)
    return csv_download(f"batch-{batch.id}.csv", batch_export.columns(modules), rows)


@require_safe
def export_json(request: HttpRequest, batch_id: str) -> HttpResponseBase:
    batch = get_batch(batch_id)
    return download(batch_export.json_bytes(batch, times.now()), "application/json", f"batch-{batch.id}.json")


def row_context(batch: Batch) -> dict[str, Any]:
    """What every row of the table needs besides itself."""
    modules, names = batch_export.modules_of(batch), batch_rows.namesakes_of(batch)
    return {"batch": batch, "modules": modules, "namesakes": names}


def _totals(batch: Batch) -> dict[str, Any]:
    return {
        "counts": _counts(batch),
        "failed": batch.states[RunState.FAILED],
        "cancelled": batch.states[RunState.CANCELLED],
    }


def _counts(batch: Batch) -> list[tuple[str, Text, int]]:
    return [(kind, KINDS[kind], count) for kind, count in batch_rows.totals(batch).items() if count]


def get_batch(batch_id: str) -> Batch:
    try:
        return batches.find(batch_id)
    except BatchNotFound:
        raise Http404(_("There is no such batch. Its runs may have been deleted.")) from None


def _check_is_of(batch: Batch, run_id: str) -> None:
    """Raises Http404 for a run that was not started with the batch."""
    if run_id not in {run.id for run in batch.active} | {each.id for each in batch.finished}:
        raise Http404(run_id)
