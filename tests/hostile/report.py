"""The fuzz suite's table: by kind of damage, what came of it on each surface."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict

from tests.hostile.cases import Case
from tests.hostile.surfaces import Outcome

SURFACES = ("detect", "preview", "upload")


class Report:
    """Counts outcomes. `faults` were not promised; `contained` were ended by a limit, or ended their child."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.contained: list[str] = []
        self._words: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._slowest: dict[str, tuple[float, str]] = {}

    def add(self, case: Case, outcome: Outcome, *, verbose: bool = False) -> None:
        self._words[case.kind, outcome.surface][outcome.word] += 1
        line = f"case {case.number} {case.kind} {outcome.surface}: {outcome.word} {outcome.detail}"
        if outcome.is_fault:
            self.faults.append(line)
        elif outcome.word == "contained":
            self.contained.append(line)
        self._slowest[outcome.surface] = max(
            self._slowest.get(outcome.surface, (0.0, "")), (outcome.seconds, f"case {case.number}, {case.kind}")
        )
        if verbose or outcome.is_fault or outcome.word == "contained":
            print(f"{line} ({outcome.seconds:.2f} s)", file=sys.stderr, flush=True)

    def print(self, title: str) -> None:
        print(title)
        print(f"| damage | {' | '.join(SURFACES)} |\n| --- | {' | '.join(['---'] * len(SURFACES))} |")
        for kind in sorted({kind for kind, _ in self._words}):
            cells = [_counts(self._words[kind, surface]) for surface in SURFACES]
            print(f"| {kind.replace('_', ' ')} | {' | '.join(cells)} |")
        totals = [
            _counts(sum((c for (_, s), c in self._words.items() if s == surface), Counter())) for surface in SURFACES
        ]
        print(f"| **all** | {' | '.join(totals)} |")
        for surface, (seconds, which) in self._slowest.items():
            print(f"slowest {surface}: {seconds:.1f} s ({which})")
        print(f"ended by a limit or by a crash of the child that it was read in: {len(self.contained)}")
        for line in self.contained[:20]:
            print(f"  {line}")
        print(f"faults: {len(self.faults)}")
        for line in self.faults:
            print(f"  {line}")


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counter.most_common()) or "–"
