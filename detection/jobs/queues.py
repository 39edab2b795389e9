"""Which of the two queues is configured: files under media/, or Redis (DEEPFAKE_QUEUE)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from detection.jobs import presence
from detection.jobs.queue import FileQueue

if TYPE_CHECKING:
    from detection.jobs.redis_queue import RedisQueue


def on_redis() -> bool:
    return bool(settings.DEEPFAKE_QUEUE != "files")


def work_queue() -> FileQueue | RedisQueue:
    if not on_redis():
        return FileQueue(Path(settings.MEDIA_ROOT))
    from detection.jobs.redis_queue import RedisQueue  # RQ is not loaded where nobody uses it

    return RedisQueue(Path(settings.MEDIA_ROOT))


def has_servers_worker() -> bool:
    """Whether the worker that a server of this machine would start is there already."""
    if on_redis():
        return presence.is_alive(Path(settings.MEDIA_ROOT), presence.servers_worker())
    return work_queue().has_worker()


def has_claimed() -> bool:
    """Whether that worker, now dead, left a job behind; False also when Redis cannot be asked."""
    if not on_redis():
        return bool(work_queue().claimed())
    from redis.exceptions import RedisError

    try:
        return bool(work_queue().claimed())
    except RedisError:
        return False
