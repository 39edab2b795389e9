"""What a second worker gains, `make bench-scale`: the same batch through one and through two workers on Redis.

    python -m tests.benchmarks.bench_scale [--clips 12] [--seconds-each 20] [--repeats 2]

Every worker has one thread per network, so that one worker cannot take what the second would use. The batches
alternate, so that other work on the machine weighs on both alike; what is told is the ratio.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "deepfake_site.settings"

MODULES = ("space", "feature", "blend")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--seconds-each", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=2)
    given = parser.parse_args()
    if shutil.which("redis-server") is None:
        print("redis-server is not installed (Debian: apt install redis-server): nothing is measured")
        return 1
    folder = Path(tempfile.mkdtemp(prefix="scale-"))
    media = folder / "media"
    media.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ |= {"DEEPFAKE_MEDIA": str(media), "DEEPFAKE_QUEUE": f"redis://127.0.0.1:{port}/0"}
    import django

    django.setup()
    from tests.jobs.redis_server import RedisServer

    redis = RedisServer(port)
    try:
        redis.start()
        return measure(given, folder, media, redis.url)
    finally:
        redis.stop()
        shutil.rmtree(folder, ignore_errors=True)


def measure(given: argparse.Namespace, folder: Path, media: Path, url: str) -> int:
    from tests.benchmarks import clips

    talk = clips.repeat(
        clips.write_talk(folder / "talk.mp4", 10), folder / "clip.mp4", max(1, given.seconds_each // 10)
    )
    print(f"{given.clips} runs over {given.seconds_each} s of video, {', '.join(MODULES)}, {os.cpu_count()} cores")
    rates: dict[int, list[float]] = {1: [], 2: []}
    for repeat in range(given.repeats):
        for count in (1, 2) if repeat % 2 == 0 else (2, 1):
            took_s = batch(media, url, talk, given.clips, count)
            rates[count].append(given.clips / took_s * 60)
            print(f"{count} worker{'s' * (count > 1)}: {took_s:6.1f} s, {rates[count][-1]:5.1f} runs a minute, "
                  f"load {os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip
    one, two = statistics.median(rates[1]), statistics.median(rates[2])
    print(f"two workers over one: {two / one:.2f} × (median of {given.repeats})")
    return 0


def batch(media: Path, url: str, clip: Path, count: int, workers_count: int) -> float:
    """Seconds from the start of `count` runs to the end of the last; every worker has its networks loaded before."""
    from detection.records import store
    from detection.records.schema import RunState
    from tests.jobs.redis_server import workers
    from tests.jobs.server import wait_for

    names = [f"worker-{number}" for number in range(workers_count)]
    with workers(media, url, *names, DJANGO_SETTINGS_MODULE="deepfake_site.settings", DEEPFAKE_THREADS="1"):
        for warm_up in (workers_count * 2, count):
            run_ids = start(media, clip, warm_up)
            began_s = time.monotonic()
            wait_for(
                f"the end of {warm_up} runs",
                lambda run_ids=run_ids: all(store.load_run(media, run_id).state.is_final for run_id in run_ids),
                within_s=1800,
            )
        took_s = time.monotonic() - began_s
    failed = [run_id for run_id in run_ids if store.load_run(media, run_id).state is not RunState.DONE]
    assert not failed, failed
    return took_s


def start(media: Path, clip: Path, count: int) -> list[str]:
    from detection import jobs
    from detection.records import uploads

    with clip.open("rb") as file:
        upload = uploads.add_stream(media, clip.name, uploads.read_chunks(file))
    return jobs.start([upload.sha256] * count, MODULES)


if __name__ == "__main__":
    sys.exit(main())
