"""`make chaos`: the worker, the server or both are killed at random moments, and everything must come out whole.

    python -m tests.chaos.run [--seed 6] [--moments 50] [--only NUMBER] [--keep FOLDER]

Exit status 1 if an acknowledged upload or run was lost, a record torn or doubled, or something neither ended nor said
why.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.moments import Moment, moments

if TYPE_CHECKING:
    from tests.chaos.client import Ledger


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--moments", type=int, default=50)
    parser.add_argument("--only", type=int, help="this moment alone")
    parser.add_argument("--keep", type=Path, help="keep media and log in this folder")
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="chaos-"))
    media = folder / "media"
    media.mkdir(parents=True, exist_ok=True)
    os.environ["DJANGO_SETTINGS_MODULE"] = "deepfake_site.settings"
    os.environ["DEEPFAKE_MEDIA"] = str(media)
    import django

    django.setup()
    try:
        wrong = _run(given, media, folder)
        return 1 if wrong + (0 if given.only else _play(folder)) else 0
    finally:
        if given.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _run(given: argparse.Namespace, media: Path, folder: Path) -> int:
    from tests.chaos.kills import Chaos
    from tests.chaos.site import running

    chosen = [m for m in moments(given.seed, given.moments) if given.only in (None, m.number)]
    began_s, failed = time.monotonic(), 0
    with running(media) as site:
        chaos = Chaos(site, folder)
        for moment in chosen:
            began_moment_s = time.monotonic()
            try:
                note = chaos.go_through(moment)
            except AssertionError as fault:
                failed += 1
                note = f"FAULT {fault}"
                chaos.ledger.broken.clear()
            print(f"{moment}  {time.monotonic() - began_moment_s:5.1f} s  {note}", flush=True)
    print(_summary(media, chosen, chaos.ledger, time.monotonic() - began_s))
    print(f"{failed} of {len(chosen)} moments left something wrong.")
    return failed


def _play(folder: Path) -> int:
    """All scenarios; how many left something wrong."""
    from django.conf import settings

    from tests.chaos.scenarios import SCENARIOS, Unavailable

    failed = 0
    for name, scenario in SCENARIOS.items():
        place = folder / name
        place.mkdir()
        settings.MEDIA_ROOT = place / "media"
        try:
            told = scenario(place)
        except Unavailable as reason:
            told = f"not played: {reason}"
        except AssertionError as fault:
            failed, told = failed + 1, f"FAULT {fault}"
        print(f"{name}: {told}", flush=True)
    return failed


def _summary(media: Path, chosen: list[Moment], ledger: Ledger, took_s: float) -> str:
    from detection.records import followups, store

    runs = [store.load_run(media, run_id) for run_id in store.run_ids(media)]
    states = Counter(run.state.value for run in runs)
    relit = Counter(followups.load(media, *each).state.value for each in ledger.followups)
    lines = [
        f"{len(chosen)} moments in {took_s:.0f} s: "
        + ", ".join(f"{count} × {phase}/{victim}" for (phase, victim), count in sorted(_kinds(chosen).items())),
        f"acknowledged: {len(ledger.files)} uploads, {len(ledger.runs)} runs, {len(ledger.followups)} relightings",
        f"runs: {dict(states)}, {sum(run.attempts > 1 for run in runs)} of them begun twice",
        f"relightings: {dict(relit)}",
        *(f"failed: {run.error}" for run in runs if run.error),
    ]
    return "\n".join(lines)


def _kinds(chosen: list[Moment]) -> Counter[tuple[str, str]]:
    return Counter((moment.phase, moment.victim) for moment in chosen)


if __name__ == "__main__":
    sys.exit(main())
