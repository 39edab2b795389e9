"""The JSON interface, version 1, and how it answers faults.

Operations are in `api_operations.py`, `relight_operations.py` and `report_operations.py`, shapes in `api_schema.py`,
the page about them in `api_page.py`.

Whether a request may change anything is decided before it comes here (`cross_site.py`).
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation

from detection import jobs
from detection.jobs.batches import BatchNotFound
from detection.jobs.followups import RunNotFinished
from detection.records import store
from detection.records.codec import RecordError
from detection.records.followups import FollowUpNotFound
from detection.records.trash import NotInTrash
from detection.records.uploads import UploadNotFound
from detection.web import disk
from detection.web.api_schema import VERSION, Problem
from detection.web.receive import UploadRefused
from detection.web.reports.pages import NoReport

PREFIX = f"/api/v{VERSION}/"


class Api(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Short, so that what generates clients from the document gives their methods good names."""
        return operation.view_func.__name__


api = Api(
    title="Face Check",
    version=f"{VERSION}.0",
    description=(
        "What goes wrong is answered with a fitting status and a Problem. Times are ISO 8601 in UTC. Scores lie "
        "between 0 (genuine) and 1 (forged); a score is null exactly when there is a reason."
    ),
    openapi_url=None,  # served by api_page.py, in the reader's language
    docs_url=None,  # its pages take their scripts from elsewhere
)


class BadRequest(Exception):
    """The request's own fault; the message says which."""


STATUS: dict[type[Exception], int] = {
    BadRequest: 400,
    jobs.UnknownModule: 400,
    UploadNotFound: 404,
    store.RunNotFound: 404,
    FollowUpNotFound: 404,
    RunNotFinished: 409,
    NoReport: 409,
    NotInTrash: 404,
    BatchNotFound: 404,
    jobs.NotRetryable: 409,
    store.RunIsActive: 409,
    RecordError: 500,
}


def faults(*statuses: int) -> dict[Any, Any]:
    """The answers to what goes wrong, for an operation's `response`; 403 and 500 are anybody's."""
    return {frozenset({*statuses, 403, 500}): Problem}


def problem(message: str, status: int) -> HttpResponse:
    return JsonResponse(Problem(error=message).model_dump(exclude_none=True), status=status)


# Handlers take what they are registered for below; the library's own type for them cannot say that.


def _of_class(request: HttpRequest, fault: Any) -> HttpResponse:
    return problem(str(fault), next(status for kind, status in STATUS.items() if isinstance(fault, kind)))


def _refused(request: HttpRequest, refusal: Any) -> HttpResponse:
    return problem(str(refusal), refusal.status)


def _does_not_fit(request: HttpRequest, fault: Any) -> HttpResponse:
    """A body or parameters of another shape than the operation takes."""
    told = "; ".join(f"{'.'.join(map(str, each['loc'][1:])) or each['loc'][0]}: {each['msg']}" for each in fault.errors)
    return problem(_("The request does not fit what /api/ describes: %s") % told, 400)


def _http(request: HttpRequest, fault: Any) -> HttpResponse:
    """What django-ninja itself refuses: a body that is not JSON."""
    return problem(str(fault), fault.status_code)


def _disk(request: HttpRequest, fault: Any) -> HttpResponse:
    told = disk.fault_of(fault)
    if told is None:
        raise fault
    return problem(*told)


for _kind in STATUS:
    api.add_exception_handler(_kind, _of_class)
api.add_exception_handler(UploadRefused, _refused)
api.add_exception_handler(ValidationError, _does_not_fit)
api.add_exception_handler(HttpError, _http)
api.add_exception_handler(OSError, _disk)
