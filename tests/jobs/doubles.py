"""Detectors that misbehave in known ways. They stand in the registry under the settings of `tests.jobs.site`."""

from __future__ import annotations

import os
import signal
import time
from contextlib import AbstractContextManager
from pathlib import Path

from detection.modules import MODULES, ModuleContext, ModuleSpec, ModuleUnavailable
from detection.records.schema import ModuleOutcome, PersonScore, Thresholds
from detection.vision.types import Observation

STEPS = 20
STEP_S = 0.08
STEP_BYTES = 64 * 1024 * 1024


class Slow:
    """Takes its time, step by step, and then calls every person forged."""

    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome:
        for step in range(STEPS):
            context.progress(step, STEPS)
            time.sleep(STEP_S)
        context.progress(STEPS, STEPS)
        people = tuple(PersonScore(person.id, 0.9, "fake", len(person.faces)) for person in observation.people)
        return ModuleOutcome(
            "slow", 0.9, "fake", thresholds=Thresholds(0.4, 0.6), people=people, seconds=STEPS * STEP_S
        )


class Quick:
    """As `Slow`, for a batch of many."""

    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome:
        for step in range(5):
            context.progress(step, 5)
            time.sleep(STEP_S)
        people = tuple(PersonScore(person.id, 0.9, "fake", len(person.faces)) for person in observation.people)
        return ModuleOutcome("quick", 0.9, "fake", thresholds=Thresholds(0.4, 0.6), people=people, seconds=5 * STEP_S)


class Hanging:
    """Never comes back, like native code in an endless loop. The watchdog's patience is cut down to a test's."""

    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome:
        from detection.jobs import watchdog

        watchdog.GRACE_S = 0.5
        context.progress(0, 1)
        time.sleep(3600)
        raise AssertionError("nobody ended it")


class Crashing:
    """Takes the process along, like a fault in native code."""

    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome:
        context.progress(0, 1)
        os.kill(os.getpid(), signal.SIGSEGV)
        raise AssertionError("it survived")


class Greedy:
    """Takes ever more memory, step by step."""

    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome:
        taken = []
        for step in range(64):
            context.progress(step, 64)
            taken.append(bytearray(b"x" * STEP_BYTES))
            time.sleep(0.2)  # so that the watchdog looks long before the kernel refuses more
        raise AssertionError("nobody ended it")


class Raising:
    """Fails in an orderly way."""

    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome:
        raise RuntimeError("the network broke")


class Absent:
    """Cannot work here."""

    def analyse(self, observation: Observation, context: ModuleContext) -> ModuleOutcome:
        raise ModuleUnavailable("The absent module has no weights here.")


SPECS = (
    *(
        ModuleSpec(key, key.capitalize(), f"tests.jobs.doubles.{key.capitalize()}")
        for key in ("slow", "quick", "hanging", "crashing", "greedy", "raising", "absent")
    ),
)


def crash_while_reading(name: str) -> None:
    """Let the decoder take the process along with the first file of that name's ending."""
    from detection.vision import video

    open_video = video.open_video

    def crashing(path: Path) -> AbstractContextManager[object]:
        if path.suffix == name:
            os.kill(os.getpid(), signal.SIGSEGV)
        return open_video(path)

    video.open_video = crashing


def register() -> None:
    MODULES.update({spec.key: spec for spec in SPECS})
