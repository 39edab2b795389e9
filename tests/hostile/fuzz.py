"""The fuzz suite, `make fuzz`: hostile files from one seed through every surface, and a table of what came of them.

    python -m tests.hostile.fuzz [--seed 6] [--cases 1000] [--only NUMBER] [--keep FOLDER]

Exit status 1 if one case ended otherwise than in a verdict or a named reason, or left the limits.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

UPLOAD_EVERY = 10  # an upload starts a Python for the file's facts: half a second


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="one module, and no file that takes seconds")
    parser.add_argument("--only", type=int, help="this case alone, in detail")
    parser.add_argument("--keep", type=Path, help="keep the files in this folder")
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deepfake_site.settings")
    os.environ["DEEPFAKE_MEDIA"] = str(folder / "media")
    os.environ["DEEPFAKE_LOG_LEVEL"] = "ERROR"
    import django

    django.setup()
    try:
        return run(given, folder)
    finally:
        if given.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def run(given: argparse.Namespace, folder: Path) -> int:
    from tests.hostile.cases import case
    from tests.hostile.report import Report
    from tests.hostile.seeds import write_seeds
    from tests.hostile.surfaces import LIMIT_MB, LIMIT_S, MODULES, Analyst, analysed, previewed, strays, uploaded

    report, began = Report(), time.monotonic()
    detailed, modules = given.only is not None, MODULES[:1] if given.quick else MODULES
    with Analyst(timeout_s=LIMIT_S, memory_mb=LIMIT_MB) as analyst:
        seeds = write_seeds(folder / "seeds")
        for number in range(given.cases) if given.only is None else [given.only]:
            each = case(given.seed, number, folder, seeds, quick=given.quick)
            work = each.path.parent / "work"
            report.add(each, analysed(analyst, each.path, work, modules), verbose=detailed)
            report.add(each, previewed(each.path, work), verbose=detailed)
            if number % UPLOAD_EVERY == UPLOAD_EVERY - 1 or detailed:
                report.add(each, uploaded(folder / "media", each.path, each.name), verbose=detailed)
            if given.keep is None and not detailed:
                shutil.rmtree(each.path.parent)
    for stray in strays(folder, folder / "media"):
        report.faults.append(f"a file outside media/: {stray}")
    report.print(f"seed {given.seed}, {given.cases} cases, {time.monotonic() - began:.0f} s")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
