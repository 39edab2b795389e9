"""Small tasks for the back end's tests."""

from __future__ import annotations

from django_tasks import TaskContext, task


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def fail(message: str) -> None:
    raise RuntimeError(message)


@task(takes_context=True)
def attempt(context: TaskContext) -> int:
    return context.attempt
