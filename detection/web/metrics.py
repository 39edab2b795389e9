"""What `/metrics` tells a Prometheus. Everything is read from media/ when it is asked for, so it does not matter which
server process answers; only `process_…` is about that one process.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from detection import jobs
from detection.jobs import health, presence
from detection.records import followups, query, totals
from detection.web import quota, status

MB = 1024 * 1024


class Site(Collector):
    """The figures of the media folder that the settings name."""

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("facecheck", "What is installed.", value=status.versions())
        yield _gauge("facecheck_ready", "1 where a check of /readyz is in order.", "check", _checks())
        yield from self._work()
        yield from self._counted()
        yield from self._disk()

    @staticmethod
    def _work() -> Iterator[Metric]:
        root, queue = jobs.media_root(), jobs.queue_state()
        length = {"queued": queue.queued, "running": len(queue.running)}
        yield _gauge("facecheck_queue_length", "Runs that are not finished.", "state", length.items())
        unfinished = len(followups.active(root))
        yield GaugeMetricFamily("facecheck_followups_unfinished", "Relightings that are not finished.", unfinished)
        workers = presence.living(root)
        yield GaugeMetricFamily("facecheck_workers", "Workers that live, on all machines.", len(workers))
        held = {worker.name: worker.memory_mb for worker in workers}
        yield _gauge(
            "facecheck_worker_resident_bytes", "Memory that a worker of this machine holds.", "worker",
            [(name, memory_mb * MB) for name, memory_mb in held.items() if memory_mb is not None],
        )  # fmt: skip
        kept = {state.value: runs for state, runs in query.history(root).statistics().states.items()}
        yield _gauge("facecheck_history_runs", "Finished runs that the history lists.", "state", kept.items())

    @staticmethod
    def _counted() -> Iterator[Metric]:
        counted = totals.load(jobs.media_root())
        runs = CounterMetricFamily(
            "facecheck_runs", "Runs that ended, deleted ones included.", labels=["state", "verdict", "reason"]
        )
        for key, count in counted.runs.items():
            runs.add_metric(key.split("/"), count)
        yield runs
        done = CounterMetricFamily("facecheck_followups", "Relightings that ended.", labels=["kind", "state"])
        for key, count in counted.followups.items():
            done.add_metric(key.split("/"), count)
        yield done
        stages = SummaryMetricFamily(
            "facecheck_stage_seconds", "Seconds that finished work spent in a stage.", labels=["stage"]
        )
        for stage, spent in counted.stages.items():
            stages.add_metric([stage], spent.runs, spent.seconds)
        yield stages
        yield CounterMetricFamily("facecheck_uploads", "Files that came whole.", counted.uploads)
        yield CounterMetricFamily("facecheck_upload_bytes", "Bytes of files that came whole.", counted.upload_bytes)

    @staticmethod
    def _disk() -> Iterator[Metric]:
        kept, _of_today = quota.used_bytes(jobs.media_root())
        yield GaugeMetricFamily("facecheck_uploads_kept_bytes", "Uploads that are there, unfinished ones too.", kept)
        disk = shutil.disk_usage(jobs.media_root())
        yield GaugeMetricFamily("facecheck_disk_free_bytes", "Free on the disk of media/.", disk.free)
        yield GaugeMetricFamily("facecheck_disk_size_bytes", "Size of the disk of media/.", disk.total)


def _checks() -> list[tuple[str, float]]:
    return [(check.name, float(check.fault is None)) for check in health.checks()]


def _gauge(name: str, what: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(name, what, labels=[label])
    for key, value in values:
        family.add_metric([key], value)
    return family


registry = CollectorRegistry(auto_describe=False)
registry.register(Site())
ProcessCollector(registry=registry)
