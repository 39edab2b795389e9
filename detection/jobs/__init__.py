"""Analyses as jobs: what the pages call, and behind it the queue, the worker and its supervisor."""

from __future__ import annotations

from detection.jobs.reporting import Progress, Step
from detection.jobs.runs import (
    NotRetryable,
    QueueState,
    UnknownModule,
    active,
    batch_of,
    cancel,
    delete,
    media_root,
    progress,
    progress_of,
    queue_state,
    retry,
    retry_failed,
    start,
)

__all__ = [
    "NotRetryable",
    "Progress",
    "QueueState",
    "Step",
    "UnknownModule",
    "active",
    "batch_of",
    "cancel",
    "delete",
    "media_root",
    "progress",
    "progress_of",
    "queue_state",
    "retry",
    "retry_failed",
    "start",
]
