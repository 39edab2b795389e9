"""The moments at which something is killed, drawn from one seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Phase = Literal["upload", "queue", "analysis", "relight", "record"]
Victim = Literal["worker", "server", "both"]

# How long after its beginning something may be killed: about as long as it lasts.
LASTS_S: dict[Phase, float] = {"upload": 0.25, "queue": 0.2, "analysis": 2.0, "relight": 4.0, "record": 0.0}
# How many operations on files it takes a worker to do a run, a server to take a file and start a run.
STEPS: dict[Victim, int] = {"worker": 36, "server": 50}


@dataclass(frozen=True)
class Moment:
    """`victim` is killed `delay_s` after `phase` began; in the phase `record` at its `step`-th operation on a file."""

    number: int
    phase: Phase
    victim: Victim
    delay_s: float
    step: int

    def __str__(self) -> str:
        when = f"operation {self.step}" if self.phase == "record" else f"{self.delay_s:.2f} s"
        return f"{self.number:3} {self.phase:8} {self.victim:6} {when:>12}"


def moments(seed: int, count: int) -> list[Moment]:
    """Every phase comes about equally often."""
    draw = random.Random(seed)
    phases: list[Phase] = (list(LASTS_S) * (count // len(LASTS_S) + 1))[:count]
    draw.shuffle(phases)
    return [_moment(draw, number, phase) for number, phase in enumerate(phases, 1)]


def _moment(draw: random.Random, number: int, phase: Phase) -> Moment:
    victims: tuple[Victim, ...] = ("worker", "server") if phase == "record" else ("worker", "server", "both")
    victim = draw.choice(victims)
    return Moment(
        number, phase, victim, delay_s=draw.uniform(0, LASTS_S[phase]), step=draw.randint(1, STEPS.get(victim, 1))
    )
