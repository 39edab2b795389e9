"""What must be so after every crash, once everything that was begun has ended."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import av

from detection.jobs import followups as relighting
from detection.jobs.queue import FileQueue
from detection.records import codec, followups, log, query, store, uploads
from detection.records.schema import RunRecord, RunState
from tests.chaos.client import Ledger


def unfinished(media: Path) -> str | None:
    """What is still to come; None when all that was begun has ended."""
    queue = FileQueue(media)
    jobs = [job.args for job in queue.pending()]
    marks = store.active_ids(media), followups.active(media)
    return f"queue {jobs}, marked {marks}" if jobs or any(marks) else None


def faults(media: Path, ledger: Ledger) -> list[str]:
    """What is not as it must be."""
    return [*ledger.broken, *_of_files(media, ledger), *_of_runs(media, ledger), *_of_followups(media, ledger)]


def _of_files(media: Path, ledger: Ledger) -> Iterator[str]:
    for sha256, clip in ledger.files.items():
        try:
            path = uploads.file_path(media, uploads.find_upload(media, sha256))
        except uploads.UploadNotFound:
            yield f"the acknowledged file {clip.name} is lost"
            continue
        if hashlib.sha256(path.read_bytes()).hexdigest() != sha256 or path.read_bytes() != clip.read_bytes():
            yield f"the acknowledged file {clip.name} is not what was sent"
    names = Counter(path.stem for path in (media / "uploads").iterdir() if path.suffix == ".mp4")
    yield from (f"{count} copies of {name}" for name, count in names.items() if count > 1)


def _of_runs(media: Path, ledger: Ledger) -> Iterator[str]:
    kept = list(store.run_ids(media))
    yield from (f"the acknowledged run {run_id} is lost" for run_id in set(ledger.runs) - set(kept))
    if len(kept) > ledger.asked:
        yield f"{len(kept)} runs, though {ledger.asked} were asked for"
    for run_id in kept:
        try:
            record = store.load_run(media, run_id)
        except (store.RunNotFound, codec.RecordError) as error:
            yield f"run {run_id}: {error}"
            continue
        yield from (f"run {run_id} {fault}" for fault in _of_record(media, record))
    listed = Counter(row.id for row in query.History(media).page(limit=10**6).rows)
    if listed != Counter(kept):
        yield f"the history lists {listed - Counter(kept)} too much and {Counter(kept) - listed} too little"
    yield from (f"the log cannot be read: {problem}" for problem in query.History(media).problems())
    entries = Counter(line for path in (media / "log").glob("*.jsonl") for line in path.read_bytes().splitlines())
    yield from (f"{count} times in the log: {line[:60]!r}" for line, count in entries.items() if count > 1)
    strays = {path.name for path in (media / "runs").iterdir() if path.name[0] != "."} - set(kept)
    yield from (f"{name} is no run" for name in strays)


def _of_record(media: Path, record: RunRecord) -> Iterator[str]:
    if record.state is RunState.DONE and record.analysis is not None:
        for outcome in record.analysis.modules.values():
            for each in outcome.evidence:
                if not (store.run_dir(media, record.id) / each.path).is_file():
                    yield f"lacks its picture {each.path}"
    elif record.state is RunState.FAILED and record.error:
        pass
    else:
        yield f"is {record.state}, error {record.error!r}"
    if any(log.read_line(line) is None for line in _log_lines(media)):
        yield "stands beside a torn line"


def _log_lines(media: Path) -> Iterator[bytes]:
    for path in (media / "log").glob("*.jsonl"):
        yield from path.read_bytes().splitlines()


def _of_followups(media: Path, ledger: Ledger) -> Iterator[str]:
    for run_id, followup_id in ledger.followups:
        try:
            followup = followups.load(media, run_id, followup_id)
        except (followups.FollowUpNotFound, codec.RecordError) as error:
            yield f"the acknowledged relighting {followup_id}: {error}"
            continue
        if followup.state is RunState.DONE:
            clip = media / "runs" / run_id / relighting.RELIT_FOLDER / followup_id / relighting.RELIT_VIDEO
            with av.open(str(clip)) as container:
                if not sum(1 for _ in container.decode(video=0)):
                    yield f"the relit video of {run_id} has no frames"
        elif not (followup.state is RunState.FAILED and followup.error):
            yield f"relighting {followup_id} is {followup.state}"
