"""What the operations of the JSON interface are, for the page that documents them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = Promise | str


@dataclass(frozen=True)
class Operation:
    """`example` is what follows `curl` and its options; `answer` the answer's status and shape."""

    method: str
    path: str
    does: Text
    answer: str
    example: str = ""


OPERATIONS = (
    Operation(
        "GET",
        "/api/v1/",
        _("Modules, limits, state of the queue."),
        '200 {"version": 1, "csrf_token": "…", "modules": {"space": {"available": true, …}}, "limits": …, "queue": …}',
    ),
    Operation(
        "POST",
        "/api/v1/uploads?name=clip.mp4",
        _("Upload a file: its bytes are the body. The same file is kept once, whatever its name."),
        '201 {"sha256": "…", "video": {"duration_s": 10.0, "codec": "h264", …}, "problem": null, …}',
        '-H "Content-Type: application/octet-stream" --data-binary @clip.mp4',
    ),
    Operation(
        "GET", "/api/v1/uploads", _("The uploaded files, newest first, 50 to a page (?page=2)."), '200 {"uploads": […]}'
    ),
    Operation("GET", "/api/v1/uploads/<sha256>", _("One uploaded file."), '200 {"sha256": "…", …}'),
    Operation("DELETE", "/api/v1/uploads/<sha256>", _("Remove a file. Its results stay."), "204"),
    Operation(
        "GET",
        "/api/v1/uploads/<sha256>/playback",
        _("What a browser can play of it; a copy is made where needed."),
        '200 {"state": "source|copy|preparing|failed", "url": "…"}',
    ),
    Operation(
        "POST",
        "/api/v1/runs",
        _("Start the analysis: one run per file."),
        '202 {"runs": [{"id": "…", "state": "queued", …}]}',
        """-H "Content-Type: application/json" -d '{"uploads": ["<sha256>"], "modules": ["space"]}'""",
    ),
    Operation(
        "GET",
        "/api/v1/runs/<id>",
        _("The whole record of a run: verdict, score, people, timeline, evidence, versions."),
        '200 {"id": "…", "state": "done", "analysis": {"verdict": "fake", "score": 0.93, "people": […], …}, …}',
    ),
    Operation(
        "GET",
        "/api/v1/runs/<id>/progress",
        _("How far a run is."),
        '200 {"state": "running", "stage": "space", "frames_done": 120, "frames_total": 300, "seconds_left": 8.1, …}',
    ),
    Operation(
        "GET",
        "/api/v1/progress?run=<id>&run=<id>",
        _("The same for several runs, or for all unfinished ones."),
        '200 {"runs": […]}',
    ),
    Operation("POST", "/api/v1/runs/<id>/cancel", _("Cancel a run."), '200 {"state": "cancelled", …}'),
    Operation(
        "POST", "/api/v1/runs/<id>/retry", _("Try a failed or cancelled run again."), '202 {"state": "queued", …}'
    ),
    Operation("POST", "/api/v1/runs/retry-failed", _("Try all failed runs again."), '202 {"runs": […]}'),
    Operation("DELETE", "/api/v1/runs/<id>", _("Delete a finished run with its pictures."), "204"),
    Operation(
        "GET",
        "/api/v1/history?q=&module=&verdict=&state=&page=",
        _("The finished runs, newest first, 50 to a page; every filter may be left out."),
        '200 {"total": 123, "page": 1, "runs": [{"id": "…", "verdict": "real", "score": 0.08, …}]}',
    ),
)
