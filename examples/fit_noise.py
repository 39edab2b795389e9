"""Fit the Noise example to labelled clips: `python -m examples.fit_noise INDEX`.

INDEX is tab-separated with the columns file (relative to it), label and group. Writes `noise/calibration.json`:
the calibration, and the range (2.5th to 97.5th percentile) that genuine faces have.
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from detection.inference.calibration import FORMAT
from detection.training.calibrate import calibrate
from detection.vision.observe import observe
from detection.vision.video import probe
from examples.noise.detector import FITTED, Ratios, evidence, noise_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("index", type=Path)
    index: Path = parser.parse_args().index
    with index.open(encoding="utf-8", newline="") as lines:
        clips = list(csv.DictReader(lines, delimiter="\t"))
    measured = []
    for clip in clips:
        ratios = measure(index.parent / clip["file"])
        print(clip["file"], f"{ratios.median:.3f}" if ratios else "cannot be measured", flush=True)
        if ratios:
            measured.append((ratios, clip["label"] == "fake", clip["group"]))
    ratios, fake, groups = zip(*measured, strict=True)
    data = f"{index.stem}, {len(fake)} clips"
    fitted = calibrate([evidence(each) for each in ratios], list(fake), list(groups), data=data)
    genuine = [each.median for each, is_fake in zip(ratios, fake, strict=True) if not is_fake]
    low, high = (round(float(v), 4) for v in np.percentile(genuine, (2.5, 97.5)))
    kept = {"calibration": {"format": FORMAT, **asdict(fitted)}, "genuine_range": [low, high]}
    FITTED.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(fitted.figures, indent=2))


def measure(path: Path) -> Ratios | None:
    """Of the person who is seen most."""
    people = observe(path, probe(path), lambda done, total: None).people
    return noise_of(max(people, key=lambda person: len(person.faces))) if people else None


if __name__ == "__main__":
    main()
