"""Typed readers of environment variables: a bad value stops the start with the variable's name and what it may be."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str) -> str:
    return os.environ.get(name, default)


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be one of {', '.join(allowed)}.")
    return value


def boolean(name: str, default: bool) -> bool:
    return choice(name, "1" if default else "0", ("0", "1")) == "1"


def integer(name: str, default: int, low: int, high: int) -> int:
    raw = text(name, str(default))
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {raw!r}; it must be a whole number.") from None
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{name} is {value}; it must lie between {low} and {high}.")
    return value


def names(name: str, default: tuple[str, ...]) -> list[str]:
    raw = text(name, ",".join(default))
    return [part.strip() for part in raw.split(",") if part.strip()]


def queue(name: str) -> str:
    """ "files", or the address of a Redis."""
    value = text(name, "files")
    if value != "files" and not value.startswith(("redis://", "rediss://", "unix://")):
        raise ImproperlyConfigured(f"{name} must be files, redis://HOST:PORT/DB, rediss://… or unix://PATH.")
    return value


def folder(name: str, default: Path, base: Path) -> Path:
    """A folder; a relative one is taken from `base`, the project's root."""
    return (base / text(name, str(default))).resolve()
