"""What log lines look like (DEEPFAKE_LOG_FORMAT), and which run they are about.

`line` is for a person at a terminal, `json` one object per line for a program that gathers logs. There `run`,
`followup` and `request_id` name what the line is about.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS

_subject: ContextVar[dict[str, str]] = ContextVar("subject", default={})  # noqa: B039 it is replaced, never changed

OF_SERVERS = ("django.server", "gunicorn.error", "gunicorn.access")  # which bring lines of their own making


@contextmanager
def about(**subject: str) -> Iterator[None]:
    """Within it, what this thread logs names `subject` (`run="…"`)."""
    token = _subject.set({**_subject.get(), **subject})
    try:
        yield
    finally:
        _subject.reset(token)


def also_about(**subject: str) -> None:
    """The same until the end of the `about` around it."""
    _subject.set({**_subject.get(), **subject})


class NamesItsSubject(logging.Filter):
    """Puts what a line is about on it, where the formatter finds it."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in _subject.get().items():
            setattr(record, name, value)
        return True


def configuration(form: str, level: str) -> dict[str, Any]:
    """For `logging.config.dictConfig`."""
    handlers = {"handlers": ["console"], "level": level}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"subject": {"()": NamesItsSubject}},
        "formatters": {
            "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "fmt": "{levelname} {name} {message} {process}",
                "style": "{",
                "timestamp": "time",
                "reserved_attrs": [*RESERVED_ATTRS, "request"],  # Django puts its whole object there
                "rename_fields": {"levelname": "level", "name": "logger", "exc_info": "exception"},
            },
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form, "filters": ["subject"]}},
        "root": handlers,
        "loggers": {name: {**handlers, "propagate": False} for name in OF_SERVERS} if form == "json" else {},
    }
