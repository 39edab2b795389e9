"""Two results side by side: what they say, where they differ, and their scores over time on one scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from detection.records.schema import Analysis, ModuleOutcome, RunRecord
from detection.web import facts, timelines
from detection.web.facts import Fact
from detection.web.result import PersonCard, person_cards


@dataclass(frozen=True)
class Side:
    """One of the two. `key` is "a" or "b", `letter` its name on the page."""

    key: str
    run: RunRecord
    analysis: Analysis
    has_file: bool

    @property
    def letter(self) -> str:
        return self.key.upper()

    @property
    def people(self) -> list[PersonCard]:
        return person_cards(self.run, self.analysis)

    @property
    def duration_s(self) -> float:
        return self.analysis.duration_s or 0.0


@dataclass(frozen=True)
class ModuleRow:
    """What a module says of both; an outcome is None where the module took no part. `change` is in points of 100.

    `same_networks` is None where it was not in both.
    """

    key: str
    a: ModuleOutcome | None
    b: ModuleOutcome | None
    change: int | None
    same_networks: bool | None


@dataclass(frozen=True)
class FactRow:
    """A fact of both; "–" where one has none."""

    name: str
    a: str
    b: str
    is_code: bool

    @property
    def differs(self) -> bool:
        return self.a != self.b


@dataclass(frozen=True)
class FactGroup:
    title: str
    rows: tuple[FactRow, ...]

    @property
    def different(self) -> list[FactRow]:
        return [row for row in self.rows if row.differs]

    @property
    def same(self) -> list[FactRow]:
        return [row for row in self.rows if not row.differs]


def module_rows(a: Analysis, b: Analysis) -> list[ModuleRow]:
    return [_module_row(key, a.modules.get(key), b.modules.get(key)) for key in dict.fromkeys([*a.modules, *b.modules])]


def _module_row(key: str, a: ModuleOutcome | None, b: ModuleOutcome | None) -> ModuleRow:
    if a is None or b is None:
        return ModuleRow(key, a, b, None, None)
    return ModuleRow(key, a, b, points(a.score, b.score), a.versions == b.versions)


def points(a: float | None, b: float | None) -> int | None:
    """From a to b, as a whole number of points of 100; the scores are shown in whole points, too."""
    return None if a is None or b is None else round(100 * b) - round(100 * a)


def fact_groups(a: Side, b: Side) -> list[FactGroup]:
    return [
        FactGroup(_("File"), _pairs(facts.file_facts(a.run), facts.file_facts(b.run))),
        FactGroup(_("What the file says of its origin"), _pairs(_origin(a.analysis), _origin(b.analysis))),
        FactGroup(_("Thresholds"), _pairs(facts.threshold_facts(a.analysis), facts.threshold_facts(b.analysis))),
        FactGroup(
            _("Versions of the program, its libraries and its networks"),
            _pairs(facts.version_facts(a.analysis), facts.version_facts(b.analysis)),
        ),
    ]


def _origin(analysis: Analysis) -> list[Fact]:
    origin = analysis.provenance
    return [*facts.credential_facts(origin), *facts.metadata_facts(origin)] if origin else []


def _pairs(a: Sequence[Fact], b: Sequence[Fact]) -> tuple[FactRow, ...]:
    values_a, values_b = ({fact.name: fact.value for fact in side} for side in (a, b))
    code = {fact.name: fact.is_code for fact in (*a, *b)}
    return tuple(FactRow(name, values_a.get(name, "–"), values_b.get(name, "–"), code[name]) for name in code)


def timeline_data(a: Side, b: Side) -> dict[str, Any]:
    """For static/js/comparison.js: the longer duration, and of each side what `timelines.timeline` says."""
    return {"duration": max(a.duration_s, b.duration_s)} | {
        side.key: timelines.timeline(side.analysis) for side in (a, b)
    }


def charts(a: Side, b: Side) -> Iterator[tuple[str, list[Side]]]:
    """By module the sides that have scores over time."""
    for key in dict.fromkeys([*a.analysis.modules, *b.analysis.modules]):
        sides = [side for side in (a, b) if key in side.analysis.modules and side.analysis.modules[key].timeline]
        if sides:
            yield key, sides
