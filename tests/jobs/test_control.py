from __future__ import annotations

import errno
import time

import pytest

from detection.jobs.control import Control, Interrupt, Interrupted


class Task:
    def __init__(self) -> None:
        self.cancelled = False
        self.settled: list[Interrupt] = []

    def cancel_requested(self) -> bool:
        return self.cancelled

    def settle(self, why: Interrupt) -> None:
        self.settled.append(why)


def why(control: Control) -> Interrupt | None:
    try:
        control.check()
    except Interrupted as interruption:
        return interruption.why
    return None


def test_nothing_interrupts_by_itself() -> None:
    control = Control()
    with control.running(Task()):
        control.watch(timeout_s=60)
        assert why(control) is None
        assert control.overdue(0.0) is None


def test_a_cancelled_task_is_interrupted_and_the_next_is_not() -> None:
    control, task = Control(), Task()
    with control.running(task):
        task.cancelled = True
        control.watch(timeout_s=60)
        assert why(control) is Interrupt.CANCEL
    with control.running(Task()):
        control.watch(timeout_s=60)
        assert why(control) is None


def test_a_task_that_takes_too_long_is_interrupted() -> None:
    control = Control()
    with control.running(Task()):
        time.sleep(0.02)
        control.watch(timeout_s=0.01)
        assert why(control) is Interrupt.TIMEOUT


def test_limits_hold_while_nobody_can_say_whether_a_task_was_cancelled() -> None:
    class OnAFailingDisk(Task):
        def cancel_requested(self) -> bool:
            raise OSError(errno.EIO, "Input/output error")

    control = Control()
    with control.running(OnAFailingDisk()):
        control.watch(timeout_s=60)
        assert why(control) is None
        control.watch(timeout_s=60, is_too_large=True)
        assert why(control) is Interrupt.MEMORY


def test_a_stop_outlasts_the_task() -> None:
    control = Control()
    with control.running(Task()):
        control.stop()
        assert why(control) is Interrupt.STOP
    with pytest.raises(Interrupted), control.running(Task()):
        control.check()
    assert control.stopping


def test_the_first_reason_stays() -> None:
    control, task = Control(), Task()
    with control.running(task):
        task.cancelled = True
        control.watch(timeout_s=60)
        control.stop()
        assert why(control) is Interrupt.CANCEL


def test_a_task_that_does_not_follow_is_overdue() -> None:
    control, task = Control(), Task()
    with control.running(task):
        control.stop()
        assert control.overdue(grace_s=10) is None
        time.sleep(0.02)
        assert control.overdue(grace_s=0.01) is Interrupt.STOP
        control.settle(Interrupt.STOP)
    control.settle(Interrupt.STOP)
    assert task.settled == [Interrupt.STOP]
